import type { Clock } from "../clock.ts";
import type { Config } from "../config/config.ts";
import type { Ids } from "../ids.ts";
import type { Log } from "../log.ts";
import type { Terminal } from "../terminal/board.ts";
import type { Prompt } from "../terminal/prompt.ts";
import type { CommandOptions } from "./options.ts";

/** What a command works with; nothing of it is opened before it is used. */
export interface CommandContext {
  config: Config;
  version: string;
  /** What follows the command's first word: `revoke` and `3` after `token`. */
  positionals: readonly string[];
  options: CommandOptions;
  stdout: (text: string) => void;
  stderr: (text: string) => void;
  /** Standard input; asked for once. */
  stdin: () => AsyncIterable<Uint8Array>;
  /** Asks a person for what must not stand on a command line. */
  prompt: Prompt;
  /** Where progress is shown: stderr when a person looks at it, else null. */
  terminal: Terminal | null;
  stdoutIsTerminal: boolean;
  /** A folder of the person who runs the command, for what the next run needs; made by whoever writes into it. */
  stateFolder: string;
  /** Makes the log, which goes to stderr; a command that talks to a person has none. */
  openLog: () => Log;
  clock: Clock;
  ids: Ids;
  /** What starts this program once more. */
  program: readonly string[];
  /** Resolves at the first SIGTERM or SIGINT to its name; from this call on the second ends the process at once. */
  stopSignal: () => Promise<string>;
}

/** Resolves to the exit status. Rejects with an AppError whose message is for the operator. */
export type RunCommand = (context: CommandContext) => Promise<number>;
