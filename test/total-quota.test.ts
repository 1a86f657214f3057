import { afterAll, describe, expect, test } from "bun:test";

import { AppError } from "../src/errors.ts";
import { createTotalQuota } from "../src/total-quota.ts";
import { MIB } from "../src/units.ts";
import { newFile } from "./record/new-file.ts";
import { tempCatalogs } from "./record/temp-catalog.ts";
import { createWorld } from "./serve/world.ts";
import { bytesOf, inChunks } from "./store/bodies.ts";

const catalogs = tempCatalogs();
afterAll(() => catalogs.remove());

function quotaOf(limitBytes: number, stored = 0) {
  return createTotalQuota(limitBytes, async () => stored);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "none";
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
}

describe("room for all files together", () => {
  test("is filled to the last byte, files on their way included", async () => {
    let quota = quotaOf(100, 40);
    let first = await quota.take(50);
    expect(await codeOf(quota.take(11))).toBe("storage_full");
    let second = await quota.take(10);
    first.release();
    second.release();
    first.release();
    expect(await codeOf(quota.take(61))).toBe("storage_full");
    expect(await codeOf(quota.take(60))).toBe("none");
  });

  test("is taken as the bytes come when nobody knows how many", async () => {
    let quota = quotaOf(100);
    let share = await quota.take(null);
    let body = share.tap(
      inChunks(
        bytesOf(150),
        Array.from({ length: 15 }, () => 10),
      ),
    );
    let seen = 0;
    let reading = (async () => {
      for await (let chunk of body) seen += chunk.byteLength;
    })();
    expect(await codeOf(reading)).toBe("storage_full");
    expect(seen).toBe(100);
    expect(await codeOf(quota.take(1))).toBe("storage_full");
    share.release();
    expect(await codeOf(quota.take(100))).toBe("none");
  });

  test("does not trust what was declared", async () => {
    let share = await quotaOf(100).take(10);
    let drain = async () => {
      for await (let _ of share.tap(inChunks(bytesOf(101), [50, 51])));
    };
    expect(await codeOf(drain())).toBe("storage_full");
  });
});

describe("the bytes that the catalog counts", () => {
  test("follow every row, an object that is shared counts once", async () => {
    let files = catalogs.open();
    let before = await files.create(newFile({ size_bytes: 5, s3_key: "before" }), "store");
    expect(await files.storedBytes()).toBe(5);
    let sum = "ab".repeat(32);
    let one = await files.create(newFile({ size_bytes: 100, s3_key: "a", checksum_sha256: sum }), "store");
    let two = await files.create(newFile({ size_bytes: 100, s3_key: "b", checksum_sha256: sum }), "link");
    expect([two.linked, await files.storedBytes()]).toEqual([true, 105]);
    await files.finishDelete(one.record.id);
    expect(await files.storedBytes()).toBe(105);
    await files.finishDelete(two.record.id);
    expect(await files.storedBytes()).toBe(5);
    await files.finishDelete(two.record.id);
    await files.finishDelete(before.record.id);
    expect(await files.storedBytes()).toBe(0);
  });
});

test("a server whose room is used up answers 507, keeps what fits, and takes more after a deletion", async () => {
  let world = await createWorld("local", { S3_UPLOADS_MAX_TOTAL_MB: "2", S3_UPLOADS_LOG_LEVEL: "info" });
  try {
    let { base } = world.server;
    let put = (name: string, bytes: Uint8Array<ArrayBuffer>) =>
      fetch(`${base}/upload/${name}`, { method: "PUT", body: bytes });
    let first = (await (await put("a.bin", bytesOf(MIB))).json()) as { file_id: number };
    let tooLarge = await put("b.bin", bytesOf(MIB + 1));
    expect(tooLarge.status).toBe(507);
    expect(await tooLarge.text()).toContain('"code":"storage_full"');

    let form = new FormData();
    form.append("one", new Blob([bytesOf(1.5 * MIB)]), "large.bin");
    form.append("two", new Blob([bytesOf(1000)]), "small.bin");
    let answer = await fetch(`${base}/upload`, { method: "POST", body: form });
    let { files } = (await answer.json()) as { files: { success: boolean }[] };
    expect([answer.status, files.map(({ success }) => success)]).toEqual([207, [false, true]]);

    // Many at once: whoever does not fit is refused, and nothing is counted twice.
    let crowd = await Promise.all([1, 2, 3, 4].map((nth) => put(`c-${nth}.bin`, bytesOf(0.4 * MIB))));
    expect(crowd.map(({ status }) => status).toSorted()).toEqual([201, 201, 507, 507]);

    await fetch(`${base}/files/${first.file_id}`, { method: "DELETE" });
    expect((await put("d.bin", bytesOf(MIB))).status).toBe(201);
    await world.server.kill();
    await world.restart();
    let again = await fetch(`${world.server.base}/upload/e.bin`, { method: "PUT", body: bytesOf(MIB) });
    expect(again.status).toBe(507);
    await world.settled(4);
  } finally {
    await world.close();
  }
});
