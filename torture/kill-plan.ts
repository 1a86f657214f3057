import type { Operation } from "../test/support/s3-fake/faults.ts";
import type { Random } from "./random.ts";

/** When a server is killed. */
export type KillPlan =
  | { kind: "instant"; afterMs: number }
  /** Between server and bucket: before the n-th call of its kind is passed on, or when it is done and not yet answered. */
  | { kind: "call"; operation: Operation; nth: number; at: "before" | "after" }
  /** By strace, when a thread enters the system call for the n-th time. */
  | { kind: "syscall"; name: string; nth: number };

const longestTrafficMs = 250;
const longestStartMs = 120;

type Weighted<T> = readonly (readonly [what: T, most: number])[];

/** With the highest n that is drawn; of what comes seldom only the first can be waited for. */
const trafficCalls: Weighted<Operation> = [
  ["CreateMultipartUpload", 2],
  ["UploadPart", 4],
  ["CompleteMultipartUpload", 2],
  ["PutObject", 6],
  ["DeleteObject", 3],
  ["AbortMultipartUpload", 1],
  ["HeadObject", 1],
];
const recoveryCalls: Weighted<Operation> = [
  ["ListObjectsV2", 1],
  ["AbortMultipartUpload", 2],
  ["ListMultipartUploads", 3],
  ["DeleteObject", 3],
];
/** Counted in each thread: the pool's threads share what is not SQLite's. */
const localSyscalls: Weighted<string> = [
  ["fsync", 6],
  ["fdatasync", 6],
  ["rename", 3],
  ["unlink", 2],
  ["pwrite64", 90],
];
const sqliteSyscalls: Weighted<string> = [
  ["fdatasync", 6],
  ["pwrite64", 80],
];

/** @param syscalls false where there is no strace */
export function drawTrafficKill(random: Random, on: "local" | "s3", syscalls: boolean): KillPlan {
  let share = random.next();
  if (share < 0.35) return { kind: "instant", afterMs: random.next() * longestTrafficMs };
  if (on === "s3" && share < 0.85) return drawCall(random, trafficCalls);
  if (!syscalls) return { kind: "instant", afterMs: random.next() * longestTrafficMs };
  return drawSyscall(random, on === "s3" ? sqliteSyscalls : localSyscalls);
}

/** A kill of a server that has just been started over what the one before has left. */
export function drawRecoveryKill(random: Random, on: "local" | "s3", syscalls: boolean): KillPlan {
  let share = random.next();
  if (on === "s3" && share < 0.5) return drawCall(random, recoveryCalls);
  if (syscalls && share > 0.8) return drawSyscall(random, on === "s3" ? sqliteSyscalls : localSyscalls);
  return { kind: "instant", afterMs: random.next() * longestStartMs };
}

function drawCall(random: Random, calls: Weighted<Operation>): KillPlan {
  let [operation, most] = random.pick(calls);
  return { kind: "call", operation, nth: random.between(1, most), at: random.pick(["before", "after"]) };
}

function drawSyscall(random: Random, calls: Weighted<string>): KillPlan {
  let [name, most] = random.pick(calls);
  return { kind: "syscall", name, nth: random.between(1, most) };
}

/** The command that runs a server so that the plan comes true; empty when nothing of the kind is needed. */
export function commandOf(plan: KillPlan): string[] {
  if (plan.kind !== "syscall") return [];
  let { name, nth } = plan;
  // no --seccomp-bpf: with it the signal is not sent
  return [
    "strace",
    "-Dfqq",
    "--output=/dev/null",
    `--trace=${name}`,
    `--inject=${name}:signal=SIGKILL:when=${nth}`,
  ];
}

export function nameOf(plan: KillPlan): string {
  switch (plan.kind) {
    case "instant":
      return `${plan.afterMs.toFixed(1)} ms after the start`;
    case "call":
      return `${plan.at} ${plan.operation} ${plan.nth}`;
    case "syscall":
      return `${plan.name} ${plan.nth}`;
  }
}
