import type { ProgramName } from "./programs.ts";
import { tokenOptions } from "./token.ts";

/** What the command line offers: data for the parser and for the help texts. */

export interface OptionFacts {
  /** Without its dashes. */
  name: string;
  /** What stands for the value in help; null where none follows. */
  value: string | null;
  doc: string;
}

export interface CommandFacts {
  /** What stands for the words after the command in help. */
  operands: string;
  minOperands: number;
  maxOperands: number;
  /** A line in the list of commands. */
  summary: string;
  /** What the command's own help says. */
  text: string;
  options: readonly OptionFacts[];
  examples: readonly string[];
}

export const COMMANDS = {
  serve: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "run the server (also without a command)",
    text: "Runs the server until it gets SIGTERM or Ctrl-C, then finishes the uploads that are under way. Prints the address, where the data is, and which storage is used.",
    options: [],
    examples: [
      "s3-uploads",
      "s3-uploads serve --port 9000 --data-dir /srv/uploads",
      "S3_BUCKET=my-files AWS_REGION=eu-central-1 s3-uploads serve",
    ],
  },
  check: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "try configuration and credentials on the bucket",
    text: "Looks at the configuration and the data folder, then lists the bucket, stores a small object under the prefix, reads it back, compares it and deletes it. Warns of files that others on this machine can read, and of a bucket that strangers can. One line a check; the exit status is 1 when one failed. A server may run beside it.",
    options: [],
    examples: ["s3-uploads check", "s3-uploads check --config s3-uploads.yaml"],
  },
  health: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "ask the running server whether it is alive",
    text: "Asks the server that runs with the same configuration, on this machine, whether it is alive. Prints one line; the exit status is 1 when it gives no good answer within 3 seconds. Made for a container's health check.",
    options: [],
    examples: ["s3-uploads health", "s3-uploads health --port 9000"],
  },
  "token create": {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "make an access token for a program or a person",
    text: "Makes an access token and prints it, alone and only this once. It is sent as `Authorization: Bearer TOKEN`.",
    options: [tokenOption("name"), tokenOption("scope"), tokenOption("expires")],
    examples: [
      "s3-uploads token create --name backup --scope upload",
      "s3-uploads token create --name visitor --scope view --expires 30d",
    ],
  },
  "token list": {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "show the tokens, without their secrets",
    text: "Shows every token: id, name, what it may do, when it was made and last used, and when it ends.",
    options: [tokenOption("json")],
    examples: ["s3-uploads token list", "s3-uploads token list --json"],
  },
  "token revoke": {
    operands: "ID|NAME",
    minOperands: 1,
    maxOperands: 1,
    summary: "end a token at once",
    text: "Ends a token at once, with everybody who signed in by it.",
    options: [],
    examples: ["s3-uploads token revoke backup", "s3-uploads token revoke 3"],
  },
} as const satisfies { [name in ProgramName | `${ProgramName} ${string}`]?: CommandFacts };

export type CommandName = keyof typeof COMMANDS;
export const COMMAND_NAMES = Object.keys(COMMANDS) as CommandName[];

function tokenOption(name: keyof typeof tokenOptions): OptionFacts {
  let facts = tokenOptions[name];
  return { name, value: "value" in facts ? facts.value : null, doc: facts.description };
}

/** The commands that begin with this word, as `token` begins three. */
export function commandsOf(firstWord: string): CommandName[] {
  return COMMAND_NAMES.filter((name) => name === firstWord || name.startsWith(`${firstWord} `));
}
