import journal from "./migrations/001-journal.sql" with { type: "text" };
import tokens from "./migrations/002-tokens.sql" with { type: "text" };
import trash from "./migrations/003-trash.sql" with { type: "text" };
import removedRows from "./migrations/004-removed-rows.sql" with { type: "text" };
import resumable from "./migrations/005-resumable.sql" with { type: "text" };
import users from "./migrations/006-users.sql" with { type: "text" };
import audit from "./migrations/007-audit.sql" with { type: "text" };
import resumableSender from "./migrations/008-resumable-sender.sql" with { type: "text" };

/** In order; the position tells the version. A published one is never changed, only followed by another. */
export const stateMigrations: readonly string[] = [
  journal,
  tokens,
  trash,
  removedRows,
  resumable,
  users,
  audit,
  resumableSender,
];
