import { shortBytes } from "../../views/format.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config/config.ts";
import { createInvitations, type Invitation, type Invitations } from "../state/invitations.ts";
import { invitationRights } from "../state/rights.ts";
import { DAY_MS } from "../units.ts";
import { columns, minute } from "./columns.ts";
import { parseExpiry } from "./expiry.ts";
import { type CommandOptions, valueOf } from "./options.ts";
import { countOption, maxBytesOption, misused, type Tell, withState } from "./state-command.ts";

export const inviteOptions = {
  note: { value: "TEXT", description: "what those who open the link read" },
  expires: { value: "WHEN", description: "30d, 12h, 8w, or a day such as 2027-01-31; default: 7d" },
  "max-files": { value: "COUNT", description: "most files in all; default: any number" },
} as const;

export interface InviteCommand {
  /** What follows `invite`. */
  positionals: readonly string[];
  options: CommandOptions;
  config: Pick<Config, "data_dir" | "base_path" | "public_url">;
  /** Address of the server without a path: what the link begins with. */
  publicBase: string;
  stdout: (text: string) => void;
  stderr: (text: string) => void;
  clock: Clock;
}

interface Work {
  invitations: Invitations;
  audit: Tell;
}

const defaultLifeMs = 7 * DAY_MS;
const createdBy = "command line";
const runs = new Map([
  ["create", create],
  ["list", list],
  ["revoke", revoke],
]);

/**
 * `invite create|list|revoke`, also beside a running server, which notices at once. The link goes to stdout alone.
 * Rejects with AppError, `invalid_parameter` for what was typed wrongly.
 */
export async function runInvite(command: InviteCommand): Promise<void> {
  let [action = "", id = ""] = command.positionals;
  let run = runs.get(action);
  if (run === undefined) throw misused("Say which: s3-uploads invite create|list|revoke.");
  let { clock, config, stderr } = command;
  await withState({ dataDir: config.data_dir, clock, stderr }, (db, audit) =>
    run(command, { invitations: createInvitations(db, clock), audit }, id),
  );
}

function create(command: InviteCommand, { invitations, audit }: Work): void {
  let { options, clock, config, publicBase } = command;
  let expires = valueOf(options, "expires");
  let expiresAtMs =
    expires === undefined ? clock.nowMs() + defaultLifeMs : parseExpiry(expires, clock.nowMs());
  let maxBytes = maxBytesOption(options);
  let maxFiles = countOption(options, "max-files");
  let note = valueOf(options, "note") ?? "";
  let { id, secret } = invitations.create({ note, createdBy, expiresAtMs, maxBytes, maxFiles });
  let rights = invitationRights({ expiresAtMs, maxBytes, maxFiles });
  audit("invitation_created", { subject: `invitation:${id}`, ...rights });
  command.stdout(`${publicBase}${config.base_path}/invitation?key=${secret}\n`);
  let limits = [
    ...(maxFiles === null ? [] : [maxFiles === 1 ? "1 file" : `${maxFiles} files`]),
    ...(maxBytes === null ? [] : [`${shortBytes(maxBytes)} in all`]),
  ];
  let most = limits.length === 0 ? "" : `, at most ${limits.join(" and ")}`;
  command.stderr(
    `Invitation ${id}: whoever opens this link may send files until ${minute(expiresAtMs)} UTC${most}. It is shown this once.\n`,
  );
  if (config.public_url !== null) return;
  command.stderr(
    `It leads to ${publicBase}: where others reach the server by another address, set public_url to that.\n`,
  );
}

function list(command: InviteCommand, { invitations }: Work): void {
  let rows = invitations.list();
  if (command.options["json"]) {
    command.stdout(`${JSON.stringify(rows.map(plain), null, 2)}\n`);
  } else if (rows.length === 0) {
    command.stderr("There are no invitations; “s3-uploads invite create” makes one.\n");
  } else {
    let nowMs = command.clock.nowMs();
    command.stdout(
      columns([
        ["ID", "UNTIL", "FILES", "SENT", "BY", "NOTE"],
        ...rows.map((row) => [
          String(row.id),
          `${row.expiresAtMs <= nowMs ? "expired " : ""}${minute(row.expiresAtMs)}`,
          row.maxFiles === null ? String(row.usedFiles) : `${row.usedFiles} of ${row.maxFiles}`,
          row.maxBytes === null
            ? shortBytes(row.usedBytes)
            : `${shortBytes(row.usedBytes)} of ${shortBytes(row.maxBytes)}`,
          row.createdBy,
          row.note.split("\n")[0] ?? "",
        ]),
      ]),
    );
  }
}

function revoke(command: InviteCommand, { invitations, audit }: Work, id: string): void {
  let gone = /^\d{1,15}$/.test(id) ? invitations.revoke(Number(id)) : null;
  if (gone === null) {
    throw misused(`There is no invitation “${id}”; “s3-uploads invite list” shows them.`);
  }
  audit("invitation_revoked", { subject: `invitation:${gone.id}` });
  command.stderr(`Invitation ${gone.id} is revoked; what was sent stays.\n`);
}

function plain(row: Invitation) {
  return {
    id: row.id,
    note: row.note,
    created_by: row.createdBy,
    created_at: new Date(row.createdAtMs).toISOString(),
    expires_at: new Date(row.expiresAtMs).toISOString(),
    max_files: row.maxFiles,
    max_bytes: row.maxBytes,
    files: row.usedFiles,
    bytes: row.usedBytes,
    last_used_at: row.lastUsedAtMs === null ? null : new Date(row.lastUsedAtMs).toISOString(),
  };
}
