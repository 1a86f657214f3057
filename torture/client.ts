import { count, type Ledger, type SentFile } from "./ledger.ts";
import { createPiecesClient, type PiecesClient } from "./pieces-client.ts";

/** Statuses that say "not now": the server was right to say so, and the file is whole or gone. */
const temporary = new Set([502, 503]);

/** What a page's deletion is answered: to the list, which offers the undo. */
const sentOn = 303;
const restorePath = "/files/restore";

/** A sender who writes down what was acknowledged. Its requests end by themselves when the server is killed. */
export interface Client extends PiecesClient {
  form(files: SentFile[]): Promise<void>;
  put(file: SentFile, how: { chunked?: boolean; leaveAfterMs?: number }): Promise<void>;
  delete(file: SentFile): Promise<void>;
  deleteMany(files: SentFile[]): Promise<void>;
  /** As a page deletes: it can be undone. */
  trash(files: SentFile[]): Promise<void>;
  undo(files: SentFile[]): Promise<void>;
}

export interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
}

export interface FileAnswer {
  success: boolean;
  file_id: number;
  file: { id: number; uid: string; filename: string; checksum_sha256: string };
}

/**
 * @param base address of the page
 * @param onWrongAnswer hears of an answer that no crash and no fault of the bucket explains
 */
export function createClient(base: string, ledger: Ledger, onWrongAnswer: (what: string) => void): Client {
  /** The answer once all of it has come, or null when it did not. */
  async function ask(path: string, init: RequestInit): Promise<Answer | null> {
    let answer: { status: number; headers: Headers; text: string };
    try {
      let response = await fetch(base + path, { ...init, keepalive: false });
      answer = { status: response.status, headers: response.headers, text: await response.text() };
    } catch {
      return null;
    }
    let body: unknown;
    try {
      // tus has answers that say it all in headers, and so has a page that leads on to another.
      let isTold = answer.text === "" && (path.startsWith("/tus") || answer.status === sentOn);
      if (!isTold) body = JSON.parse(answer.text);
    } catch {
      onWrongAnswer(`${answer.status} to ${path} is no JSON: ${answer.text.slice(0, 200)}`);
    }
    if (answer.status >= 300 && answer.status !== sentOn) note(path, init.method, answer.status, body);
    return { status: answer.status, headers: answer.headers, body };
  }

  function note(path: string, method: string | undefined, status: number, body: unknown): void {
    let code = (body as { error?: { code?: string } } | undefined)?.error?.code ?? "no code";
    count(ledger.tally.failures, `${status} ${code}`);
    if (temporary.has(status)) return;
    // Gone with an earlier request, of whose answer nobody knows; or recorded already, and no more to be given up; or deleted
    // for too long to be undone.
    let isTooLate = path.includes("delete") ? status === 404 : method === "DELETE" && status === 403;
    if (path === restorePath) isTooLate = status === 410;
    if (!isTooLate) onWrongAnswer(`${status} ${code} to ${method} ${path}`);
  }

  async function upload(files: SentFile[], path: string, init: RequestInit): Promise<void> {
    for (let file of files) file.busy = true;
    let key = files[0]?.idempotencyKey;
    let headers = { ...(init.headers as object), ...(key ? { "Idempotency-Key": key } : {}) };
    let answer = await ask(path, { ...init, headers });
    for (let file of files) file.busy = false;
    if (answer === null || answer.status >= 300) return;
    let taken = (answer.body as { files: FileAnswer[] }).files;
    for (let [at, file] of files.entries()) acknowledge(file, taken[at]);
  }

  function acknowledge(file: SentFile, answer: FileAnswer | undefined): void {
    if (!answer?.success) return onWrongAnswer(`${file.name} was left out of a success`);
    let { id, uid, filename, checksum_sha256 } = answer.file;
    if (filename !== file.name || checksum_sha256 !== file.sha256) {
      onWrongAnswer(`${file.name} was acknowledged as ${filename} with ${checksum_sha256}`);
    }
    if (file.known && file.known.uid !== uid) onWrongAnswer(`${file.name} was taken twice`);
    if (!file.known) ledger.tally.acknowledged++;
    file.known = { id, uid };
  }

  function deleted(file: SentFile): void {
    ledger.tally.deletionsAcknowledged++;
    ledger.deletedUids.add(file.known!.uid);
    ledger.files.delete(file.name);
  }

  return {
    ...createPiecesClient({ ledger, ask, onWrongAnswer, acknowledge }),
    form(files) {
      let form = new FormData();
      for (let { bytes, name } of files)
        form.append("file", new File([bytes as Uint8Array<ArrayBuffer>], name));
      return upload(files, "/upload", { method: "POST", body: form });
    },
    put(file, { chunked = false, leaveAfterMs }) {
      let body = chunked ? inChunks(file.bytes) : (file.bytes as Uint8Array<ArrayBuffer>);
      let signal = leaveAfterMs === undefined ? null : AbortSignal.timeout(leaveAfterMs);
      return upload([file], `/upload/${file.name}`, { method: "PUT", body, signal });
    },
    async delete(file) {
      file.deletion = "asked";
      file.busy = true;
      let answer = await ask(`/files/${file.known!.uid}`, { method: "DELETE" });
      file.busy = false;
      if (answer?.status === 200) deleted(file);
    },
    async deleteMany(files) {
      for (let file of files) {
        file.deletion = "asked";
        file.busy = true;
      }
      let body = new URLSearchParams(files.map(({ known }): [string, string] => ["id", String(known!.id)]));
      let answer = await ask("/files/delete", { method: "POST", body });
      for (let file of files) file.busy = false;
      if (answer === null || answer.status >= 300) return;
      let ids = new Set((answer.body as { deleted: number[] }).deleted);
      for (let file of files) if (ids.has(file.known!.id)) deleted(file);
    },
    async trash(files) {
      let answer = await aboutAll(files, "trashing", "/files/delete", { confirmed: "1" }, "text/html");
      if (answer?.status !== sentOn) return;
      for (let file of files) file.deletion = "trashed";
      ledger.tally.trashed += files.length;
    },
    async undo(files) {
      let answer = await aboutAll(files, "undoing", restorePath, {}, "application/json");
      if (answer === null || temporary.has(answer.status)) return;
      let ids = new Set((answer.body as { restored?: number[] }).restored);
      for (let file of files) {
        let isBack = ids.has(file.known!.id);
        file.deletion = isBack ? "none" : "trashed";
        if (isBack) ledger.tally.restored++;
        else ledger.tally.undoneTooLate++;
      }
    },
  };

  async function aboutAll(
    files: SentFile[],
    deletion: SentFile["deletion"],
    path: string,
    fields: Record<string, string>,
    accept: string,
  ): Promise<Answer | null> {
    for (let file of files) {
      file.deletion = deletion;
      file.busy = true;
    }
    let body = new URLSearchParams(fields);
    for (let { known } of files) body.append("id", String(known!.id));
    let answer = await ask(path, { method: "POST", body, headers: { Accept: accept }, redirect: "manual" });
    for (let file of files) file.busy = false;
    return answer;
  }
}

/** Without a Content-Length on the way. */
function inChunks(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at < bytes.length) controller.enqueue(bytes.slice(at, (at += 100_000)));
      else controller.close();
    },
  });
}
