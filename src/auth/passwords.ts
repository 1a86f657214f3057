import { randomInt } from "node:crypto";

import { AppError } from "../errors.ts";
import { KIB } from "../units.ts";

/** Above OWASP's least (19 MiB, two passes); one takes about 70 ms of a core, off the event loop. */
const usualCost: PasswordCost = { memoryCost: 32 * KIB, timeCost: 2 };
/** At the same time: each holds its 32 MiB, and uploads need the cores as well. */
const maxAtOnce = 2;
const maxWaiting = 50;

export const minPasswordCharacters = 10;
/**
 * A longer text would only cost time. As `String.length` counts, so that every way in has room for the longest: 4 bytes
 * in UTF-8 at most, 9 characters in a form.
 */
export const maxPasswordCharacters = 1000;
const generatedCharacters = 20;
/** Without those that are taken for others. */
const alphabet = "abcdefghjkmnpqrstuvwxyz23456789";

export interface PasswordCost {
  /** KiB. */
  memoryCost: number;
  timeCost: number;
}

export interface Passwords {
  /** Rejects with `invalid_parameter` for one that is too short or too long. */
  hash(password: string): Promise<string>;
  /**
   * Takes as long for a user that there is not (`hash` null) as for one that there is, so that time tells no names.
   * Rejects with `server_busy` when too many wait.
   */
  verify(password: string, hash: string | null): Promise<boolean>;
}

/** @param cost another one for tests, which hash a lot */
export function createPasswords(cost: PasswordCost = usualCost): Passwords {
  let argon2id = { algorithm: "argon2id", ...cost } as const;
  let running = 0;
  let waiting: (() => void)[] = [];
  let nobody: Promise<string> | null = null;

  /** The one before hands its place over, so that nobody can come in between. */
  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running < maxAtOnce) running += 1;
    else if (waiting.length < maxWaiting) await new Promise<void>((resolve) => waiting.push(resolve));
    else throw new AppError("server_busy", "Too many people are signing in; try again in a moment.");
    try {
      return await work();
    } finally {
      let next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  }

  return {
    async hash(password) {
      let given = checkPassword(password);
      return await inTurn(() => Bun.password.hash(given, argon2id));
    },
    async verify(password, hash) {
      let whole = normal(password);
      let given = whole.slice(0, maxPasswordCharacters);
      nobody ??= inTurn(() => Bun.password.hash(generatePassword(), argon2id));
      let other = await nobody;
      let fits = await inTurn(() => Bun.password.verify(given, hash ?? other));
      return fits && hash !== null && given.length === whole.length;
    },
  };
}

/** The password as it is hashed; throws AppError `invalid_parameter` for one that can't be used. */
export function checkPassword(password: string): string {
  let given = normal(password);
  if ([...given].length < minPasswordCharacters) {
    throw refused(
      `A password has at least ${minPasswordCharacters} characters; several words make a good one.`,
    );
  }
  if (given.length > maxPasswordCharacters) {
    throw refused(`A password has at most ${maxPasswordCharacters} characters.`);
  }
  return given;
}

function refused(message: string): AppError {
  return new AppError("invalid_parameter", message, { details: { parameter: "password" } });
}

/** About 99 bits, in groups that can be read out: `x7kqm-…`. */
export function generatePassword(): string {
  let characters = Array.from({ length: generatedCharacters }, () => alphabet[randomInt(alphabet.length)]);
  return characters.join("").replace(/.{5}(?=.)/g, "$&-");
}

/** The same letters can be typed in two ways. */
function normal(password: string): string {
  return password.toWellFormed().normalize("NFC");
}
