import { createPasswords, generatePassword } from "../auth/passwords.ts";
import type { Clock } from "../clock.ts";
import { type Scope, SCOPES } from "../state/scopes.ts";
import { createUsers, type Users } from "../state/users.ts";
import type { Prompt } from "../terminal/prompt.ts";
import { columns, minute } from "./columns.ts";
import { type CommandOptions, valueOf } from "./options.ts";
import { misused, parseScopes, type Tell, withState } from "./state-command.ts";

export const userOptions = {
  scope: {
    value: "LIST",
    description: `what the user may do: ${SCOPES.join(",")}; admin covers the others; default: upload,view`,
  },
  "password-stdin": {
    description: "read the password from standard input",
  },
} as const;

export interface UserCommand {
  /** What follows `user`. */
  positionals: readonly string[];
  options: CommandOptions;
  dataDir: string;
  stdout: (text: string) => void;
  stderr: (text: string) => void;
  prompt: Prompt;
  clock: Clock;
}

interface Work {
  users: Users;
  audit: Tell;
}

const defaultScopes: readonly Scope[] = ["upload", "view"];
const runs = new Map([
  ["add", add],
  ["passwd", passwd],
  ["scope", changeScopes],
  ["list", list],
  ["remove", remove],
]);

/**
 * `user add|passwd|scope|list|remove`, also beside a running server, which notices at once. A password comes from the terminal,
 * without echo, or from standard input; where there is neither, one is made and printed alone on stdout. Rejects with
 * AppError, `invalid_parameter` for what was typed wrongly.
 */
export async function runUser(command: UserCommand): Promise<void> {
  let [action = "", name = "", words = ""] = command.positionals;
  let run = runs.get(action);
  if (run === undefined) throw misused("Say which: s3-uploads user add|passwd|scope|list|remove.");
  await withState(command, (db, audit) =>
    run(command, { users: createUsers(db, command.clock), audit }, name, words),
  );
}

async function add(command: UserCommand, { users, audit }: Work, name: string): Promise<void> {
  let scope = valueOf(command.options, "scope");
  let scopes = scope === undefined ? defaultScopes : parseScopes(scope);
  // Before somebody is asked for a password in vain.
  if (users.find(name))
    throw misused(`There is a user named “${name}” already; “user passwd” changes the password.`);
  let { password, tell } = await passwordFor(command, name);
  let user = users.add({ name, passwordHash: await createPasswords().hash(password), scopes });
  audit("user_added", { subject: `user:${user.name}`, scopes: user.scopes });
  tell();
  command.stderr(
    `User ${user.id} (${user.name}) may ${user.scopes.join(", ")}, and signs in by name and password.\n`,
  );
}

async function passwd(command: UserCommand, { users, audit }: Work, subject: string): Promise<void> {
  let isThere = users.find(subject) !== null || users.list().some(({ id }) => String(id) === subject);
  if (!isThere) throw unknown(subject);
  let { password, tell } = await passwordFor(command, subject);
  let user = users.setPassword(subject, await createPasswords().hash(password));
  if (user === null) throw unknown(subject);
  audit("password_changed", { subject: `user:${user.name}` });
  tell();
  command.stderr(`The password of ${user.name} is changed, and every sign-in by the old one is ended.\n`);
}

function changeScopes({ stderr }: UserCommand, { users, audit }: Work, subject: string, words: string): void {
  let user = users.setScopes(subject, parseScopes(words));
  if (user === null) throw unknown(subject);
  audit("user_changed", { subject: `user:${user.name}`, scopes: user.scopes });
  stderr(`User ${user.id} (${user.name}) may ${user.scopes.join(", ")} from now on.\n`);
}

function list(command: UserCommand, { users }: Work): void {
  let rows = users.list();
  if (command.options["json"]) {
    let plain = rows.map((row) => ({
      id: row.id,
      name: row.name,
      scopes: row.scopes,
      created_at: new Date(row.createdAtMs).toISOString(),
      signed_in_at: row.signedInAtMs === null ? null : new Date(row.signedInAtMs).toISOString(),
    }));
    command.stdout(`${JSON.stringify(plain, null, 2)}\n`);
  } else if (rows.length === 0) {
    command.stderr("There are no users; “s3-uploads user add NAME” makes one.\n");
  } else {
    command.stdout(
      columns([
        ["ID", "NAME", "SCOPES", "CREATED", "SIGNED IN"],
        ...rows.map((row) => [
          String(row.id),
          row.name,
          row.scopes.join(","),
          minute(row.createdAtMs),
          row.signedInAtMs === null ? "never" : minute(row.signedInAtMs),
        ]),
      ]),
    );
  }
}

function remove(command: UserCommand, { users, audit }: Work, subject: string): void {
  let gone = users.remove(subject);
  if (gone === null) throw unknown(subject);
  audit("user_removed", { subject: `user:${gone.name}` });
  command.stderr(`User ${gone.id} (${gone.name}) is removed, and every sign-in is ended.\n`);
}

/** `tell` prints a password that was made here, once it is the user's. */
async function passwordFor(
  { options, prompt, stdout }: UserCommand,
  name: string,
): Promise<{ password: string; tell: () => void }> {
  if (options["password-stdin"]) return { password: await prompt.readAll(), tell: () => {} };
  if (!prompt.isInteractive) {
    let password = generatePassword();
    return { password, tell: () => stdout(`${password}\n`) };
  }
  let password = await prompt.askSecret(`Password of ${name}: `);
  if ((await prompt.askSecret("Once more: ")) !== password) {
    throw misused("The two passwords differ: nothing was changed.");
  }
  return { password, tell: () => {} };
}

function unknown(subject: string) {
  return misused(`There is no user “${subject}”; “s3-uploads user list” shows them.`);
}
