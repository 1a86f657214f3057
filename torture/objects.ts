import { readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";

import type { S3Server } from "../test/support/s3-servers/s3-server.ts";

/** A look into storage from outside. */
export interface Objects {
  /** What the `storage` column of a row has to say, and its `bucket`. */
  storage: "s3" | "local";
  bucket: string;
  /** Sizes of all objects by key, objects that are not finished, and everything that belongs to neither. */
  list(): Promise<{ sizes: Map<string, number>; unfinished: Unfinished[]; leftovers: string[] }>;
  read(key: string): Promise<Uint8Array>;
}

interface Unfinished {
  /** Of the object that it is to become, or `sha256:` and its hash where a server keeps no more. */
  key: string;
  /** For whoever reads of it. */
  what: string;
}

/** Where local storage lets objects grow, below paths like those that they are going to have. */
const unfinishedFolder = ".unfinished/";

/** Objects are files; each has its description in a hidden file beside it. Nothing else may be in the folder. */
export function localObjects(dataDir: string): Objects {
  let root = join(dataDir, "objects");
  return {
    storage: "local",
    bucket: "local",
    async list() {
      let files = filesIn(root);
      let sizes = new Map<string, number>();
      let descriptions = new Set<string>();
      let unfinished: Unfinished[] = [];
      let leftovers: string[] = [];
      for (let path of files) {
        let name = path.slice(path.lastIndexOf("/") + 1);
        if (path.startsWith(unfinishedFolder)) {
          unfinished.push({ key: path.slice(unfinishedFolder.length), what: path });
        } else if (path.startsWith(".")) leftovers.push(path);
        else if (name.startsWith(".")) descriptions.add(path);
        else {
          // A file whose time is over may go between the two looks.
          let facts = statSync(join(root, path), { throwIfNoEntry: false });
          if (facts) sizes.set(path, facts.size);
        }
      }
      for (let key of sizes.keys()) {
        let slash = key.lastIndexOf("/") + 1;
        let description = `${key.slice(0, slash)}.${key.slice(slash)}.meta`;
        if (!descriptions.delete(description)) leftovers.push(`${key} has no description`);
      }
      return { sizes, unfinished, leftovers: [...leftovers, ...descriptions] };
    },
    read: (key) => Bun.file(join(root, key)).bytes(),
  };
}

/** Through Bun's own S3 client, past every proxy; unfinished uploads as the server has them on its disk. */
export function bucketObjects(server: S3Server): Objects {
  let { accessKeyId, secretAccessKey } = server.credentials;
  let { region, bucket } = server;
  let client = new Bun.S3Client({
    accessKeyId,
    secretAccessKey,
    region,
    bucket,
    endpoint: server.endpointUrl,
  });
  return {
    storage: "s3",
    bucket: server.bucket,
    async list() {
      let sizes = new Map<string, number>();
      for (let startAfter = ""; ;) {
        let page = await client.list(startAfter === "" ? {} : { startAfter });
        for (let { key, size } of page.contents ?? []) sizes.set(key, size ?? 0);
        let last = page.contents?.at(-1)?.key;
        if (!page.isTruncated || last === undefined) break;
        startAfter = last;
      }
      let uploads = await server.unfinishedUploads();
      let unfinished = uploads.map(({ key, uploadId }) => ({ key, what: `${key} ${uploadId}` }));
      return { sizes, unfinished, leftovers: [] };
    },
    read: (key) => client.file(key).bytes(),
  };
}

/** Paths of all files below, seen from `root`. */
export function filesIn(root: string): string[] {
  try {
    return readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)));
  } catch {
    return [];
  }
}
