import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type FaultProxy, type ProxyFault, startFaultProxy } from "../test/support/fault-proxy.ts";
import type { S3Server } from "../test/support/s3-servers/s3-server.ts";
import { check, type Subject } from "./check.ts";
import { createClient } from "./client.ts";
import { createContent } from "./content.ts";
import { openDatabases } from "./databases.ts";
import { commandOf, drawRecoveryKill, drawTrafficKill, type KillPlan, nameOf } from "./kill-plan.ts";
import { count, createLedger, type Tally } from "./ledger.ts";
import { bucketObjects, localObjects } from "./objects.ts";
import { createStarter, type Program } from "./program.ts";
import type { Random } from "./random.ts";
import { traffic } from "./traffic.ts";

/** A server that has not come to the planned instant by then is killed all the same. */
const longestRoundMs = 4_000;
/** What recovery gets to end every intent, the second look at unanswered calls included. */
const longestRecoveryMs = 60_000;
const pollMs = 10;
/** So that a run on a slow machine says something. */
const leastKills = 3;
/** Of the bucket's answer, in the server under test: seconds instead of a minute. */
const bucketTimeoutSeconds = "3";

export interface WorldOptions {
  name: string;
  /** Null: local storage. */
  server: S3Server | null;
  command: readonly string[];
  random: Random;
  tally: Tally;
  /** Share of S3 calls that go wrong. */
  faultShare: number;
  syscalls: boolean;
  /** Ends after so many kills; `goesOn` is asked before each. */
  kills: number;
  goesOn: () => boolean;
  onKill: () => void;
}

export interface Violation {
  world: string;
  round: number;
  /** What had been done to the server since the last time that all was well. */
  steps: string[];
  faults: string[];
  dataDir: string;
  log: string;
}

const honestFaults: ProxyFault[] = [
  { kind: "status", status: 500, code: "InternalError" },
  { kind: "status", status: 503, code: "SlowDown" },
  { kind: "status", status: 503, code: "SlowDown" },
  { kind: "status", status: 403, code: "AccessDenied" },
  { kind: "resetBefore" },
  { kind: "resetAfter" },
  { kind: "resetAfter" },
  { kind: "cutAnswer" },
  { kind: "cutRequest" },
  { kind: "late", ms: 100 },
  { kind: "arrivesLate", ms: 150 },
];

/**
 * One server on one data folder: starts it, lets it recover, checks it, loads it, kills it, and so on until `goesOn` says
 * no. Ends at the first violation, and then leaves the folder for looking.
 */
export async function runWorld(options: WorldOptions): Promise<Violation | null> {
  let { name, server, random, tally, faultShare } = options;
  let on: "local" | "s3" = server ? "s3" : "local";
  let dataDir = mkdtempSync(join(tmpdir(), `s3-uploads-torture-${name}-`));
  let proxy = server && (await startFaultProxy(server));
  let ledger = createLedger(tally);
  let subject: Subject = {
    dataDir,
    databases: openDatabases(dataDir),
    objects: server ? bucketObjects(server) : localObjects(dataDir),
    ledger,
    digests: new Map(),
  };
  let content = createContent(random.fork("content"));
  let duplicates = random.chance(0.5);
  let env = {
    ...(server && proxy ? bucketEnvironment(server, proxy) : {}),
    S3_UPLOADS_DUPLICATES: duplicates ? "link" : "store",
  };
  let starter = createStarter(options.command, dataDir, env);
  let steps: string[] = [];
  let wrongAnswers: string[] = [];
  let program: Program | null = null;
  let round = 0;
  let kills = 0;
  let isBroken = false;

  function killed(plan: string, during: string): void {
    tally.kills++;
    kills++;
    count(tally.killsBy, plan.replace(/[\d.]+ ms after the start/, "a random instant").replace(/ \d+$/, ""));
    steps.push(`killed in ${during} at ${plan}`);
    options.onKill();
  }

  function isEnough(): boolean {
    return kills >= options.kills || (kills >= leastKills && !options.goesOn());
  }

  /** Arms the proxy; strace is armed by the start. Resolves when the process has ended. */
  async function killAt(plan: KillPlan, target: Program, during: string): Promise<void> {
    let endedBy = nameOf(plan);
    function strike(): void {
      if (target.isRunning()) target.kill();
    }
    if (plan.kind === "call") {
      if (plan.operation === "HeadObject") prepareHead(proxy!);
      let { operation, nth, at } = plan;
      proxy!.script.fail(operation, { kind: "call", at, call: strike }, { skip: nth - 1 });
    }
    let timer = setTimeout(
      () => {
        if (plan.kind !== "instant") endedBy = "a random instant";
        strike();
      },
      plan.kind === "instant" ? plan.afterMs : longestRoundMs,
    );
    await target.exited;
    clearTimeout(timer);
    killed(endedBy, during);
  }

  function misbehave(draw: Random): void {
    if (faultShare > 0) proxy?.script.failRandomly(draw.between(0, 2 ** 31), faultShare, honestFaults);
  }

  /** A server that is up; one that strace has killed on its way is started once more, without. */
  async function startUp(plan: KillPlan): Promise<{ program: Program; page: string } | string> {
    for (let tries = 0; ; tries++) {
      program = starter.start(tries === 0 ? commandOf(plan) : []);
      let page = await program.up;
      if (page !== null) return { program, page };
      await program.exited;
      if (tries > 0) return `the server did not start: ${program.log()}`;
      if (plan.kind === "syscall") killed(nameOf(plan), "recovery");
    }
  }

  /** Waits until nothing is left to do; says what is when that does not come. */
  async function recovered(target: Program): Promise<string[] | "killed"> {
    let endMs = performance.now() + longestRecoveryMs;
    for (;;) {
      if (!target.isRunning()) return "killed";
      let open = subject.databases.unsettled();
      if (open.length === 0) return [];
      if (performance.now() > endMs) {
        return open.map((one) => `still open after ${longestRecoveryMs / 1000} s: ${JSON.stringify(one)}`);
      }
      await Bun.sleep(pollMs);
    }
  }

  /** Recovers, checks, and leaves the server running; null when the planned system call came too early. */
  async function settle(
    plan: KillPlan,
    deep = false,
  ): Promise<{ program: Program; page: string } | string[] | null> {
    proxy?.script.heal();
    let started = await startUp(plan);
    if (typeof started === "string") return [started];
    let open = await recovered(started.program);
    let faults = open === "killed" ? open : [...open, ...(await check(subject, deep))];
    if (faults === "killed" || !started.program.isRunning()) {
      await started.program.exited;
      killed(nameOf(plan), "recovery");
      return null;
    }
    faults = [...faults, ...wrongAnswers.splice(0)];
    if (faults.length > 0) return faults;
    steps.splice(0);
    return started;
  }

  /** What was begun in pieces can still come to its end. */
  async function finishAll(page: string): Promise<string[]> {
    let client = createClient(page, ledger, (what) => wrongAnswers.push(what));
    let open = [...ledger.files.values()].filter(({ known }) => known === null);
    for (let file of open) await client.resume(file, { pieceBytes: file.bytes.length });
    let unfinished = open.filter(({ known }) => known === null);
    return [
      ...unfinished.map((file) => `does not come to its end: ${file.name}`),
      ...wrongAnswers,
      ...(await check(subject)),
    ];
  }

  try {
    for (; ; round++) {
      let draw = random.fork(round);
      let last = isEnough();
      let plan: KillPlan = last
        ? { kind: "instant", afterMs: 0 }
        : drawTrafficKill(draw.fork("kill"), on, options.syscalls);
      let settled = await settle(plan, last);
      if (settled === null) continue;
      if (Array.isArray(settled)) return violation(settled);
      if (last) {
        let broken = await finishAll(settled.page);
        if (broken.length > 0) return violation(broken);
        settled.program.kill();
        await settled.program.exited;
        rmSync(dataDir, { recursive: true, force: true });
        return null;
      }

      misbehave(draw.fork("faults"));
      let { program: target, page } = settled;
      let client = createClient(page, ledger, (what) => wrongAnswers.push(what));
      let dying = killAt(plan, target, "traffic");
      await traffic(client, {
        round: `${name}-${round}`,
        random: draw.fork("traffic"),
        content,
        ledger,
        plan,
        duplicates,
        isRunning: target.isRunning,
      });
      await dying;
      for (let again = draw.fork("recovery"); again.chance(0.3) && !isEnough();) {
        proxy?.script.heal();
        if (again.chance(0.5)) misbehave(again);
        let early = drawRecoveryKill(again, on, options.syscalls);
        program = starter.start(commandOf(early));
        await killAt(early, program, "recovery");
      }
    }
  } finally {
    program?.kill();
    starter.close(isBroken);
    await proxy?.stop();
  }

  function violation(faults: string[]): Violation {
    isBroken = true;
    return { world: name, round, steps: [...steps], faults, dataDir, log: program?.log() ?? "" };
  }
}

/** Lets Complete do its work and then deny it, so that the server has to look for the object. */
function prepareHead({ script }: FaultProxy): void {
  script.fail("CompleteMultipartUpload", { kind: "resetAfter" });
  script.fail("CompleteMultipartUpload", { kind: "status", status: 404, code: "NoSuchUpload" });
}

function bucketEnvironment(server: S3Server, proxy: FaultProxy): Record<string, string> {
  return {
    S3_BUCKET: server.bucket,
    S3_REGION: server.region,
    S3_ENDPOINT_URL: proxy.endpointUrl,
    S3_TIMEOUT_S: bucketTimeoutSeconds,
    AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
  };
}
