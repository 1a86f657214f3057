import { expect, test } from "bun:test";

import type { FileRecord } from "../src/domain.ts";
import { AppError } from "../src/errors.ts";
import { silentLog } from "../src/log.ts";
import { createSweep } from "../src/sweep.ts";
import { HOUR_MS } from "../src/units.ts";
import { newFile } from "./record/new-file.ts";

const uids = Array.from({ length: 4 }, (_, nth) => `019ab000-0000-7000-8000-00000000000${nth}`);
const keyOf = (uid: string) => `uploads/2026/11/${uid}.bin`;

/** Files of these uids are complete; the second is at work, the third has lost its object, the fourth is another's. */
function createWorld(list: () => void = () => {}) {
  let aborted: string[] = [];
  let nowMs = 0;
  let [whole, atWork, lost] = uids;
  let sweep = createSweep({
    journal: { find: (kind, uid) => (uid === atWork ? ({ kind, uid } as never) : null) },
    repository: {
      get: async (uid) => {
        if (uid === uids[3]) return null;
        return {
          ...newFile({ uid: String(uid), s3_key: keyOf(String(uid)), size_bytes: 9 }),
          id: 1,
        } as FileRecord;
      },
    },
    storage: {
      head: async (key) => (key === keyOf(lost!) ? null : { key, sizeBytes: 9, lastModifiedMs: 0 }),
      async *listUnfinished() {
        list();
        for (let uid of [whole!, atWork!, lost!, uids[3]!]) {
          yield { key: keyOf(uid), uploadId: `upload of ${uid}`, initiatedAtMs: 0 };
        }
        yield { key: "uploads/of-somebody-else", uploadId: "other", initiatedAtMs: 0 };
      },
      abortMultipart: async (key) => void aborted.push(key),
    },
    prefix: "uploads/",
    clock: { nowMs: () => nowMs },
    log: silentLog,
  });
  return { sweep, aborted, later: () => (nowMs += HOUR_MS) };
}

test("only what lies beside a whole file of ours is ended", async () => {
  let { sweep, aborted } = createWorld();
  await sweep();
  expect(aborted).toEqual([keyOf(uids[0]!)]);
});

test("it is done once an hour", async () => {
  let { sweep, aborted, later } = createWorld();
  await sweep();
  await sweep();
  expect(aborted).toHaveLength(1);
  later();
  await sweep();
  expect(aborted).toHaveLength(2);
});

test("a bucket that forbids the list is no fault; one that can't be reached is asked again", async () => {
  let forbidden = createWorld(() => {
    throw new AppError("storage_error", "denied");
  });
  await forbidden.sweep();

  let asked = 0;
  let away = createWorld(() => {
    asked++;
    throw new AppError("storage_unavailable", "away");
  });
  await expect(away.sweep()).rejects.toThrow("away");
  await expect(away.sweep()).rejects.toThrow("away");
  expect(asked).toBe(2);
});
