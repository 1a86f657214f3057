import { SCOPES } from "../state/scopes.ts";
import { inviteOptions } from "./invite.ts";
import type { ProgramName } from "./programs.ts";
import { reconcileOptions } from "./reconcile-options.ts";
import { tokenOptions } from "./token.ts";
import { userOptions } from "./user.ts";

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
    text: "Looks at the configuration, the data folder and its databases, then lists the bucket, stores a small object under the prefix, reads it back, compares it and deletes it. Warns of files that others on this machine can read, and of a bucket that strangers can. One line a check; the exit status is 1 when one failed. A server may run beside it.",
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
  import: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "rebuild the catalog from what is in the bucket",
    text: "Gives every object under the prefix a row in the catalog that has none: files that were uploaded come back as they were, also after uploads.db was lost, and objects that others have put into the bucket are inspected and added. What has a row stays as it is, so it may be interrupted and started again. The server has to be stopped. The exit status is 0 when every object has its row, 1 when a fault kept one from it, 3 when not everything could be looked at.",
    options: [
      {
        name: "prefix",
        value: "TEXT",
        doc: "look at keys that begin with this, such as incoming/; default: s3_prefix",
      },
      { name: "json", value: null, doc: "print the summary as JSON" },
    ],
    examples: ["s3-uploads import", "s3-uploads import --prefix incoming/ --json"],
  },
  reconcile: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "compare bucket, catalog and journal; repair",
    text: "Compares what is in the bucket with what is in the catalog, both ways, and looks for unfinished uploads and stale notes in the journal. Changes nothing without --repair, and may run beside the server then. The exit status is 0 when nothing is left to do, 1 when something is wrong, 2 for a wrong command line, and 3 when storage, or the data folder, could not be looked at as a whole.",
    options: reconcileOptions,
    examples: [
      "s3-uploads reconcile",
      "s3-uploads reconcile --deep --json > report.jsonl",
      "s3-uploads reconcile --repair --min-age 0",
    ],
  },
  put: {
    operands: "FILE...",
    minOperands: 1,
    maxOperands: Number.POSITIVE_INFINITY,
    summary: "send files to a running server",
    text: "Sends files, whole folders or, for `-`, standard input to a running server, and prints the address of each. Large files go in pieces. What was interrupted, or could not all be stored, goes on where it stopped when the same command is given again within a day. Hidden files and symbolic links in a folder are left out. Each file's digest is compared with what the server has. Shows progress on a terminal and is quiet elsewhere. The exit status is 1 when a file could not be stored. The token may also stand in S3_UPLOADS_TOKEN, where nobody else on the machine can read it.",
    options: [
      {
        name: "to",
        value: "URL",
        doc: "address of the server's page; default: the server that runs here with the same configuration",
      },
      { name: "token", value: "TOKEN", doc: "access token; default: the variable S3_UPLOADS_TOKEN" },
      { name: "jobs", value: "N", doc: "files that are sent at a time; default: 3" },
      { name: "name", value: "NAME", doc: "what standard input is called; default: stdin" },
      { name: "json", value: null, doc: "print one line of JSON for each file" },
    ],
    examples: [
      "s3-uploads put photo.jpg",
      "s3-uploads put recordings/ --to https://files.example.org/-/s3-uploads",
      "mysqldump shop | gzip | s3-uploads put - --name shop.sql.gz",
    ],
  },
  "token create": {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "make an access token for a program or a person",
    text: "Makes an access token and prints it, alone and only this once. It is sent as `Authorization: Bearer TOKEN`.",
    options: [
      tokenOption("name"),
      tokenOption("scope"),
      tokenOption("expires"),
      tokenOption("prefix"),
      tokenOption("max-mb"),
    ],
    examples: [
      "s3-uploads token create --name backup --scope upload",
      "s3-uploads token create --name visitor --scope view --expires 30d",
      "s3-uploads token create --name acme --prefix clients/acme --max-mb 1000",
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
  "user add": {
    operands: "NAME",
    minOperands: 1,
    maxOperands: 1,
    summary: "let a person sign in by name and password",
    text: "Adds a person who signs in by name and password, on the page or as `curl -u NAME`. The password is asked for, or read from standard input with --password-stdin; without a terminal one is made and printed, alone and only this once.",
    options: [
      optionOf("scope", userOptions.scope),
      optionOf("password-stdin", userOptions["password-stdin"]),
    ],
    examples: [
      "s3-uploads user add ann --scope upload,view,delete",
      "s3-uploads user add root --scope admin",
    ],
  },
  "user passwd": {
    operands: "NAME",
    minOperands: 1,
    maxOperands: 1,
    summary: "give a user another password",
    text: "Changes a user's password, and ends every sign-in by the old one. The password comes as with `user add`.",
    options: [optionOf("password-stdin", userOptions["password-stdin"])],
    examples: ["s3-uploads user passwd ann"],
  },
  "user scope": {
    operands: "NAME LIST",
    minOperands: 2,
    maxOperands: 2,
    summary: "change what a user may do",
    text: `Gives a user other rights, from the next request on: a list of ${SCOPES.join(", ")}; admin covers the others. Who has signed in stays so.`,
    options: [],
    examples: ["s3-uploads user scope ann upload,view,delete"],
  },
  "user list": {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "show the users",
    text: "Shows every user: id, name, what the user may do, since when, and the last sign-in.",
    options: [tokenOption("json")],
    examples: ["s3-uploads user list", "s3-uploads user list --json"],
  },
  "user remove": {
    operands: "ID|NAME",
    minOperands: 1,
    maxOperands: 1,
    summary: "remove a user at once",
    text: "Removes a user and ends every sign-in. Files stay.",
    options: [],
    examples: ["s3-uploads user remove ann"],
  },
  "invite create": {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "make a link by which others may send files",
    text: "Makes an invitation and prints its link, alone and only this once. Whoever opens it may send files within its limits, without an account, and see nothing else.",
    options: [
      optionOf("note", inviteOptions.note),
      optionOf("expires", inviteOptions.expires),
      optionOf("max-files", inviteOptions["max-files"]),
      tokenOption("max-mb"),
    ],
    examples: [
      "s3-uploads invite create --note 'Your photos of the fair, please'",
      "s3-uploads invite create --expires 30d --max-files 20 --max-mb 2000",
    ],
  },
  "invite list": {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "show the invitations, without their links",
    text: "Shows every invitation: id, end, files and bytes that were sent, who made it, and its note.",
    options: [tokenOption("json")],
    examples: ["s3-uploads invite list", "s3-uploads invite list --json"],
  },
  "invite revoke": {
    operands: "ID",
    minOperands: 1,
    maxOperands: 1,
    summary: "end an invitation at once",
    text: "Ends an invitation at once. What was sent stays.",
    options: [],
    examples: ["s3-uploads invite revoke 3"],
  },
  snapshot: {
    operands: "FILE",
    minOperands: 1,
    maxOperands: 1,
    summary: "copy the catalog while the server runs",
    text: "Writes a consistent copy of the catalog, also while files arrive: one file without a WAL, for `datasette -i`, downloads, publishing and backups. Deleted rows leave no trace in it. It gets its name when it is whole and on disk; a file that is there already stays unless --replace is given. Its views go by the settings: give it those of the server.",
    options: [
      {
        name: "redact",
        value: "gps",
        doc: "leave out where photos were taken; the stored files still tell it",
      },
      { name: "replace", value: null, doc: "put the copy in the place of a file that is there, in one step" },
    ],
    examples: [
      "s3-uploads snapshot backup-2026-11-23.db",
      "s3-uploads snapshot published/uploads.db --redact gps --replace",
    ],
  },
  redact: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "take positions out of the catalog",
    text: "With --gps: empties where photos were taken in every row, in columns and in EXIF, and leaves no trace of it in the catalog's files. Not while the server runs. The stored files are not touched: they still tell it. `gps=drop` keeps new rows without.",
    options: [{ name: "gps", value: null, doc: "positions" }],
    examples: ["s3-uploads redact --gps", "s3-uploads redact --gps --data-dir /srv/uploads"],
  },
} as const satisfies { [name in ProgramName | `${ProgramName} ${string}`]?: CommandFacts };

export type CommandName = keyof typeof COMMANDS;
export const COMMAND_NAMES = Object.keys(COMMANDS) as CommandName[];

function tokenOption(name: keyof typeof tokenOptions): OptionFacts {
  let facts = tokenOptions[name];
  return { name, value: "value" in facts ? facts.value : null, doc: facts.description };
}

function optionOf(name: string, facts: { value?: string; description: string }): OptionFacts {
  return { name, value: facts.value ?? null, doc: facts.description };
}

/** The commands that begin with this word, as `token` begins three. */
export function commandsOf(firstWord: string): CommandName[] {
  return COMMAND_NAMES.filter((name) => name === firstWord || name.startsWith(`${firstWord} `));
}
