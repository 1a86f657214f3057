import type { Answer, FileAnswer } from "./client.ts";
import type { Ledger, SentFile } from "./ledger.ts";

/** A sender in pieces, by tus 1.0.0. Nothing here rejects: the server may be killed at any time. */
export interface PiecesClient {
  /** Begins a file, and goes on until it is whole or a request has failed. */
  pieces(file: SentFile, how: { pieceBytes: number; laterLength: boolean }): Promise<void>;
  /** Goes on with a file that was begun. */
  resume(file: SentFile, how: { pieceBytes: number }): Promise<void>;
  /** Gives one up. */
  terminate(file: SentFile): Promise<void>;
}

interface Context {
  ledger: Ledger;
  /** The whole answer, or null when it did not come. */
  ask: (path: string, init: RequestInit) => Promise<Answer | null>;
  onWrongAnswer: (what: string) => void;
  acknowledge: (file: SentFile, answer: FileAnswer | undefined) => void;
}

async function whileBusy(file: SentFile, work: () => Promise<void>): Promise<void> {
  file.busy = true;
  await work();
  file.busy = false;
}

export function createPiecesClient({ ledger, ask, onWrongAnswer, acknowledge }: Context): PiecesClient {
  function tus(uid: string, method: string, headers: Record<string, string> = {}, body?: Uint8Array) {
    let all = { "Tus-Resumable": "1.0.0", Accept: "application/json", ...headers };
    let sent = body ? { body: body as Uint8Array<ArrayBuffer> } : {};
    return ask(uid === "" ? "/tus" : `/tus/${uid}`, { method, headers: all, ...sent });
  }

  /** How far the server says it is; null when that is less than it has said before, or more than there is. */
  function offsetOf({ name, bytes, pieces }: SentFile, headers: Headers): number | null {
    let offset = Number(headers.get("Upload-Offset") ?? NaN);
    if (offset >= pieces!.acknowledgedBytes && offset <= bytes.length) {
      return (pieces!.acknowledgedBytes = offset);
    }
    onWrongAnswer(`${name}: offset ${offset} after ${pieces!.acknowledgedBytes} of ${bytes.length}`);
    return null;
  }

  /** Without the file in the answer it is still being recorded: the next look at the catalog tells. */
  function acknowledgeWhole(file: SentFile, { body }: Answer): void {
    let taken = (body as { files?: FileAnswer[] } | undefined)?.files;
    if (taken) acknowledge(file, taken[0]);
  }

  async function send(file: SentFile, from: number, pieceBytes: number, laterLength: boolean): Promise<void> {
    let { bytes } = file;
    let offset = from;
    // One piece at least: what is whole or empty is asked for with none.
    do {
      let piece = bytes.subarray(offset, offset + pieceBytes);
      let isLast = offset + piece.length === bytes.length;
      let answer = await tus(
        file.pieces!.uid,
        "PATCH",
        {
          "Content-Type": "application/offset+octet-stream",
          "Upload-Offset": String(offset),
          ...(laterLength && isLast ? { "Upload-Length": String(bytes.length) } : {}),
        },
        piece,
      );
      if (answer === null || answer.status >= 300) return;
      let reached = offsetOf(file, answer.headers);
      if (reached === null) return;
      offset = reached;
      if (offset === bytes.length) acknowledgeWhole(file, answer);
    } while (offset < bytes.length);
  }

  return {
    pieces: (file, { pieceBytes, laterLength }) =>
      whileBusy(file, async () => {
        let length: Record<string, string> = laterLength
          ? { "Upload-Defer-Length": "1" }
          : { "Upload-Length": String(file.bytes.length) };
        let name = Buffer.from(file.name).toString("base64");
        let made = await tus("", "POST", { ...length, "Upload-Metadata": `filename ${name}` });
        if (made === null || made.status >= 300) return;
        let uid = made.headers.get("Location")?.split("/").at(-1) ?? "";
        file.pieces = { uid, acknowledgedBytes: 0 };
        if (file.bytes.length === 0 && !laterLength) acknowledgeWhole(file, made);
        else await send(file, 0, pieceBytes, laterLength);
      }),
    resume: (file, { pieceBytes }) =>
      whileBusy(file, async () => {
        let looked = await tus(file.pieces!.uid, "GET");
        if (looked === null || looked.status >= 300) return;
        let offset = offsetOf(file, looked.headers);
        if (offset === null) return;
        if (offset > 0) ledger.tally.resumed++;
        await send(file, offset, pieceBytes, !looked.headers.has("Upload-Length"));
      }),
    async terminate(file) {
      let { uid } = file.pieces!;
      file.deletion = "asked";
      await whileBusy(file, async () => {
        let answer = await tus(uid, "DELETE");
        if (answer?.status !== 204) return;
        ledger.tally.deletionsAcknowledged++;
        ledger.deletedUids.add(uid);
        ledger.files.delete(file.name);
      });
    },
  };
}
