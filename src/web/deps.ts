import type { Hono } from "hono";

import type { Allowances } from "../allowance.ts";
import type { Access, AccessEnv } from "../auth/access.ts";
import type { Attempts } from "../auth/attempts.ts";
import type { NoteEvent } from "../auth/events.ts";
import type { FormTokens } from "../auth/form-token.ts";
import type { Passwords } from "../auth/passwords.ts";
import type { People } from "../auth/people.ts";
import type { SessionCookie } from "../auth/session-cookie.ts";
import type { ThumbnailSignature } from "../auth/thumbnail-signature.ts";
import type { Clock } from "../clock.ts";
import type { FileRecord, Requester, StorageName } from "../domain.ts";
import type { AppError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Thumbnails } from "../preview/thumbnails.ts";
import type { ReceiveUpload } from "../receive-upload.ts";
import type { FileRepository } from "../record/file-repository.ts";
import type { Resumable } from "../resume/resumable.ts";
import type { Audit } from "../state/audit.ts";
import type { Invitations } from "../state/invitations.ts";
import type { Tokens } from "../state/tokens.ts";
import type { Users } from "../state/users.ts";
import type { Storage } from "../store/storage.ts";
import type { Trash } from "../trash.ts";
import type { ClientLimits } from "./client-limits.ts";

/** What the HTTP layer needs of the rest. */
export interface WebDeps {
  repository: FileRepository;
  /** The storage of a row; one that the configuration no longer knows fails when it is used. */
  storageFor: (place: { storage: StorageName; bucket: string }) => Storage;
  receiveUpload: ReceiveUpload;
  resumable: Pick<Resumable, "create" | "senderOf" | "status" | "append" | "terminate">;
  /** Removes row and object; rejects as DeleteFile does. */
  deleteFile: (idOrUid: string, options: { by: Requester }) => Promise<FileRecord>;
  /** Where a file goes that is deleted on a page. */
  trash: Pick<Trash, "put" | "restore" | "find">;
  thumbnails: Thumbnails;
  thumbnailSignature: ThumbnailSignature;
  limits: ClientLimits;
  audit: Pick<Audit, "write" | "list">;
  metrics: Pick<Metrics, "beginRequest" | "failed" | "text" | "contentType">;
  access: Access;
  /** Pages to sign in and out, mounted below the base path behind guard; they demand nothing themselves. */
  signInRoutes: Hono<AccessEnv>;
  /** Who may do what, for the pages that show and change it. */
  accounts: Accounts;
  /** What keeps the server from taking uploads just now, or null. Within seconds: health checks ask again and again. */
  readiness: () => Promise<AppError | null>;
  log: Log;
  clock: Clock;
  options: WebOptions;
}

export interface WebOptions {
  /** Of this program. */
  version: string;
  /** Begins with a slash and does not end in one; empty at the root. */
  basePath: string;
  publicUrl: string | null;
  /** `auto` of the configuration, decided. */
  downloadMode: "redirect" | "proxy";
  /** Origins of presigned URLs, for pictures on our pages; empty when downloads are proxied. */
  storageOrigins: readonly string[];
  maxFileBytes: number;
  /** As the policy has them; the upload page refuses by them before a byte is sent. */
  /** Files from this size on are sent in pieces by the page. */
  resumableBytes: number;
  allowedExtensions: readonly string[];
  blockedExtensions: readonly string[];
  /** Silence of a sender that is not kept. */
  stallTimeoutMs: number;
  /** Slowest sender that is kept, averaged over a minute. */
  minBytesPerSecond: number;
  /** What the keys of a folder's files begin with. */
  keyPrefixOf: (folder: string) => string;
}

export interface Accounts {
  tokens: Tokens;
  users: Users;
  invitations: Invitations;
  allowances: Pick<Allowances, "of" | "left">;
  people: People;
  passwords: Passwords;
  attempts: Attempts;
  cookie: SessionCookie;
  formTokens: FormTokens;
  note: NoteEvent;
}
