import type { Database } from "bun:sqlite";
import { userInfo } from "node:os";

import type { Clock } from "../clock.ts";
import type { JsonObject } from "../domain.ts";
import { type AuditEvent, createAudit, requesterOnMachine } from "../state/audit.ts";
import { createWriteBehind } from "../state/write-behind.ts";

/** Writes down what somebody did by a command on this machine. On disk when it returns, or AppError. */
export function auditCommand(db: Database, clock: Clock, event: AuditEvent, detail: JsonObject): void {
  let behind = createWriteBehind(db);
  createAudit(db, behind, clock).write(event, requesterOnMachine(`command line, ${systemUser()}`), detail);
  // What could not be written at once must not be lost with the process.
  behind.flush();
}

/** A name is not known to everybody who runs commands: services and containers often have a number only. */
function systemUser(): string {
  let { username, uid } = userInfo();
  return username === "unknown" ? `user ${uid}` : `user ${username}`;
}
