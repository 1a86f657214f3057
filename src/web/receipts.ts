import type { UploadResultView } from "../../views/props.ts";
import type { Clock } from "../clock.ts";
import { HOUR_MS } from "../units.ts";

const lifeMs = HOUR_MS;
const mostReceipts = 500;

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
  return {
    keep(results) {
      let name = crypto.randomUUID();
      receipts.set(name, { results, keptAtMs: clock.nowMs() });
      for (let oldest of receipts.keys()) {
        if (receipts.size <= mostReceipts) break;
        receipts.delete(oldest);
      }
      return name;
    },
    find(name) {
      let receipt = receipts.get(name);
      return receipt && clock.nowMs() - receipt.keptAtMs < lifeMs ? receipt.results : null;
    },
  };
}
