import type { ByteStream } from "../domain.ts";
import { AppError } from "../errors.ts";
import { MIB } from "../units.ts";
import { persist } from "./persist.ts";
import { RemoteError } from "./remote-error.ts";
import type { Stored } from "./remote.ts";
import { retryable, type SendDeps } from "./send-file.ts";

/** What is held in memory until the server has it: standard input can't be read twice. */
const heldBytes = 16 * MIB;

/**
 * Sends a stream whose length nobody knows. A short one goes in one request, a long one piece by piece with its length told
 * at the end. Rejects as `sendFile` does.
 */
export async function sendStream(
  filename: string,
  input: ByteStream,
  { remote, watch, signal }: Pick<SendDeps, "remote" | "watch" | "signal">,
): Promise<Stored> {
  let hasher = new Bun.CryptoHasher("sha256");
  let uploadUrl: string | null = null;
  let offset = 0;
  let stored: Stored | null = null;

  async function sendPiece(piece: Uint8Array<ArrayBuffer>, isLast: boolean): Promise<void> {
    let start = offset;
    let end = start + piece.byteLength;
    let isKnown = true;
    stored = await persist(({ progressed }) => retryable(goOn(progressed)), signal, watch.onPause);

    async function goOn(progressed: () => void): Promise<Stored | null> {
      uploadUrl ??= await remote.create(filename, null, signal);
      let found = isKnown ? { offset, stored: null } : await remote.offset(uploadUrl, signal);
      isKnown = false;
      if (!found || found.offset < start) {
        throw new AppError("gone", "the server has given the upload up, and the input can't be read again");
      }
      if (found.offset > offset) progressed();
      ({ offset } = found);
      if (found.stored) return found.stored;
      // The last piece is only sent when the server has said what became of the whole.
      let isThrough = (seen: { stored: Stored | null }) => (isLast ? seen.stored !== null : offset >= end);
      while (!isThrough(found)) {
        let before = offset;
        let rest = piece.subarray(offset - start);
        let at = { offset, length: isLast ? end : null };
        found = await remote.append(uploadUrl, at, { content: rest, bytes: rest.byteLength }, signal);
        ({ offset } = found);
        watch.onBytes(offset);
        if (found.stored || offset > before) progressed();
        else throw new RemoteError("the server is still putting the file together");
      }
      return found.stored;
    }
  }

  try {
    for await (let { piece, isLast } of pieces(until(signal, input))) {
      hasher.update(piece);
      if (isLast && offset === 0) {
        let key = crypto.randomUUID();
        let body = { content: piece, bytes: piece.byteLength };
        let send = () => remote.sendWhole(filename, key, body, signal);
        stored = await persist(send, signal, watch.onPause);
        watch.onBytes(piece.byteLength);
      } else {
        await sendPiece(piece, isLast);
      }
    }
  } catch (error) {
    // The input can't be read again: nobody will go on with it.
    if (uploadUrl !== null) await remote.terminate(uploadUrl);
    throw error;
  }
  if (!stored) throw new RemoteError("The server did not say what became of the upload.", { status: 501 });
  let { file_id: id, file }: Stored = stored;
  if (file && file.checksum_sha256 !== hasher.digest("hex")) {
    throw new AppError("storage_error", `file ${id} on the server does not have the bytes that were sent`);
  }
  return stored;
}

/** The input, which may stand still for ever, until the signal ends it. */
async function* until(signal: AbortSignal, input: ByteStream): ByteStream {
  let chunks = input[Symbol.asyncIterator]();
  let giveUp: ((reason: unknown) => void) | null = null;
  let stop = () => giveUp?.(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  // No race against one promise for all chunks: that would keep every one of them.
  let read = () =>
    new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      giveUp = reject;
      chunks.next().then(resolve, reject);
    });
  try {
    for (let next = await read(); !next.done; next = await read()) yield next.value;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** The input in pieces of one size; the last is shorter, and may be empty. */
async function* pieces(
  input: ByteStream,
): AsyncGenerator<{ piece: Uint8Array<ArrayBuffer>; isLast: boolean }> {
  let piece = new Uint8Array(heldBytes);
  let filled = 0;
  for await (let chunk of input) {
    for (let taken = 0; taken < chunk.byteLength;) {
      let part = chunk.subarray(taken, taken + heldBytes - filled);
      piece.set(part, filled);
      filled += part.byteLength;
      taken += part.byteLength;
      if (filled < heldBytes) continue;
      yield { piece, isLast: false };
      filled = 0;
    }
  }
  yield { piece: piece.subarray(0, filled), isLast: true };
}
