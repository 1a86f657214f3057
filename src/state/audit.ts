import type { Database } from "bun:sqlite";

import type { Clock } from "../clock.ts";
import type { Json, JsonObject, Requester } from "../domain.ts";
import { immediately, translatedFor } from "../sqlite.ts";
import { DAY_MS, MINUTE_MS } from "../units.ts";
import type { WriteBehind } from "./write-behind.ts";

/** What is written down; the list grows, and old rows keep their words. */
export const AUDIT_EVENTS = [
  "sign_in",
  "sign_in_failed",
  "sign_out",
  "sign_out_everywhere",
  "password_changed",
  "upload",
  "delete",
  "restore",
  "token_created",
  "token_revoked",
  "user_added",
  "user_changed",
  "user_removed",
  "invitation_created",
  "invitation_revoked",
  "server_started",
  "server_stopped",
] as const;
export type AuditEvent = (typeof AUDIT_EVENTS)[number];

/** Of `detail_json`, as the table has it. */
const maxDetailChars = 4096;
const maxDetailTextChars = 500;
const maxDetailListItems = 50;
/**
 * Anybody can fail to sign in: what all of them together may add to the log in a minute. Each sender is slowed down before
 * (auth/attempts.ts); this is for very many of them.
 */
const maxFailuresPerMinute = 300;
const maxActorChars = 200;
const maxAddressChars = 64;
const maxRequestIdChars = 64;

export interface AuditEntry {
  id: number;
  /** Milliseconds since 1970. */
  atMs: number;
  event: string;
  by: Requester;
  detail: JsonObject;
}

export interface AuditQuery {
  /** Exact. */
  event?: string;
  /** Null: nobody in particular. */
  actor?: string | null;
  /** A day in UTC, as `2026-11-23`. */
  day?: string;
  /** Entries older than the one with this id. */
  beforeId?: number;
  /** Most entries. */
  size: number;
}

/** Where events are told. */
export interface AuditLog {
  /**
   * Writes down what has happened. At once, except `later`: then together with the next close of the journal, or within a
   * quarter of a second. Never throws: texts are cut, a detail that is too long is left out, and while the database can't
   * be written the entries wait.
   */
  write(event: AuditEvent, by: Requester, detail?: JsonObject, when?: "later"): void;
}

/** The audit log in the private database. Faults throw AppError. */
export interface Audit extends AuditLog {
  /** The newest first. */
  list(query: AuditQuery): AuditEntry[];
  /** The newest entry of an event, or null. */
  last(event: AuditEvent): AuditEntry | null;
  /** Whether an event about a file is written down since then. */
  knows(event: AuditEvent, uid: string, sinceMs: number): boolean;
  /** Forgets what is older than these days. */
  forget(olderThanDays: number): void;
}

interface AuditRow {
  id: number;
  at_ms: number;
  event: string;
  actor: string | null;
  address: string | null;
  request_id: string | null;
  detail_json: string;
}

export const noAudit: AuditLog = { write() {} };

/** The server itself, and commands: nobody asked by a request. */
export function requesterOnMachine(actor: string): Requester {
  return { actor, address: null, requestId: null };
}

/** @param db the private database of `openStateDatabase`, whose writes behind `behind` collects */
export function createAudit(db: Database, behind: WriteBehind, clock: Clock): Audit {
  let translated = translatedFor(db);
  let insert = db.prepare<unknown, [number, string, string | null, string | null, string | null, string]>(
    "INSERT INTO audit (at_ms, event, actor, address, request_id, detail_json) VALUES (?, ?, ?, ?, ?, ?)",
  );
  let selectAbout = db.prepare<{ id: number }, [number, string, string]>(
    `SELECT id FROM audit WHERE at_ms >= ? AND event = ? AND detail_json ->> 'uid' = ? LIMIT 1`,
  );
  let moveRetention = db.prepare<unknown, [number]>("UPDATE audit_retention SET forget_before_ms = ?1");
  let forget = db.prepare<unknown, [number]>("DELETE FROM audit WHERE at_ms < ?1");

  function list({ event, actor, day, beforeId, size }: AuditQuery): AuditEntry[] {
    let fromMs = day === undefined ? undefined : Date.parse(`${day}T00:00:00Z`);
    let conditions: [sql: string, value: string | number | null | undefined][] = [
      ["id < ?", beforeId],
      ["event = ?", event],
      ["actor IS ?", actor],
      ["at_ms >= ?", fromMs],
      ["at_ms < ?", fromMs && fromMs + DAY_MS],
    ];
    let given = conditions.flatMap(([sql, value]) => (value === undefined ? [] : [{ sql, value }]));
    let where = given.length === 0 ? "" : `WHERE ${given.map(({ sql }) => sql).join(" AND ")}`;
    // One statement for each set of filters, so that each finds its index.
    return db
      .query<AuditRow, (string | number | null)[]>(`SELECT * FROM audit ${where} ORDER BY id DESC LIMIT ?`)
      .all(...given.map(({ value }) => value), size)
      .map(toEntry);
  }

  let failures = { minute: 0, count: 0 };

  /** True as well for the first one that is too many, so that the log tells of it. */
  function isWorthWriting(event: AuditEvent, atMs: number): boolean {
    if (event !== "sign_in_failed") return true;
    let minute = Math.floor(atMs / MINUTE_MS);
    if (failures.minute !== minute) failures = { minute, count: 0 };
    failures.count += 1;
    return failures.count <= maxFailuresPerMinute + 1;
  }

  return {
    write(event, { actor, address, requestId }, given = {}, when) {
      let atMs = clock.nowMs();
      if (!isWorthWriting(event, atMs)) return;
      let isFlood = event === "sign_in_failed" && failures.count > maxFailuresPerMinute;
      let detail = isFlood ? { left_out: "the other failures of this minute" } : given;
      let json = detailText(detail);
      let insertRow = () =>
        insert.run(
          atMs,
          event,
          bounded(actor, maxActorChars),
          bounded(address, maxAddressChars),
          bounded(requestId, maxRequestIdChars),
          json,
        );
      if (when === "later") return behind.later(insertRow);
      try {
        behind.commit("write the audit log", insertRow);
      } catch {
        // What is told of has happened: it must not fail for this. What waits is written as soon as that can be done.
        behind.later(insertRow);
      }
    },
    list: (query) =>
      translated("read the audit log", () => {
        behind.flush();
        return list(query);
      }),
    last: (event) => translated("read the audit log", () => list({ event, size: 1 })[0] ?? null),
    knows: (event, uid, sinceMs) =>
      translated("read the audit log", () => selectAbout.get(sinceMs, event, uid) !== null),
    forget: (olderThanDays) =>
      translated("forget old entries of the audit log", () =>
        immediately(db, () => {
          let beforeMs = Math.max(0, clock.nowMs() - olderThanDays * DAY_MS);
          moveRetention.run(beforeMs);
          forget.run(beforeMs);
        }),
      ),
  };
}

function toEntry(row: AuditRow): AuditEntry {
  let { id, at_ms: atMs, event, actor, address, request_id: requestId } = row;
  let detail: JsonObject = JSON.parse(row.detail_json);
  return { id, atMs, event, by: { actor, address, requestId }, detail };
}

/** Null for an empty text as well, which says nothing. */
function bounded(text: string | null, maxChars: number): string | null {
  return text?.toWellFormed().slice(0, maxChars).toWellFormed() || null;
}

function detailText(detail: JsonObject): string {
  let text = JSON.stringify(shortened(detail));
  return text.length <= maxDetailChars ? text : '{"left_out":"the detail is too long"}';
}

function shortened(value: Json): Json {
  if (typeof value === "string") {
    return value.length <= maxDetailTextChars
      ? value
      : `${value.slice(0, maxDetailTextChars).toWellFormed()}…`;
  }
  if (Array.isArray(value)) {
    let kept = value.slice(0, maxDetailListItems).map(shortened);
    return kept.length === value.length ? kept : [...kept, `and ${value.length - kept.length} more`];
  }
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, shortened(one)]));
}
