import type { Clock } from "../clock.ts";
import type { ByteStream } from "../domain.ts";
import { AppError } from "../errors.ts";
import type { Journal } from "../state/journal.ts";
import type { ResumableTable, ResumableUpload } from "../state/resumable-table.ts";
import type { Advance, Storage } from "../store/storage.ts";
import type { Digests } from "./digests.ts";
import { createIntake, type Intake } from "./intake.ts";
import { createHead, objectOf, reachVerdict, type VerdictDeps } from "./verdict.ts";

export interface Checksum {
  algorithm: "sha1" | "sha256";
  /** Of the right length. */
  digest: Uint8Array;
}

export interface Piece {
  body: ByteStream;
  /** No more than this many bytes will come as far as the request tells; null when it does not. */
  mostBytes: number | null;
  checksum: Checksum | null;
  /** Ends the wait for a storage that does not answer. */
  signal: AbortSignal;
}

export interface ReceiveDeps extends VerdictDeps {
  table: ResumableTable;
  journal: Journal;
  digests: Digests;
  clock: Clock;
  maxFileBytes: number;
}

/**
 * One request's bytes, added to a file. Resolves when all of them count; when the body was cut short, what came counts
 * and it rejects with what cut it. With a checksum all of them count or none.
 *
 * @param onIntake hears of the body before the first byte is pulled
 * @throws AppError file_too_large, type_not_allowed or type_mismatch for a file that can't be taken at all;
 *   wrong_checksum; `gone` when storage has lost what it had; storage's own
 */
export async function receivePiece(
  upload: ResumableUpload,
  piece: Piece,
  storage: Storage,
  deps: ReceiveDeps,
  onIntake: (intake: Intake) => void,
): Promise<void> {
  let { table, journal, digests, clock, maxFileBytes } = deps;
  let { uid, filename, offsetBytes } = upload;
  let { checksum } = piece;
  let { verdict } = upload;
  let head = verdict === null ? createHead(upload, table) : null;
  let known = digests.take(uid, offsetBytes);
  let before = checksum && known?.copy();
  let sum = checksum && new Bun.CryptoHasher(checksum.algorithm);

  function look(chunk: Uint8Array): Promise<void> | void {
    known?.update(chunk);
    sum?.update(chunk);
    if (verdict !== null || head === null) return;
    head.push(chunk);
    if (head.isFull) return judge(head.bytes());
  }

  async function judge(bytes: Uint8Array): Promise<void> {
    verdict = await reachVerdict(upload, bytes, false, deps);
  }

  let limitBytes = (upload.lengthBytes ?? maxFileBytes) - offsetBytes;
  let intake = createIntake(piece.body, {
    limitBytes,
    look,
    tooLong: (bytes) =>
      new AppError(
        "file_too_large",
        upload.lengthBytes === null
          ? `The file is larger than ${maxFileBytes} bytes.`
          : `More came than the ${upload.lengthBytes} bytes that were announced: the upload has ended.`,
        { details: { filename, limit_bytes: offsetBytes + limitBytes, actual_bytes: offsetBytes + bytes } },
      ),
  });
  onIntake(intake);

  /** With a checksum everything waits for the end, and is written down in one step. */
  let waiting: Advance[] = [];
  async function commit(advance: Advance): Promise<void> {
    waiting.push(advance);
    if (checksum && !advance.isLast) return;
    if (checksum && intake.cutBy) throw intake.cutBy;
    if (checksum && !sum?.digest().equals(checksum.digest)) throw new AppError("wrong_checksum");
    let advances = waiting;
    waiting = [];
    if (intake.receivedBytes > 0) await table.advance(uid, advances, clock.nowMs());
  }

  try {
    await storage.resumable.receive({
      partBytes: upload.partBytes,
      uploadId: upload.multipartUploadId,
      offsetBytes,
      storedBytes: upload.storedBytes,
      held: table.held(upload),
      lastPart: table.lastPart(uid),
      mayHaveStrays: upload.verdict !== null,
      body: intake.body,
      mostBytes: Math.min(piece.mostBytes ?? limitBytes, limitBytes),
      object: () => {
        if (verdict === null) throw new AppError("internal_error", `nobody knows yet what ${uid} is`);
        return objectOf(upload, verdict);
      },
      async onMultipartCreated(uploadId) {
        // The table first: from what it has, an upload without parts is taken back by the next request.
        await table.multipartBegun(uid, uploadId);
        await journal.multipartCreated(uid, uploadId);
      },
      commit,
      signal: piece.signal,
    });
  } catch (error) {
    if (before && table.find(uid)?.offsetBytes === offsetBytes) digests.keep(uid, offsetBytes, before);
    throw error;
  }
  if (known) digests.keep(uid, offsetBytes + intake.receivedBytes, known);
  if (intake.cutBy) throw intake.cutBy;
}
