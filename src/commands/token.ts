import type { Clock } from "../clock.ts";
import { tokenRights } from "../state/rights.ts";
import { createTokens, type Scope, SCOPES, type Tokens } from "../state/tokens.ts";
import { minute } from "./columns.ts";
import { parseExpiry } from "./expiry.ts";
import { type CommandOptions, valueOf } from "./options.ts";
import { maxBytesOption, misused, openState, parseScopes, type Tell } from "./state-command.ts";
import { tokenTable } from "./token-table.ts";

/** The command's options, in the form of node:util's `parseArgs` with what `--help` says. */
export const tokenOptions = {
  name: { type: "string", value: "NAME", description: "what the token is for; default: token-DATE" },
  scope: {
    type: "string",
    value: "LIST",
    description: `what it may do: ${SCOPES.join(",")}; admin covers the others; default: upload,view`,
  },
  expires: {
    type: "string",
    value: "WHEN",
    description: "30d, 12h, 8w, or a day such as 2027-01-31; default: never",
  },
  prefix: {
    type: "string",
    value: "FOLDER",
    description: "a folder in the bucket like clients/acme: its files go there, and it sees no others",
  },
  "max-mb": {
    type: "string",
    value: "MIB",
    description: "most that may be sent in all, in MiB; default: any size",
  },
  json: { type: "boolean", description: "print the list as JSON" },
} as const;

export const tokenUsage = "s3-uploads token create|list|revoke";

export interface TokenCommand {
  /** What follows `token`. */
  positionals: readonly string[];
  options: CommandOptions;
  dataDir: string;
  stdout: (text: string) => void;
  stderr: (text: string) => void;
  clock: Clock;
}

const defaultScopes: readonly Scope[] = ["upload", "view"];

/**
 * `token create`, `token list` and `token revoke ID|NAME`, also beside a running server, which notices at once. The
 * token itself goes to stdout alone. Throws AppError, `invalid_parameter` for what was typed wrongly.
 */
export function runToken(command: TokenCommand): void {
  let [action = "", subject, ...rest] = command.positionals;
  let run = new Map([
    ["create", create],
    ["list", list],
    ["revoke", revoke],
  ]).get(action);
  if (run === undefined) {
    let found = action === "" ? "Say which" : `There is no “token ${action}”`;
    throw misused(`${found}: ${tokenUsage}.`);
  }
  let surplus = action === "revoke" ? rest[0] : subject;
  if (surplus !== undefined) throw misused(`“token ${action}” does not take “${surplus}”.`);
  run(command, subject);
}

function create(command: TokenCommand): void {
  refuseOptions(command, "create", ["json"]);
  let { options, clock } = command;
  let scope = valueOf(options, "scope");
  let expires = valueOf(options, "expires");
  let scopes = scope === undefined ? defaultScopes : parseScopes(scope);
  let expiresAtMs = expires === undefined ? undefined : parseExpiry(expires, clock.nowMs());
  let folder = valueOf(options, "prefix");
  let maxBytes = maxBytesOption(options);
  withTokens(command, (tokens, audit) => {
    let name = valueOf(options, "name")?.trim() ?? freeName(tokens, clock);
    let made = tokens.create({
      name,
      scopes,
      ...(expiresAtMs !== undefined && { expiresAtMs }),
      ...(folder !== undefined && { folder }),
      ...(maxBytes !== null && { maxBytes }),
    });
    let facts = { id: made.id, scopes, expiresAtMs: expiresAtMs ?? null, folder: folder ?? null, maxBytes };
    audit("token_created", { subject: `token:${name}`, ...tokenRights(facts) });
    command.stdout(`${made.token}\n`);
    let until = expiresAtMs === undefined ? "" : ` until ${minute(expiresAtMs)} UTC`;
    command.stderr(
      `Token ${made.id} (${name}) is good for ${scopes.join(", ")}${until}. It is shown this once: send it as “Authorization: Bearer …”, or paste it on the sign-in page.\n`,
    );
  });
}

function list(command: TokenCommand): void {
  refuseOptions(command, "list", ["name", "scope", "expires", "prefix", "max-mb"]);
  withTokens(command, (tokens) => {
    let rows = tokens.list();
    if (command.options["json"]) {
      let plain = rows.map((row) => ({
        id: row.id,
        name: row.name,
        scopes: row.scopes,
        created_at: new Date(row.createdAtMs).toISOString(),
        expires_at: row.expiresAtMs === null ? null : new Date(row.expiresAtMs).toISOString(),
        last_used_at: row.lastUsedAtMs === null ? null : new Date(row.lastUsedAtMs).toISOString(),
        ...(row.folder !== undefined && { prefix: row.folder }),
        ...(row.maxBytes !== undefined && { max_bytes: row.maxBytes, sent_bytes: row.usedBytes }),
      }));
      command.stdout(`${JSON.stringify(plain, null, 2)}\n`);
    } else if (rows.length === 0) {
      command.stderr("There are no tokens; “s3-uploads token create” makes one.\n");
    } else {
      command.stdout(tokenTable(rows, command.clock.nowMs()));
    }
  });
}

function revoke(command: TokenCommand, subject: string | undefined): void {
  refuseOptions(command, "revoke", ["name", "scope", "expires", "prefix", "max-mb", "json"]);
  if (subject === undefined) throw misused("Say which token: s3-uploads token revoke ID|NAME.");
  withTokens(command, (tokens, audit) => {
    let gone = tokens.revoke(subject);
    if (gone === null) {
      throw misused(`There is no token “${subject}”; “s3-uploads token list” shows them.`);
    }
    audit("token_revoked", { subject: `token:${gone.name}`, token_id: gone.id });
    command.stderr(`Token ${gone.id} (${gone.name}) is revoked, and its sessions are ended.\n`);
  });
}

function withTokens(command: TokenCommand, work: (tokens: Tokens, audit: Tell) => void): void {
  using state = openState(command);
  work(createTokens(state.db, command.clock), state.tell);
}

function refuseOptions({ options }: TokenCommand, action: string, names: readonly string[]) {
  let name = names.find((candidate) => options[candidate] !== undefined);
  if (name !== undefined) throw misused(`“token ${action}” does not take --${name}.`, `--${name}`);
}

function freeName(tokens: Tokens, clock: Clock): string {
  let day = new Date(clock.nowMs()).toISOString().slice(0, 10);
  let taken = new Set(tokens.list().map((row) => row.name));
  let name = `token-${day}`;
  for (let n = 2; taken.has(name); n++) name = `token-${day}-${n}`;
  return name;
}
