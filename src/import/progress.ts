import type { Clock } from "../clock.ts";
import type { Storage } from "../store/storage.ts";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../units.ts";
import type { ImportReport } from "./report.ts";

const onTerminalMs = 500;
const inLogMs = 10 * SECOND_MS;
/** What the time left is reckoned from: recent enough to follow a change from large objects to small ones. */
const rateWindowMs = 30 * SECOND_MS;

export interface Progress {
  /** Says how far it is one last time, where a line is still being written over. */
  stop(): void;
}

export interface ProgressDeps {
  report: ImportReport;
  storage: Pick<Storage, "list">;
  prefix: string;
  clock: Clock;
  write: (text: string) => void;
  /** One line that is written over; else a new line every ten seconds. */
  isTerminal: boolean;
}

/** Tells now and then how far an import is. How much there is in all a listing of its own counts meanwhile. */
export function showProgress({ report, storage, prefix, clock, write, isTerminal }: ProgressDeps): Progress {
  let total = { objects: 0, isKnown: false };
  let stopped = false;
  let shownColumns = 0;
  let samples = [{ atMs: clock.nowMs(), done: 0 }];

  async function count(): Promise<void> {
    for await (let object of storage.list(prefix)) {
      void object;
      total.objects++;
      if (stopped) return;
    }
    total.isKnown = true;
  }
  // Without a total there is no time left to tell; why it failed the import itself will meet.
  count().catch(() => {});

  function show(): void {
    let line = progressLine(finished(report), total, samples, clock.nowMs());
    if (!isTerminal) return write(`${line}\n`);
    write(`\r${line.padEnd(shownColumns)}`);
    shownColumns = line.length;
  }

  function tick(): void {
    let nowMs = clock.nowMs();
    samples.push({ atMs: nowMs, done: finished(report) });
    while (samples[1] && nowMs - samples[0]!.atMs > rateWindowMs) samples.shift();
    show();
  }
  let timer = setInterval(tick, isTerminal ? onTerminalMs : inLogMs);

  return {
    stop() {
      stopped = true;
      clearInterval(timer);
      if (!isTerminal || shownColumns === 0) return;
      show();
      write("\n");
    },
  };
}

/** Objects of which it is known what becomes of them. */
function finished({ adopted, recordedAlready, skipped, problemCounts }: ImportReport): number {
  let counts = [...Object.values(adopted), ...Object.values(skipped), ...Object.values(problemCounts)];
  return counts.reduce((sum, count) => sum + count, recordedAlready);
}

/** Exported for its test. */
export function progressLine(
  done: number,
  total: { objects: number; isKnown: boolean },
  samples: { atMs: number; done: number }[],
  nowMs: number,
): string {
  let oldest = samples[0] ?? { atMs: nowMs, done };
  let seconds = (nowMs - oldest.atMs) / SECOND_MS;
  let rate = seconds > 0 ? (done - oldest.done) / seconds : 0;
  let all = Math.max(total.objects, done);
  let of = total.isKnown ? `of ${plain(all)}` : `of at least ${plain(all)}`;
  let left = total.isKnown && rate > 0 ? `, ${duration(((all - done) / rate) * SECOND_MS)} left` : "";
  return `${plain(done)} ${of} objects, ${plain(Math.round(rate))} a second${left}`;
}

/** `1,234,567`. */
export function plain(count: number): string {
  return count.toLocaleString("en-GB");
}

/** `12 s`, `3 min`, `2 h 5 min`. */
export function duration(ms: number): string {
  if (ms < 2 * MINUTE_MS) return `${Math.ceil(ms / SECOND_MS)} s`;
  let minutes = Math.round(ms / MINUTE_MS);
  if (ms < 2 * HOUR_MS) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
