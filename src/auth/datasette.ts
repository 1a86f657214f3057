import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { inflateSync } from "node:zlib";

import type { Clock } from "../clock.ts";
import { KIB, SECOND_MS } from "../units.ts";

/** Who has signed in to Datasette; `id` is what permissions go by. */
export interface DatasetteActor {
  id: string;
  name: string;
}

export const datasetteCookieName = "ds_actor";

/** Browsers keep no larger cookies. */
const maxCookieCharacters = 4 * KIB;
const maxActorBytes = 64 * KIB;
const maxIdCharacters = 200;
/** Of Datasette's utils/baseconv.py: not the usual order. */
const base62 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrstuvwxyz";

/**
 * Reads Datasette's `ds_actor` cookie. Datasette signs it by itsdangerous' URLSafeSerializer with the namespace `actor`:
 *
 *     [.]base64url(JSON, deflated when it begins with a dot) . base64url(HMAC-SHA1)
 *     key of the HMAC: SHA1("actor" + "signer" + secret)        ("django-concat", itsdangerous' default)
 *     JSON: {"a": actor, "e": end in seconds since 1970, in base 62, where it has one}
 *
 * Null for a cookie that this secret has not signed, one that is over, and an actor without an id.
 */
export function createDatasetteCookie(
  secret: string,
  clock: Clock,
): (cookie: string) => DatasetteActor | null {
  let key = createHash("sha1").update("actorsigner").update(secret).digest();

  return (cookie) => {
    if (cookie.length > maxCookieCharacters) return null;
    let dot = cookie.lastIndexOf(".");
    if (dot < 0) return null;
    let payload = cookie.slice(0, dot);
    let wanted = createHmac("sha1", key).update(payload).digest();
    let given = Buffer.from(cookie.slice(dot + 1), "base64url");
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return null;
    let value = parse(payload);
    if (!isMapping(value) || isOver(value["e"], clock.nowMs())) return null;
    return actorOf(value["a"]);
  };
}

/** What is signed may still be large or strange: Datasette's plugins put into it what they like. */
function parse(payload: string): unknown {
  try {
    let isDeflated = payload.startsWith(".");
    let bytes = Buffer.from(isDeflated ? payload.slice(1) : payload, "base64url");
    let json = isDeflated ? inflateSync(bytes, { maxOutputLength: maxActorBytes }) : bytes;
    return JSON.parse(json.toString("utf8"));
  } catch {
    return null;
  }
}

function isOver(end: unknown, nowMs: number): boolean {
  // As Datasette does: what says nothing has no end.
  if (end === undefined || end === null || end === "" || end === 0 || end === false) return false;
  if (typeof end !== "string") return true;
  let seconds = 0;
  for (let digit of end) {
    let worth = base62.indexOf(digit);
    if (worth < 0) return true;
    seconds = seconds * base62.length + worth;
  }
  return nowMs > seconds * SECOND_MS;
}

function actorOf(actor: unknown): DatasetteActor | null {
  if (!isMapping(actor)) return null;
  let id = typeof actor["id"] === "number" ? String(actor["id"]) : actor["id"];
  if (typeof id !== "string" || id === "" || id.length > maxIdCharacters) return null;
  return { id, name: id };
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
