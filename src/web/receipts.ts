import type { UploadResultView } from "../../views/props.ts";
import type { Clock } from "../clock.ts";
import { HOUR_MS } from "../units.ts";

const lifeMs = HOUR_MS;
/** Files in all receipts together: a form may have a thousand, and each tells some kilobytes. */
const mostResults = 5_000;

/** What became of the files of a form, for the page that a browser is sent to afterwards. */
export interface Receipts {
  /** @returns a name that can't be guessed */
  keep(results: UploadResultView[]): string;
  /** Null when it is too old, or the server was started anew. */
  find(name: string): UploadResultView[] | null;
}

/**
 * In memory and bounded: a receipt only has to outlive a redirect and some reloads. So that reloading the answer to a form
 * never sends its files again.
 */
export function createReceipts(clock: Clock): Receipts {
  let receipts = new Map<string, { results: UploadResultView[]; keptAtMs: number }>();
  let kept = 0;

  /** Oldest first: the map is in the order of keeping. */
  function forget(isTooMuch: (keptAtMs: number) => boolean): void {
    for (let [name, { results, keptAtMs }] of receipts) {
      if (!isTooMuch(keptAtMs)) return;
      receipts.delete(name);
      kept -= results.length;
    }
  }

  return {
    keep(results) {
      let name = crypto.randomUUID();
      kept += results.length;
      forget((keptAtMs) => kept > mostResults || clock.nowMs() - keptAtMs >= lifeMs);
      receipts.set(name, { results, keptAtMs: clock.nowMs() });
      return name;
    },
    find(name) {
      let receipt = receipts.get(name);
      return receipt && clock.nowMs() - receipt.keptAtMs < lifeMs ? receipt.results : null;
    },
  };
}
