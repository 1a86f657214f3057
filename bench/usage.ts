import { readFileSync } from "node:fs";

/** Linux tells processor time in ticks of this length, on every architecture. */
const ticksPerSecond = 100;
const bytesPerKib = 1024;

/** Processor seconds (user and system) that a process has used so far. Linux only. */
export function cpuSeconds(pid: number): number {
  let stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The program's name, in brackets, may hold spaces: utime and stime are the 12th and 13th field after it.
  let fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** The most resident memory in bytes that a process ever had. Linux only. */
export function peakBytes(pid: number): number {
  let found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(found) * bytesPerKib;
}

export interface Usage {
  seconds: number;
  cpuSeconds: number;
  /** Since the process began. */
  peakBytes: number;
}

/** What a running process uses while `work` lasts. */
export async function measure(pid: number, work: () => Promise<unknown>): Promise<Usage> {
  let cpuBefore = cpuSeconds(pid);
  let startMs = performance.now();
  await work();
  let seconds = (performance.now() - startMs) / 1000;
  return { seconds, cpuSeconds: cpuSeconds(pid) - cpuBefore, peakBytes: peakBytes(pid) };
}
