import { constants } from "node:fs";
import { access, lstat, readdir, realpath, rm, unlink } from "node:fs/promises";
import { join, resolve } from "node:path";

import { AppError } from "../errors.ts";
import { isMissing, onDisk, toStorageError } from "./local/errors.ts";
import { createFolders, syncFolder } from "./local/folders.ts";
import type { Folders } from "./local/folders.ts";
import { listTree } from "./local/list-tree.ts";
import { moveFile } from "./local/move-file.ts";
import { checkOwnFolder, ownNamePrefix, placeOf } from "./local/place.ts";
import { putFile } from "./local/put-file.ts";
import { openDescriptor } from "./local/read-descriptor.ts";
import { readRange } from "./local/read-range.ts";
import { createLocalResumable, localUploadId, unfinishedFolderName } from "./local/resumable.ts";
import { readSidecar } from "./local/sidecar.ts";
import type { ObjectInfo, OpenedObject, Storage } from "./storage.ts";

const temporaryFolderName = ".tmp";

export interface LocalStorageOptions {
  /** Absolute or relative; made when the first object comes. */
  directory: string;
  /** Bytes after which a background sync begins during a put; only measurements need another value. */
  syncEveryBytes?: number;
}

/**
 * Objects as files of a folder: the key is the path, content type and user metadata (with the SHA-256) stand beside the
 * object in `.{name}.meta`, unfinished puts in `.tmp`, files that come in pieces in `.unfinished`. Opens nothing before the first call.
 */
export function createLocalStorage({ directory, syncEveryBytes }: LocalStorageOptions): Storage {
  let asGiven = resolve(directory);
  let root: { path: string; folders: Folders } | null = null;

  /** The folder itself may be reached by a symbolic link; below it there is none. */
  async function openRoot(): Promise<{ path: string; folders: Folders }> {
    if (root) return root;
    let path: string;
    try {
      path = await realpath(asGiven);
    } catch (error) {
      if (isMissing(error)) throw new AppError("storage_unavailable", `There is no folder ${asGiven}.`);
      throw toStorageError(error, "read");
    }
    return (root = { path, folders: createFolders(path) });
  }

  async function makeRoot(): Promise<{ path: string; folders: Folders }> {
    if (!root) await onDisk("made", createFolders(asGiven).make(asGiven));
    return openRoot();
  }

  /** Settles "nothing there": an absent folder of all objects (an unmounted disk) is no answer about one of them. */
  async function orMissing<T>(work: Promise<T>): Promise<T | null> {
    try {
      return await work;
    } catch (error) {
      if (!isMissing(error)) throw toStorageError(error, "read");
      await onDisk("read", access(asGiven));
      return null;
    }
  }

  async function head(key: string): Promise<ObjectInfo | null> {
    let { path } = await openRoot();
    let { folder, file, sidecar } = placeOf(path, key);
    let facts = await orMissing(checkOwnFolder(folder).then(() => lstat(file)));
    if (!facts?.isFile()) return null;
    let described = await onDisk("read", readSidecar(sidecar));
    return {
      key,
      sizeBytes: facts.size,
      lastModifiedMs: Math.trunc(facts.mtimeMs),
      userMetadata: described?.userMetadata ?? {},
      ...(described ? { contentType: described.contentType } : {}),
    };
  }

  return {
    name: "local",
    bucket: "local",
    head,

    async put(request) {
      let { path, folders } = await makeRoot();
      let place = placeOf(path, request.key);
      let temporaryFolder = join(path, temporaryFolderName);
      let plan = { request, place, temporaryFolder, folders };
      return { sizeBytes: await putFile({ ...plan, ...(syncEveryBytes ? { syncEveryBytes } : {}) }) };
    },

    async open(key, range, signal): Promise<OpenedObject> {
      signal?.throwIfAborted();
      let { path } = await openRoot();
      let { folder, file } = placeOf(path, key);
      let opened = await orMissing(checkOwnFolder(folder).then(() => openDescriptor(file)));
      if (!opened) throw new AppError("gone");
      try {
        let sizeBytes = await opened.size();
        if (sizeBytes === null) throw new AppError("gone");
        return { body: readRange(opened, within(sizeBytes, range), signal), sizeBytes };
      } catch (error) {
        await opened.close();
        throw toStorageError(error, "read");
      }
    },

    async delete(key) {
      let { path } = await openRoot();
      let { folder, file, sidecar } = placeOf(path, key);
      if (!(await orMissing(checkOwnFolder(folder)))) return;
      // The object first: a sidecar without object is seen by nobody.
      await orMissing(unlink(file));
      await orMissing(unlink(sidecar));
      await orMissing(syncFolder(folder));
    },

    async move(from, to) {
      if (!(await head(from))) throw new AppError("gone", `There is no object ${from} to move.`);
      let { path, folders } = await makeRoot();
      let places = { from: placeOf(path, from), to: placeOf(path, to) };
      await moveFile({ ...places, temporaryFolder: join(path, temporaryFolderName), folders });
    },

    async *list(prefix, { startAfter = "" } = {}) {
      let { path } = await openRoot();
      try {
        await access(path);
        yield* listTree(path, { prefix, startAfter });
      } catch (error) {
        throw toStorageError(error, "read");
      }
    },

    presign: async () => null,

    async abortMultipart(key) {
      let { path } = await openRoot();
      let { folder, file } = placeOf(join(path, unfinishedFolderName), key);
      if (!(await orMissing(checkOwnFolder(folder).then(() => true)))) return;
      await orMissing(unlink(file));
    },

    async *listUnfinished(prefix) {
      let { path } = await openRoot();
      try {
        await access(path);
        for await (let file of listTree(join(path, unfinishedFolderName), { prefix, startAfter: "" })) {
          yield { key: file.key, uploadId: localUploadId, initiatedAtMs: file.lastModifiedMs };
        }
      } catch (error) {
        throw toStorageError(error, "read");
      }
    },

    resumable: createLocalResumable({
      root: makeRoot,
      temporaryFolderName,
      ...(syncEveryBytes ? { syncEveryBytes } : {}),
    }),

    async probe(signal) {
      signal?.throwIfAborted();
      let { path } = await makeRoot();
      await onDisk("written", access(path, constants.R_OK | constants.W_OK | constants.X_OK));
    },
  };
}

function within(sizeBytes: number, range?: { first: number; last: number }): { first: number; last: number } {
  let last = Math.min(range?.last ?? Number.POSITIVE_INFINITY, sizeBytes - 1);
  if (!range) return { first: 0, last };
  if (range.first >= 0 && range.first <= last) return { first: range.first, last };
  throw new AppError("storage_error", `The range ${range.first}-${range.last} is not in the object.`);
}

/** Whether nothing of local storage is in its folder but what it makes for itself: also where there is no such folder. */
export async function isEmptyFolder(directory: string): Promise<boolean> {
  try {
    return (await readdir(resolve(directory))).every((name) => name.startsWith(ownNamePrefix));
  } catch (error) {
    if (isMissing(error)) return true;
    throw toStorageError(error, "read");
  }
}

/**
 * Removes what a crash left of unfinished puts. Only for the process that owns the folder: it would take a running server's
 * puts away.
 */
export async function removeTemporaryFiles(directory: string): Promise<void> {
  let folder = join(resolve(directory), temporaryFolderName);
  try {
    for (let name of await readdir(folder)) await rm(join(folder, name), { force: true });
  } catch (error) {
    if (!isMissing(error)) throw toStorageError(error, "written");
  }
}
