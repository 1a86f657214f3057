import { shortBytes } from "../../views/format.ts";
import { AppError, toAppError } from "../errors.ts";
import { type Earlier, openEarlier } from "../put/earlier.ts";
import { findPage } from "../put/find-page.ts";
import { persist } from "../put/persist.ts";
import { createPieces, type Pieces } from "../put/pieces.ts";
import { createProgress, type FileProgress, type Progress, silentProgress } from "../put/progress.ts";
import { RemoteError } from "../put/remote-error.ts";
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
/** Some ten seconds: nothing is lost when the next run has to ask. */
const mostAskingTries = 5;
/** As shells have it for a program that Ctrl-C ended. */
const interruptedExitCode = 130;
const failedExitCode = 1;

interface Run {
  remote: Remote;
  unfinished: Unfinished;
  earlier: Earlier;
  pieces: Pieces;
  progress: Progress;
  resumableBytes: number;
  idempotencyKeyOf: Earlier["idempotencyKeyOf"];
  signal: AbortSignal;
  /** Tells about one file, on stdout or stderr. */
  tell: (source: Pick<Source, "shownAs">, outcome: Outcome) => void;
}

/** `wasEarlier`: by an earlier run of the same command. */
type Outcome = { stored: Stored; wasEarlier: boolean } | { error: Error };

/**
 * Sends files to a running server. @returns the exit status: 0 when every file is stored, 1 when one is not, 130 after
 * Ctrl-C
 */
export async function runPut(context: CommandContext): Promise<number> {
  let { options, positionals, stdin, terminal } = context;
  let jobs = jobsOf(valueOf(options, "jobs"));
  checkInput(positionals, valueOf(options, "name"));
  let progress = terminal ? createProgress(terminal) : silentProgress;
  let interrupted = new AbortController();
  let { signal } = interrupted;
  void context.stopSignal().then(() => interrupted.abort(new Error("interrupted")));

  let found = 0;
  let failed = 0;
  try {
    let run = await prepare(context, progress, signal, (isError) => {
      if (isError) failed++;
    });
    if (terminal) void countAhead(positionals, progress, signal);
    let queue = findSources(positionals, valueOf(options, "name"));
    let work = async () => {
      for await (let source of queue) {
        if (signal.aborted) return;
        found++;
        await sendOne(source, stdin, run);
      }
    };
    await Promise.all(Array.from({ length: jobs }, work));
    if (failed === 0 && !signal.aborted) await run.earlier.forget();
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    progress.close();
  }
  if (signal.aborted) {
    let goesOn = positionals.some((operand) => operand !== "-");
    context.stderr(goesOn ? "Interrupted: the same command goes on where it stopped.\n" : "Interrupted.\n");
    return interruptedExitCode;
  }
  if (found === 0)
    context.stderr("There is no file to send: hidden files and links in folders are left out.\n");
  return failed > 0 ? failedExitCode : 0;
}

async function prepare(
  context: CommandContext,
  progress: Progress,
  signal: AbortSignal,
  onOutcome: (isError: boolean) => void,
): Promise<Run> {
  let { config, options, positionals, stateFolder } = context;
  let to = valueOf(options, "to");
  let given = to === undefined ? localUrl(config) : parseServerUrl(to);
  let isTold = false;
  let page = await findPage(given, signal, (reason) => {
    if (!isTold) progress.print(`${reason}; trying again for a while\n`);
    isTold = true;
  });
  let token = valueOf(options, "token") ?? config.token;
  let earlier = await openEarlier(stateFolder, [page, token ?? "", process.cwd(), ...positionals]);
  return {
    remote: createRemote(page, token),
    unfinished: createUnfinished(stateFolder, page),
    earlier,
    pieces: createPieces(),
    progress,
    resumableBytes: config.resumable_from_mb * MIB,
    idempotencyKeyOf: earlier.idempotencyKeyOf,
    signal,
    tell(source, outcome) {
      onOutcome("error" in outcome);
      report(context, progress, source, outcome);
    },
  };
}

async function sendOne(
  source: Source | Unsendable,
  stdin: () => AsyncIterable<Uint8Array>,
  run: Run,
): Promise<void> {
  if ("error" in source) return run.tell(source, source);
  let { file, filename } = source;
  let { earlier, signal } = run;
  let watch = run.progress.begin(source.shownAs, file?.sizeBytes ?? null);
  try {
    let known = earlier.find(source);
    if (known && !(await isThereStill(known, run, watch.onPause))) known = null;
    let deps = { ...run, watch };
    let send = () => (file ? sendFile({ ...source, file }, deps) : sendStream(filename, stdin(), deps));
    let stored = known ?? (await send());
    if (!known) await earlier.remember(source, stored);
    await run.unfinished.forget(source);
    watch.end();
    run.tell(source, { stored, wasEarlier: known !== null });
  } catch (error) {
    watch.end();
    if (!signal.aborted) run.tell(source, { error: error as Error });
  }
}

/** Nobody is told that a file is stored because an earlier run was told so: it may have been deleted since. */
async function isThereStill(
  stored: Stored,
  { remote, signal }: Run,
  onPause: FileProgress["onPause"],
): Promise<boolean> {
  try {
    return await persist(() => remote.isThere(stored, signal), signal, onPause, mostAskingTries);
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    throw new AppError(
      "storage_unavailable",
      `it was stored by an earlier run, and the server can't be asked whether it is there still: ${error.message}`,
    );
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
  outcome: Outcome,
): void {
  let onScreen = terminal ? progress.print : null;
  let result = (stdoutIsTerminal && onScreen) || stdout;
  if (options["json"]) result(`${JSON.stringify(asJson(shownAs, outcome))}\n`);
  else if ("error" in outcome) (onScreen ?? stderr)(`failed  ${shownAs}: ${outcome.error.message}\n`);
  else result(stdoutIsTerminal ? storedLine(shownAs, outcome) : `${outcome.stored.url}\n`);
}

function storedLine(shownAs: string, { stored, wasEarlier }: Extract<Outcome, { stored: Stored }>): string {
  let { url, file, duplicate_of: duplicate } = stored;
  let size = file ? `, ${shortBytes(file.size_bytes)}` : "";
  let same = duplicate === undefined ? "" : `, same bytes as ${duplicate}`;
  let earlier = wasEarlier ? ", by an earlier run of this command" : "";
  return `stored  ${shownAs}${size}${same}${earlier}: ${url}\n`;
}

function asJson(shownAs: string, outcome: Outcome) {
  if ("stored" in outcome) {
    let { file_id, url, duplicate_of, file } = outcome.stored;
    return { path: shownAs, success: true, file_id, url, duplicate_of, file };
  }
  let { message } = outcome.error;
  let code = "code" in outcome.error ? outcome.error.code : toAppError(outcome.error).code;
  return { path: shownAs, success: false, error: { code: code ?? "storage_unavailable", message } };
}

/** Standard input can be read once, and only what comes by it has no name of its own. */
function checkInput(operands: readonly string[], name: string | undefined): void {
  let inputs = operands.filter((operand) => operand === "-").length;
  if (inputs > 1)
    throw new AppError("invalid_parameter", "Standard input can be read once: name “-” only once.");
  if (inputs === 0 && name !== undefined) {
    throw new AppError("invalid_parameter", "--name is for standard input, and “-” is not among the files.");
  }
}

function jobsOf(given: string | undefined): number {
  if (given === undefined) return defaultJobs;
  let jobs = /^\d{1,3}$/.test(given) ? Number(given) : 0;
  if (jobs >= 1 && jobs <= maxJobs) return jobs;
  throw new AppError("invalid_parameter", `--jobs must be a whole number from 1 to ${maxJobs}.`);
}
