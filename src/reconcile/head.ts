import { type AppError, toAppError } from "../errors.ts";
import type { ObjectPlace } from "../state/journal.ts";
import type { ObjectInfo } from "../store/storage.ts";
import type { Audit } from "./audit.ts";

/** Failures in a row after which a place is not asked any more: each costs many seconds. */
const maxFailures = 20;

/** Storage's answer about one object, as `Audit.head` promises it. */
export function createHead(
  storageFor: Audit["storageFor"],
  notLooked: (place: ObjectPlace, error: AppError) => void,
): Audit["head"] {
  let failures = new Map<string, { count: number; last: AppError }>();

  return async function head(place): Promise<ObjectInfo | null | undefined> {
    let name = `${place.storage}:${place.bucket}`;
    let before = failures.get(name);
    if (before && before.count >= maxFailures) {
      notLooked(place, before.last);
      return undefined;
    }
    try {
      let found = await storageFor(place).head(place.key);
      failures.delete(name);
      return found;
    } catch (thrown) {
      let last = toAppError(thrown);
      if (last.code === "internal_error") throw thrown;
      // Others have been under way meanwhile.
      failures.set(name, { count: (failures.get(name)?.count ?? 0) + 1, last });
      notLooked(place, last);
      return undefined;
    }
  };
}
