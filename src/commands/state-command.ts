import { join, resolve } from "node:path";

import type { Clock } from "../clock.ts";
import type { JsonObject } from "../domain.ts";
import { AppError } from "../errors.ts";
import { closeDatabase, isNewDatabase } from "../sqlite.ts";
import type { AuditEvent } from "../state/audit.ts";
import { openStateDatabase } from "../state/database.ts";
import { type Scope, SCOPES } from "../state/scopes.ts";
import { MIB } from "../units.ts";
import { auditCommand } from "./audit-command.ts";
import { type CommandOptions, valueOf } from "./options.ts";

/** What the commands share that change the private database beside a running server. */

type StateDatabase = ReturnType<typeof openStateDatabase>;

/** Writes into the audit log what the command has done. */
export type Tell = (event: AuditEvent, detail: JsonObject) => void;

interface StateCommand {
  dataDir: string;
  clock: Clock;
  stderr: (text: string) => void;
}

/**
 * The private database until the end of the scope that has it, and the way into its audit log. One that is made here is
 * told of: whoever runs a command in another folder than the server's would else wonder why it changes nothing there.
 */
export function openState({ dataDir, clock, stderr }: StateCommand) {
  let path = join(dataDir, "internal", "state.db");
  let isNew = isNewDatabase(path);
  let isLost = isNew && !isNewDatabase(join(dataDir, "uploads.db"));
  let db = openStateDatabase(path);
  if (isLost) {
    stderr(
      `${resolve(path)} is new, but the catalog is not: tokens, users and invitations of before are gone.\n`,
    );
  } else if (isNew) {
    stderr(`The data folder ${resolve(dataDir)} is new: a server with another one knows nothing of this.\n`);
  }
  let tell: Tell = (event, detail) => auditCommand(db, clock, event, detail);
  return { db, tell, [Symbol.dispose]: () => closeDatabase(db) };
}

export async function withState<T>(
  command: StateCommand,
  work: (db: StateDatabase, tell: Tell) => T | Promise<T>,
): Promise<T> {
  using state = openState(command);
  return await work(state.db, state.tell);
}

/** Throws AppError `invalid_parameter` that names the option. */
export function parseScopes(text: string): Scope[] {
  let words = text.split(",").map((word) => word.trim().toLowerCase());
  let unknown = words.find((word) => !SCOPES.some((scope) => scope === word));
  if (unknown !== undefined) {
    throw misused(`“${unknown}” is no scope; there are ${SCOPES.join(", ")}.`, "--scope");
  }
  return SCOPES.filter((scope) => words.includes(scope));
}

/** The value of an option as a whole number from 1 on; null when it was not given. */
export function countOption(options: CommandOptions, name: string): number | null {
  let text = valueOf(options, name);
  if (text === undefined) return null;
  if (/^[1-9]\d{0,8}$/.test(text.trim())) return Number(text);
  throw misused(`--${name} takes a whole number from 1 on, not “${text}”.`, `--${name}`);
}

/** `--max-mb` in bytes, or null. */
export function maxBytesOption(options: CommandOptions): number | null {
  let mebibytes = countOption(options, "max-mb");
  return mebibytes === null ? null : mebibytes * MIB;
}

export function misused(sentence: string, parameter?: string): AppError {
  return new AppError(
    "invalid_parameter",
    sentence,
    parameter === undefined ? {} : { details: { parameter } },
  );
}
