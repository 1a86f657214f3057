import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { AppError } from "../../src/errors.ts";
import { createLocalStorage, removeTemporaryFiles } from "../../src/store/local.ts";
import type { Storage } from "../../src/store/storage.ts";
import { MIB } from "../../src/units.ts";
import { bytesOf, inChunks, putRequest, sha256Of, thenSilence } from "./bodies.ts";

const key = "uploads/2026/01/x.jpg";
/** 512 bytes each, as sh counts them; a KiB each where sh is bash. */
const fileSizeLimitBlocks = 2048;

let modeOf = (path: string): string => (lstatSync(path).mode & 0o777).toString(8);
let openFiles = (): number => readdirSync("/proc/self/fd").length;

describe("the folder of local storage", () => {
  let folder: string;
  let directory: string;
  let storage: Storage;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "s3-uploads-local-"));
    directory = join(folder, "data", "objects");
    storage = createLocalStorage({ directory });
  });
  afterEach(() => rm(folder, { recursive: true }));

  let everything = (): string[] => readdirSync(directory, { recursive: true }).map(String).toSorted();

  test("holds the bytes under the key, and what S3 would keep as headers beside them", async () => {
    let bytes = bytesOf(1000);
    let other = { contentType: "image/jpeg", userMetadata: { uid: "1" } };
    await storage.put(putRequest(key, bytes, other));
    expect(new Uint8Array(readFileSync(join(directory, key)))).toEqual(bytes);
    let sidecar = JSON.parse(readFileSync(join(directory, "uploads/2026/01/.x.jpg.meta"), "utf8"));
    expect(sidecar).toEqual({
      contentType: "image/jpeg",
      userMetadata: { uid: "1", sha256: sha256Of(bytes) },
    });
  });

  test("whose reader leaves while it is being opened is not read, and nobody waits", async () => {
    await storage.put(putRequest(key, bytesOf(1000)));
    let reader = new AbortController();
    let opening = storage.open(key, undefined, reader.signal);
    reader.abort(new Error("gone away"));
    let read = opening.then(({ body }) => new Response(body).bytes());
    await expect(read).rejects.toThrow("gone away");
  });

  test("is for its owner only", async () => {
    await storage.put(putRequest(key, bytesOf(10)));
    for (let name of ["..", "", ...everything()]) {
      let path = join(directory, name);
      expect(`${name} ${modeOf(path)}`).toBe(`${name} ${lstatSync(path).isDirectory() ? "700" : "600"}`);
    }
  });

  test("loses object and sidecar together", async () => {
    await storage.put(putRequest(key, bytesOf(10)));
    await storage.delete(key);
    expect(everything()).toEqual([".tmp", "uploads", "uploads/2026", "uploads/2026/01"]);
    // a crash in mid-put or mid-delete may leave a sidecar alone
    writeFileSync(join(directory, "uploads/2026/01/.x.jpg.meta"), "{}");
    expect(await Array.fromAsync(storage.list(""))).toEqual([]);
    await storage.delete(key);
    expect(readdirSync(join(directory, "uploads/2026/01"))).toEqual([]);
  });

  test("gives an object whose sidecar is lost or broken", async () => {
    await storage.put(putRequest(key, bytesOf(10), { userMetadata: { uid: "1" } }));
    let sidecar = join(directory, "uploads/2026/01/.x.jpg.meta");
    for (let broken of ["", "[]", '{"contentType":1}', '{"contentType":"a/b","userMetadata":[]}', null]) {
      if (broken === null) rmSync(sidecar);
      else writeFileSync(sidecar, broken);
      expect(await storage.head(key)).toMatchObject({ sizeBytes: 10, userMetadata: {} });
    }
  });

  test("is never left by a key", async () => {
    await storage.probe();
    let hostile = [
      "",
      "/",
      "/etc/passwd",
      "..",
      "../outside",
      "a/../../outside",
      "a//b",
      "a/",
      "./a",
      "a/./b",
      ".tmp/x",
      "a/.x.meta",
      "a\0b",
      "a\\..\\b",
      "a\nb",
      "\uD800",
      "x".repeat(251),
      "x/".repeat(600),
    ];
    for (let bad of hostile) {
      let refused = { code: "storage_error" };
      await expect(storage.put(putRequest(bad, bytesOf(1)))).rejects.toMatchObject(refused);
      await expect(storage.open(bad)).rejects.toMatchObject(refused);
      await expect(storage.head(bad)).rejects.toMatchObject(refused);
      await expect(storage.delete(bad)).rejects.toMatchObject(refused);
    }
    expect(readdirSync(folder)).toEqual(["data"]);
    expect(everything()).toEqual([]);
  });

  test("is never left through a symbolic link, but may be one itself", async () => {
    let outside = join(folder, "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "secret"), "secret");
    await storage.probe();
    symlinkSync(outside, join(directory, "link"));
    symlinkSync(join(outside, "secret"), join(directory, "file"));
    let refused = { code: "storage_error" };
    for (let path of ["link/secret", "link/new/deeper"]) {
      await expect(storage.put(putRequest(path, bytesOf(1)))).rejects.toMatchObject(refused);
    }
    await expect(storage.open("link/secret")).rejects.toMatchObject(refused);
    await expect(storage.open("file")).rejects.toBeInstanceOf(AppError);
    await expect(storage.head("link/secret")).rejects.toMatchObject(refused);
    await expect(storage.delete("link/secret")).rejects.toMatchObject(refused);
    expect(await storage.head("file")).toBeNull();
    expect(await Array.fromAsync(storage.list(""))).toEqual([]);
    expect(readFileSync(join(outside, "secret"), "utf8")).toBe("secret");
    expect(readdirSync(outside)).toEqual(["secret"]);

    symlinkSync(directory, join(folder, "alias"));
    let alias = createLocalStorage({ directory: join(folder, "alias") });
    await alias.put(putRequest(key, bytesOf(5)));
    expect(await storage.head(key)).toMatchObject({ sizeBytes: 5 });
  });

  test("is not taken for empty when it is not there", async () => {
    let away = { code: "storage_unavailable" };
    let checkAll = async (): Promise<void> => {
      await expect(storage.head(key)).rejects.toBeInstanceOf(AppError);
      await expect(storage.open(key)).rejects.not.toMatchObject({ code: "gone" });
      await expect(storage.delete(key)).rejects.toBeInstanceOf(AppError);
      await expect(Array.fromAsync(storage.list(""))).rejects.toBeInstanceOf(AppError);
    };
    await expect(storage.head(key)).rejects.toMatchObject(away);
    await checkAll();
    await storage.put(putRequest(key, bytesOf(1)));
    rmSync(directory, { recursive: true });
    await checkAll();
  });

  test("is made anew when somebody has removed a part of it", async () => {
    await storage.put(putRequest(key, bytesOf(1)));
    rmSync(join(directory, "uploads"), { recursive: true });
    await storage.put(putRequest(key, bytesOf(1))).catch(() => {});
    await storage.put(putRequest(key, bytesOf(2)));
    expect(await storage.head(key)).toMatchObject({ sizeBytes: 2 });
  });

  test("forgets unfinished puts of a process that has ended", async () => {
    let { body, silent } = thenSilence(bytesOf(2 * MIB));
    let stop = new AbortController();
    let request = putRequest(key, bytesOf(0), { body, declaredBytes: null, signal: stop.signal });
    let outcome = storage.put(request).catch((error: unknown) => error);
    await silent;
    expect(readdirSync(join(directory, ".tmp")).length).toBe(1);
    expect(await Array.fromAsync(storage.list(""))).toEqual([]);
    await removeTemporaryFiles(directory);
    expect(readdirSync(join(directory, ".tmp"))).toEqual([]);
    stop.abort(new AppError("upload_stalled"));
    await outcome;
    await removeTemporaryFiles(join(folder, "nowhere"));
  });

  test("is left clean by a disk that fills up: disk_full", async () => {
    let script = join(import.meta.dir, "local-put-script.ts");
    let limited = `trap "" XFSZ; ulimit -f ${fileSizeLimitBlocks}; exec "$@"`;
    let run = Bun.spawn(["sh", "-c", limited, "sh", process.execPath, script, directory, String(4 * MIB)]);
    expect((await run.stdout.text()).trim()).toBe("disk_full");
    expect(readdirSync(join(directory, ".tmp"))).toEqual([]);
    expect(readdirSync(join(directory, "a"))).toEqual([]);
  });

  test("lets a download end whose object is deleted meanwhile", async () => {
    let bytes = bytesOf(3 * MIB);
    await storage.put(putRequest(key, bytes));
    let { body } = await storage.open(key);
    await storage.delete(key);
    expect(sha256Of(new Uint8Array(await new Response(body).arrayBuffer()))).toBe(sha256Of(bytes));
  });

  test("keeps no descriptor of bodies that nobody reads", async () => {
    if (!existsSync("/proc/self/fd")) return;
    await storage.put(putRequest(key, bytesOf(MIB)));
    let before = openFiles();
    await (async () => {
      for (let i = 0; i < 200; i++) await storage.open(key);
    })();
    for (let i = 0; i < 100 && openFiles() > before + 20; i++) {
      Bun.gc(true);
      await Bun.sleep(10);
    }
    expect(openFiles()).toBeLessThan(before + 20);
  });

  test("takes many puts into a new folder at once", async () => {
    let keys = Array.from({ length: 64 }, (_, i) => `new/deep/${i}.bin`);
    let bytes = bytesOf(300);
    await Promise.all(keys.map((one) => storage.put(putRequest(one, bytes, { body: inChunks(bytes, [7]) }))));
    expect((await Array.fromAsync(storage.list("new/"))).length).toBe(keys.length);
  });
});
