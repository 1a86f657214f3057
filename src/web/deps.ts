import type { Hono } from "hono";

import type { Access, AccessEnv } from "../auth/access.ts";
import type { Clock } from "../clock.ts";
import type { FileRecord, Requester, StorageName } from "../domain.ts";
import type { AppError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Thumbnails } from "../preview/thumbnails.ts";
import type { ReceiveUpload } from "../receive-upload.ts";
import type { FileRepository } from "../record/file-repository.ts";
import type { Audit } from "../state/audit.ts";
import type { Storage } from "../store/storage.ts";
import type { Trash } from "../trash.ts";
import type { ClientLimits } from "./client-limits.ts";

/** What the HTTP layer needs of the rest. */
export interface WebDeps {
  repository: FileRepository;
  /** The storage of a row; one that the configuration no longer knows fails when it is used. */
  storageFor: (place: { storage: StorageName; bucket: string }) => Storage;
  receiveUpload: ReceiveUpload;
  /** Removes row and object; rejects as DeleteFile does. */
  deleteFile: (idOrUid: string, options: { by: Requester }) => Promise<FileRecord>;
  /** Where a file goes that is deleted on a page. */
  trash: Pick<Trash, "put" | "restore" | "find">;
  thumbnails: Thumbnails;
  limits: ClientLimits;
  audit: Pick<Audit, "write" | "list">;
  access: Access;
  /** Pages to sign in and out, mounted below the base path behind guard; they demand nothing themselves. */
  signInRoutes: Hono<AccessEnv>;
  /** What keeps the server from taking uploads just now, or null. Quick: asked by health checks every few seconds. */
  readiness: () => Promise<AppError | null>;
  log: Log;
  clock: Clock;
  options: WebOptions;
}

export interface WebOptions {
  /** Begins with a slash and does not end in one; empty at the root. */
  basePath: string;
  publicUrl: string | null;
  /** `auto` of the configuration, decided. */
  downloadMode: "redirect" | "proxy";
  /** Origins of presigned URLs, for pictures on our pages; empty when downloads are proxied. */
  storageOrigins: readonly string[];
  maxFileBytes: number;
  /** As the policy has them; the upload page refuses by them before a byte is sent. */
  allowedExtensions: readonly string[];
  blockedExtensions: readonly string[];
  /** Silence of a sender that is not kept. */
  stallTimeoutMs: number;
  /** Slowest sender that is kept, averaged over a minute. */
  minBytesPerSecond: number;
}
