import type { ReconcileListener } from "../reconcile/reconcile.ts";
import { MIB, SECOND_MS } from "../units.ts";

const showEveryMs = 200;
/** Back to the line's beginning, and nothing behind it. */
const eraseLine = "\r\u001B[K";

const phases = { looking: "Comparing", counting: "Counting", repairing: "Repairing" };

export interface ProgressLine {
  show: ReconcileListener["progress"];
  /** To be called before anything else is written. */
  clear(): void;
}

/** One line on a terminal's stderr that is written over again and again; nothing where nobody watches. */
export function createProgressLine(to: {
  stderr: (text: string) => void;
  isTerminal: boolean;
}): ProgressLine {
  let isShown = false;
  let phase: string | null = null;
  let begunMs = 0;
  let shownMs = 0;
  return {
    show(totals, current) {
      if (!to.isTerminal) return;
      let nowMs = performance.now();
      if (phase !== current) {
        phase = current;
        begunMs = nowMs;
      } else if (nowMs - shownMs < showEveryMs) return;
      shownMs = nowMs;
      let seconds = Math.max(nowMs - begunMs, 1) / SECOND_MS;
      let rate = (amount: number): string => `${Math.round(amount / seconds).toLocaleString("en")}`;
      let count = Math.max(totals.objects, totals.rows);
      let read =
        totals.readBytes > 0
          ? `, ${Math.round(totals.readBytes / MIB).toLocaleString("en")} MiB read, ${rate(totals.readBytes / MIB)} MiB/s`
          : "";
      to.stderr(
        `${eraseLine}${phases[current]}: ${count.toLocaleString("en")} objects, ${rate(count)}/s${read}`,
      );
      isShown = true;
    },
    clear() {
      if (isShown) to.stderr(eraseLine);
      isShown = false;
    },
  };
}
