import { shortBytes } from "../../views/format.ts";
import { type Board, createBoard, type Terminal } from "../terminal/board.ts";
import { createSpeed, type Speed } from "../terminal/speed.ts";
import { clipped, clockTime, fitted, padded } from "../terminal/text.ts";
import { SECOND_MS } from "../units.ts";
import type { SendWatch } from "./send-file.ts";

const mostBarColumns = 20;
/** Per cent, speed and time, and the gaps between them. */
const factColumns = 31;
const narrowestName = 16;

interface Line {
  name: string;
  /** Null when nobody knows. */
  totalBytes: number | null;
  bytes: number;
  speed: Speed;
  pause: { reason: string; untilMs: number } | null;
}

/** What is told about a file while it is sent. */
export interface FileProgress extends SendWatch {
  end(): void;
}

export interface Progress {
  begin(name: string, totalBytes: number | null): FileProgress;
  /** Raises what is known to come. */
  expect(files: number, bytes: number): void;
  /** A line that stays, above the others. */
  print(text: string): void;
  close(): void;
}

/** A bar for each file under way and one for all, on a terminal. */
export function createProgress(terminal: Terminal): Progress {
  let lines = new Set<Line>();
  let expected = { files: 0, bytes: 0 };
  let done = { files: 0, bytes: 0 };
  let speed = createSpeed();

  function shown(columns: number): string[] {
    let nowMs = performance.now();
    let room = columns - factColumns;
    let barColumns = Math.max(0, Math.min(mostBarColumns, room - 2 * narrowestName));
    let nameColumns = Math.max(narrowestName, room - barColumns);
    let bytes = done.bytes + lines.values().reduce((sum, line) => sum + line.bytes, 0);
    speed.mark(bytes, nowMs);
    let all = { name: allName(), totalBytes: Math.max(expected.bytes, bytes), bytes, speed, pause: null };
    let several = expected.files > 1 ? [all] : [];
    return [...lines, ...several].map((line) =>
      clipped(lineText(line, { nameColumns, barColumns }, nowMs), columns),
    );
  }

  function allName(): string {
    return `${done.files} of ${Math.max(expected.files, done.files + lines.size)} files`;
  }

  let board: Board = createBoard(terminal, shown);
  return {
    begin(name, totalBytes) {
      let line: Line = { name, totalBytes, bytes: 0, speed: createSpeed(), pause: null };
      lines.add(line);
      return {
        onBytes(bytes) {
          line.bytes = bytes;
          line.pause = null;
          line.speed.mark(bytes, performance.now());
        },
        onPause: (reason, ms) => (line.pause = { reason, untilMs: performance.now() + ms }),
        end() {
          lines.delete(line);
          done.files++;
          done.bytes += line.totalBytes ?? line.bytes;
        },
      };
    },
    expect(files, bytes) {
      expected.files += files;
      expected.bytes += bytes;
    },
    print: (text) => board.print(text),
    close: () => board.close(),
  };
}

function lineText(
  { name, totalBytes, bytes, speed, pause }: Line,
  { nameColumns, barColumns }: { nameColumns: number; barColumns: number },
  nowMs: number,
): string {
  let short = fitted(name, nameColumns);
  if (pause) {
    let seconds = Math.max(0, Math.ceil((pause.untilMs - nowMs) / SECOND_MS));
    return `${short}  again in ${seconds} s: ${pause.reason}`;
  }
  let left = padded(short, nameColumns);
  let rate = speed.perSecond();
  let fast = rate > 0 ? `${shortBytes(rate)}/s` : "";
  if (totalBytes === null) return `${left}  ${shortBytes(bytes)}  ${fast}`;
  let share = totalBytes === 0 ? 1 : Math.min(1, bytes / totalBytes);
  let full = Math.floor(share * barColumns);
  let bar = "█".repeat(full) + "░".repeat(barColumns - full);
  let percent = `${Math.floor(share * 100)} %`.padStart(5);
  return `${left}  ${bar} ${percent}  ${fast.padStart(9)}  ${share < 1 ? clockTime((totalBytes - bytes) / rate) : ""}`;
}

/** For what is no terminal: quiet. */
export const silentProgress: Progress = {
  begin: () => ({ onBytes() {}, onPause() {}, end() {} }),
  expect() {},
  print() {},
  close() {},
};
