import { AppError, toAppError } from "../errors.ts";
import { successorOf, type TextRange } from "../record/catalog-audit.ts";
import { compareByteOrder } from "../store/byte-order.ts";
import type { ObjectInfo, Storage } from "../store/storage.ts";
import { SECOND_MS } from "../units.ts";

const pageObjects = 1000;
/** Tries without a single new key before a listing is given up; storage itself has tried each call several times. */
const maxTries = 3;
const firstPauseMs = SECOND_MS / 2;

export interface ListedPage {
  objects: ObjectInfo[];
  /** Every key of the prefix in this range is in `objects`, as of when it was listed. */
  range: TextRange;
  isLast: boolean;
}

/**
 * A listing in pages whose ranges lie end to end over the whole `range`. A listing that breaks off is taken up behind its
 * last key. Rejects with the storage's error when that does not help, and with `storage_error` when keys come out of order:
 * then nothing can be compared.
 *
 * @param range of the prefix
 */
export async function* listPages(
  storage: Pick<Storage, "list" | "bucket">,
  prefix: string,
  range: TextRange,
  pauseMs = firstPauseMs,
): AsyncGenerator<ListedPage> {
  let from = range.from;
  let page: ObjectInfo[] = [];
  let last = "";
  let failures = 0;
  for (;;) {
    try {
      for await (let info of storage.list(prefix, last === "" ? {} : { startAfter: last })) {
        if (last !== "" && compareByteOrder(info.key, last) <= 0) throw outOfOrder(storage.bucket, info.key);
        last = info.key;
        failures = 0;
        page.push(info);
        if (page.length < pageObjects) continue;
        let before = successorOf(last);
        yield { objects: page, range: { from, before }, isLast: false };
        from = before;
        page = [];
      }
      break;
    } catch (thrown) {
      let error = toAppError(thrown);
      if (error.code !== "storage_unavailable" || ++failures >= maxTries) throw error;
      await Bun.sleep(pauseMs * 2 ** (failures - 1));
    }
  }
  yield { objects: page, range: { from, before: range.before }, isLast: true };
}

function outOfOrder(bucket: string, key: string): AppError {
  return new AppError(
    "storage_error",
    `The bucket "${bucket}" does not list its keys in order (at ${JSON.stringify(key)}): it can't be compared with the catalog.`,
  );
}
