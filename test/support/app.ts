import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createAllowances } from "../../src/allowance.ts";
import { createApp } from "../../src/app.ts";
import { type AccessOptions, createAccess } from "../../src/auth/access.ts";
import { createAttempts } from "../../src/auth/attempts.ts";
import { createFormTokens } from "../../src/auth/form-token.ts";
import { createTrustedProxies } from "../../src/auth/forwarding.ts";
import { createHostCheck } from "../../src/auth/hosts.ts";
import { createPasswords } from "../../src/auth/passwords.ts";
import { createPeople } from "../../src/auth/people.ts";
import { createSessionCookie } from "../../src/auth/session-cookie.ts";
import { createSignIn } from "../../src/auth/sign-in.tsx";
import { createThumbnailSignature } from "../../src/auth/thumbnail-signature.ts";
import { systemClock } from "../../src/clock.ts";
import { createCommitSync } from "../../src/commit-sync.ts";
import type { FileRecord, NewFileRecord, Requester } from "../../src/domain.ts";
import { AppError } from "../../src/errors.ts";
import { randomIds } from "../../src/ids.ts";
import { silentLog } from "../../src/log.ts";
import { createMetrics } from "../../src/metrics/metrics.ts";
import { createThumbnailCache } from "../../src/preview/thumbnail-cache.ts";
import { createThumbnails } from "../../src/preview/thumbnails.ts";
import type { ReceiveUpload } from "../../src/receive-upload.ts";
import { createSqliteRepository } from "../../src/record/sqlite-repository.ts";
import { createAudit } from "../../src/state/audit.ts";
import { openStateDatabase } from "../../src/state/database.ts";
import { createInvitations } from "../../src/state/invitations.ts";
import { createTokens } from "../../src/state/tokens.ts";
import type { Scope } from "../../src/state/tokens.ts";
import { createTrashTable } from "../../src/state/trash-table.ts";
import { createUsageTable } from "../../src/state/usage.ts";
import { createUsers } from "../../src/state/users.ts";
import { createWriteBehind } from "../../src/state/write-behind.ts";
import { createLocalStorage } from "../../src/store/local.ts";
import { createTrash } from "../../src/trash.ts";
import { MIB } from "../../src/units.ts";
import { createNoteEvent, keepIn, type NotedEvent } from "../../src/web/access-events.ts";
import { type ClientLimitsOptions, createClientLimits } from "../../src/web/client-limits.ts";
import type { WebDeps, WebOptions } from "../../src/web/deps.ts";

export const testBase = "/-/s3-uploads";

type Overrides = Partial<Omit<WebDeps, "options" | "access" | "limits">> & {
  options?: Partial<WebOptions>;
  anonymousScopes?: Scope[];
  limits?: Partial<ClientLimitsOptions>;
  trustedProxies?: string[];
  datasette?: AccessOptions["datasette"];
};

/**
 * The app on a real catalog, real local storage, and real tokens in a temporary folder. Only the story of an upload is
 * short: bytes go into storage and a row is made, without inspection, journal and policy.
 */
export function createTestApp({
  options,
  anonymousScopes,
  limits,
  trustedProxies,
  datasette = null,
  ...overrides
}: Overrides = {}) {
  let folder = mkdtempSync(join(tmpdir(), "s3-uploads-web-"));
  let repository =
    overrides.repository ??
    createSqliteRepository({ path: join(folder, "uploads.db"), tableName: "s3_uploads", log: silentLog });
  let storage = createLocalStorage({ directory: join(folder, "objects") });
  let state = openStateDatabase(join(folder, "state.db"));
  let tokens = createTokens(state, overrides.clock ?? systemClock);
  let audit = createAudit(state, createWriteBehind(state), systemClock);

  async function store(body: AsyncIterable<Uint8Array>, facts: Partial<NewFileRecord> = {}) {
    let uid = Bun.randomUUIDv7();
    let key = `uploads/${uid}.bin`;
    let hasher = new Bun.CryptoHasher("sha256");
    let sha256 = "";
    async function* hashed() {
      for await (let chunk of body) {
        hasher.update(chunk);
        yield chunk;
      }
      sha256 = hasher.digest("hex");
    }
    let { sizeBytes } = await storage.put({
      key,
      body: hashed(),
      declaredBytes: null,
      mostBytes: 100 * MIB,
      contentType: facts.content_type ?? "application/octet-stream",
      userMetadata: {},
      sha256: () => sha256,
      onMultipartCreated() {},
      signal: new AbortController().signal,
    });
    let createdAt = "2026-11-23T20:30:00.000Z";
    let row: NewFileRecord = {
      uid,
      filename: "file.bin",
      storage: storage.name,
      bucket: storage.bucket,
      s3_key: key,
      content_type: "application/octet-stream",
      kind: "other",
      size_bytes: sizeBytes,
      checksum_sha256: sha256,
      width: null,
      height: null,
      taken_at: null,
      latitude: null,
      longitude: null,
      metadata: {},
      created_at: createdAt,
      created_date: createdAt.slice(0, 10),
      ...facts,
    };
    return repository.create(row, "store");
  }

  let receiveUpload: ReceiveUpload = async (files) => {
    let outcomes: Awaited<ReturnType<ReceiveUpload>> = [];
    for await (let file of files) {
      if ("error" in file) {
        outcomes.push({ success: false, filename: file.filename, error: file.error });
        continue;
      }
      let { record, duplicateOf } = await store(file.body, { filename: file.filename });
      outcomes.push({ success: true, record, duplicateOf });
    }
    return outcomes;
  };

  async function deleteFile(
    idOrUid: string | number,
    how: { alsoSetAside?: boolean; by?: Requester } = {},
  ): Promise<FileRecord> {
    let deletion = await repository.beginDelete(idOrUid, how);
    if (!deletion) throw new AppError("not_found");
    await storage.delete(deletion.record.s3_key);
    await repository.finishDelete(deletion.record.id);
    return deletion.record;
  }

  let clock = overrides.clock ?? systemClock;
  let table = createTrashTable(state, createCommitSync(state));
  let trash = createTrash({ table, repository, deleteFile, clock, ids: randomIds, log: silentLog });

  let webOptions: WebOptions = {
    version: "0.0.0-test",
    basePath: testBase,
    publicUrl: null,
    downloadMode: "proxy",
    storageOrigins: [],
    maxFileBytes: MIB,
    allowedExtensions: [],
    resumableBytes: 32 * MIB,
    blockedExtensions: [],
    stallTimeoutMs: 5_000,
    minBytesPerSecond: 1,
    keyPrefixOf: (name) => `uploads/folders/${name}`,
    ...options,
  };
  let { basePath, publicUrl } = webOptions;
  let cookie = createSessionCookie({ basePath, publicUrl, lifeSeconds: 3600 });
  let users = createUsers(state, clock);
  let invitations = createInvitations(state, clock);
  let attempts = createAttempts(clock);
  let passwords = createPasswords({ memoryCost: 64, timeCost: 1 });
  let people = createPeople({ users, passwords, attempts, clock });
  let allowances = createAllowances(createUsageTable(state, createCommitSync(state)));
  let formTokens = createFormTokens();
  let events: NotedEvent[] = [];
  let note = createNoteEvent(silentLog, (event) => {
    events.push(event);
    keepIn(audit)(event);
  });
  let access = createAccess({
    tokens,
    people,
    invitations,
    checkHost: createHostCheck({ host: "127.0.0.1", publicUrl, hostname: "test" }),
    trustedProxies: createTrustedProxies(trustedProxies ?? []),
    cookie,
    basePath,
    publicUrl,
    anonymousScopes: anonymousScopes ?? ["upload", "view", "delete"],
    datasette,
    note,
  });
  let accounts = {
    tokens,
    users,
    invitations,
    allowances,
    people,
    passwords,
    attempts,
    cookie,
    formTokens,
    note,
  };
  let app = createApp({
    repository,
    storageFor: () => storage,
    receiveUpload,
    resumable: resumableUnused,
    deleteFile,
    trash,
    thumbnailSignature: createThumbnailSignature(Buffer.alloc(32, "a secret")),
    thumbnails: createThumbnails({
      storageFor: () => storage,
      cache: createThumbnailCache(join(folder, "thumbnails")),
      program: [process.execPath, join(import.meta.dir, "../../src/main.ts")],
    }),
    accounts,
    audit,
    limits: createClientLimits({ requestsPerMinute: null, transfers: null, ...limits }, systemClock),
    signInRoutes: createSignIn({ tokens, cookie, clock, basePath, people, users, attempts, note }),
    readiness: async () => null,
    metrics: createMetrics("test"),
    log: silentLog,
    clock: systemClock,
    ...overrides,
    access,
    options: webOptions,
  });

  return {
    app,
    repository,
    storage,
    tokens,
    users,
    invitations,
    passwords,
    accounts,
    /** What was noted of changes of rights. */
    events,
    audit,
    /** Makes a file as if it had been uploaded. */
    addFile: async (text: string, facts: Partial<NewFileRecord> = {}): Promise<FileRecord> => {
      let bytes = new TextEncoder().encode(text);
      return (await store(chunksOf(bytes), { kind: "text", content_type: "text/plain", ...facts })).record;
    },
    /** A request below the base path. */
    ask: (path: string, init?: RequestInit & { env?: object }) =>
      app.request(basePath + path, withHost(init), init?.env),
    close() {
      repository.close();
      state.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Resumable uploads are tested with their own engine (test/resume). */
const resumableUnused: WebDeps["resumable"] = {
  senderOf: () => null,
  create: noUploads,
  status: noUploads,
  append: noUploads,
  terminate: noUploads,
};

function noUploads(): Promise<never> {
  return Promise.reject(new AppError("not_found"));
}

export type TestApp = ReturnType<typeof createTestApp>;

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** What every client sends and `app.request()` does not. */
function withHost(init: RequestInit = {}): RequestInit {
  let headers = new Headers(init.headers);
  if (!headers.has("Host")) headers.set("Host", "127.0.0.1:8080");
  return { ...init, headers };
}
