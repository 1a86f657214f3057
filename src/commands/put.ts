import { shortBytes } from "../../views/format.ts";
import { AppError, toAppError } from "../errors.ts";
import { createProgress, type Progress, silentProgress } from "../put/progress.ts";
import { createRemote, parseServerUrl, type Remote, type Stored } from "../put/remote.ts";
import { sendFile } from "../put/send-file.ts";
import { sendStream } from "../put/send-stream.ts";
import { findSources, type Source, type Unsendable } from "../put/sources.ts";
import { createUnfinished, type Unfinished } from "../put/unfinished.ts";
import { MIB } from "../units.ts";
import type { CommandContext } from "./command.ts";
import { localUrl } from "./local-url.ts";
import { valueOf } from "./options.ts";

const defaultJobs = 3;
const maxJobs = 32;
/** As shells have it for a program that Ctrl-C ended. */
const interruptedExitCode = 130;
const failedExitCode = 1;

interface Run {
  remote: Remote;
  unfinished: Unfinished;
  progress: Progress;
  resumableBytes: number;
  signal: AbortSignal;
  /** Tells about one file, on stdout or stderr. */
  tell: (source: Pick<Source, "shownAs">, outcome: { stored: Stored } | { error: Error }) => void;
}

/**
 * Sends files to a running server. @returns the exit status: 0 when every file is stored, 1 when one is not, 130 after
 * Ctrl-C
 */
export async function runPut(context: CommandContext): Promise<number> {
  let { config, options, positionals, stdin, terminal } = context;
  let to = valueOf(options, "to");
  let remote = createRemote(
    to === undefined ? localUrl(config) : parseServerUrl(to),
    valueOf(options, "token") ?? config.token,
  );
  let jobs = jobsOf(valueOf(options, "jobs"));
  let name = valueOf(options, "name");
  let progress = terminal ? createProgress(terminal) : silentProgress;
  let interrupted = new AbortController();
  void context.stopSignal().then(() => interrupted.abort(new Error("interrupted")));

  let failed = 0;
  let run: Run = {
    remote,
    unfinished: createUnfinished(context.stateFolder, remote.baseUrl),
    progress,
    resumableBytes: config.resumable_from_mb * MIB,
    signal: interrupted.signal,
    tell(source, outcome) {
      if ("error" in outcome) failed++;
      report(context, progress, source, outcome);
    },
  };
  if (terminal) void countAhead(positionals, progress, run.signal);
  let queue = findSources(positionals, name);
  let work = async () => {
    for await (let source of queue) {
      if (run.signal.aborted) return;
      await sendOne(source, stdin, run);
    }
  };
  try {
    await Promise.all(Array.from({ length: jobs }, work));
  } finally {
    progress.close();
  }
  if (!run.signal.aborted) return failed > 0 ? failedExitCode : 0;
  context.stderr("Interrupted: the same command goes on where it stopped.\n");
  return interruptedExitCode;
}

async function sendOne(
  source: Source | Unsendable,
  stdin: () => AsyncIterable<Uint8Array>,
  run: Run,
): Promise<void> {
  if ("error" in source) return run.tell(source, source);
  let { file, filename } = source;
  let watch = run.progress.begin(source.shownAs, file?.sizeBytes ?? null);
  try {
    let deps = { ...run, watch };
    let stored = await (file ? sendFile({ ...source, file }, deps) : sendStream(filename, stdin(), deps));
    watch.end();
    run.tell(source, { stored });
  } catch (error) {
    watch.end();
    if (!run.signal.aborted) run.tell(source, { error: error as Error });
  }
}

/** What is to come, for the bar of all files; reading the folders again is cheaper than holding their names. */
async function countAhead(
  operands: readonly string[],
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  for await (let source of findSources(operands, undefined)) {
    if (signal.aborted) return;
    if (!("error" in source)) progress.expect(1, source.file?.sizeBytes ?? 0);
  }
}

function report(
  { options, stdout, stderr, terminal, stdoutIsTerminal }: CommandContext,
  progress: Progress,
  { shownAs }: Pick<Source, "shownAs">,
  outcome: { stored: Stored } | { error: Error },
): void {
  let onScreen = terminal ? progress.print : null;
  let result = (stdoutIsTerminal && onScreen) || stdout;
  if (options["json"]) result(`${JSON.stringify(asJson(shownAs, outcome))}\n`);
  else if ("error" in outcome) (onScreen ?? stderr)(`failed  ${shownAs}: ${outcome.error.message}\n`);
  else result(stdoutIsTerminal ? storedLine(shownAs, outcome.stored) : `${outcome.stored.url}\n`);
}

function storedLine(shownAs: string, { url, file, duplicate_of: duplicate }: Stored): string {
  let size = file ? `, ${shortBytes(file.size_bytes)}` : "";
  let same = duplicate === undefined ? "" : `, same bytes as ${duplicate}`;
  return `stored  ${shownAs}${size}${same}: ${url}\n`;
}

function asJson(shownAs: string, outcome: { stored: Stored } | { error: Error }) {
  if ("stored" in outcome) {
    let { file_id, url, duplicate_of, file } = outcome.stored;
    return { path: shownAs, success: true, file_id, url, duplicate_of, file };
  }
  let { message } = outcome.error;
  let code = "code" in outcome.error ? outcome.error.code : toAppError(outcome.error).code;
  return { path: shownAs, success: false, error: { code: code ?? "storage_unavailable", message } };
}

function jobsOf(given: string | undefined): number {
  if (given === undefined) return defaultJobs;
  let jobs = /^\d{1,3}$/.test(given) ? Number(given) : 0;
  if (jobs >= 1 && jobs <= maxJobs) return jobs;
  throw new AppError("invalid_parameter", `--jobs must be a whole number from 1 to ${maxJobs}.`);
}
