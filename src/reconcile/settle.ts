import type { Recovery } from "../recover.ts";
import type { Journal } from "../state/journal.ts";

export interface SettleDeps {
  recovery: Pick<Recovery, "run" | "stop" | "claim" | "undoUpload">;
  journal: Pick<Journal, "open">;
  /** Uploads that came in pieces and can go on: not recovery's to undo. */
  canGoOn: ReadonlySet<string>;
  nowMs: number;
  /** How long a request may be on its way to a bucket after its sender has ended. */
  lateMs: number;
}

/**
 * Ends what the last server has left open in the journal, as its next start would. The second look that a server takes after
 * `lateMs` is taken at once where the upload is older than that; a younger one stays open for the server's next start.
 */
export async function settleJournal({
  recovery,
  journal,
  canGoOn,
  nowMs,
  lateMs,
}: SettleDeps): Promise<void> {
  for (let uid of canGoOn) recovery.claim(uid);
  await recovery.run();
  recovery.stop();
  for (let { kind, uid, createdAtMs } of journal.open()) {
    let isLate = nowMs - createdAtMs >= lateMs;
    if (kind === "upload" && isLate && !canGoOn.has(uid)) await recovery.undoUpload(uid);
  }
}
