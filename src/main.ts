import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parseCommandLine, usageExitCode } from "./cli.ts";
import { systemClock } from "./clock.ts";
import { PROGRAMS } from "./commands/programs.ts";
import type { Config } from "./config/config.ts";
import { formatFaults } from "./config/fault.ts";
import { loadConfig } from "./config/load.ts";
import { AppError } from "./errors.ts";
import { randomIds } from "./ids.ts";
import { createLogger } from "./logger.ts";
import { draw, drawCommand } from "./preview/draw.ts";
import { createPrompt } from "./terminal/prompt.ts";

/** Set by the build. */
declare const S3_UPLOADS_VERSION: string;
const version = typeof S3_UPLOADS_VERSION === "string" ? S3_UPLOADS_VERSION : "0.0.0-dev";

const failedExitCode = 1;
/** Of a terminal that does not tell. */
const usualColumns = 80;
/** What a shell says of a program that SIGPIPE has ended. */
const brokenPipeExitCode = 141;

function readFile(path: string): string {
  return readFileSync(path, "utf8");
}

function stdout(text: string): void {
  process.stdout.write(text);
}

function stderr(text: string): void {
  process.stderr.write(text);
}

/** A command that logs goes on after a rejection that nobody has waited for; the others end by it. */
function openLog({ log_level: level, log_format }: Config) {
  let auto = process.stderr.isTTY ? ("pretty" as const) : ("json" as const);
  let log = createLogger({ level, format: log_format === "auto" ? auto : log_format });
  process.on("unhandledRejection", (reason) => {
    let error = reason instanceof Error ? reason : new Error(String(reason));
    log.error({ err: error }, "unhandled rejection");
  });
  return log;
}

/** What starts this program once more: the binary alone, or Bun with this file. */
function ownProgram(): string[] {
  return Bun.main.startsWith("/$bunfs/") ? [process.execPath] : [process.execPath, Bun.main];
}

/** As the XDG base directory specification has it. */
function stateFolder(): string {
  let { XDG_STATE_HOME: folder, HOME: home } = process.env;
  return join(folder || join(home || tmpdir(), ".local", "state"), "s3-uploads");
}

/** Resolves at the first SIGTERM or SIGINT; the second ends the process at once. */
function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    let asked = false;
    for (let signal of ["SIGTERM", "SIGINT"] as const) {
      process.on(signal, () => {
        if (asked) process.exit(failedExitCode);
        asked = true;
        resolve(signal);
      });
    }
  });
}

/** Whoever reads the output has seen enough, as `head` does: no reason to complain. */
function endWithReader(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(brokenPipeExitCode);
    stderr(`s3-uploads: The output could not be written: ${error.message}\n`);
    process.exit(failedExitCode);
  });
}

/** Resolves when all output has left, so that what became of it still counts. */
function outputWritten(): Promise<void> {
  return new Promise((resolve) => process.stdout.write("", () => setImmediate(resolve)));
}

async function main(argv: string[]): Promise<number> {
  if (argv[0] === drawCommand) return draw(argv.slice(1));
  let invocation = parseCommandLine(argv, version);
  if (invocation.kind === "print") {
    stdout(invocation.text);
    return 0;
  }
  if (invocation.kind === "refused") {
    stderr(invocation.text);
    return usageExitCode;
  }
  let { command, positionals, flags, options, configFile } = invocation;
  let loaded = loadConfig({ flags, configFile, env: process.env, readFile });
  if (!loaded.ok) {
    stderr(formatFaults(loaded.faults));
    return failedExitCode;
  }
  let { config } = loaded;
  return PROGRAMS[command]({
    config,
    version,
    positionals,
    options,
    stdout,
    stderr,
    stdin: () => Bun.stdin.stream(),
    prompt: createPrompt(() => process.stdin, stderr),
    terminal: process.stderr.isTTY
      ? { write: stderr, columns: () => process.stderr.columns || usualColumns }
      : null,
    stdoutIsTerminal: process.stdout.isTTY,
    stateFolder: stateFolder(),
    openLog: () => openLog(config),
    clock: systemClock,
    ids: randomIds,
    program: ownProgram(),
    stopSignal,
  });
}

try {
  endWithReader();
  let exitCode = await main(process.argv.slice(2));
  await outputWritten();
  process.exit(exitCode);
} catch (error) {
  if (!(error instanceof AppError)) throw error;
  stderr(`s3-uploads: ${error.message}\n`);
  process.exit(failedExitCode);
}
