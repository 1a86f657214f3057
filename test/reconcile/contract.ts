import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";

import { goneMarkKey, linkMarkKey, ownUid, quarantineKey } from "../../src/store/key-kinds.ts";
import { keyPrefixOf, objectKey } from "../../src/store/keys.ts";
import type { Storage } from "../../src/store/storage.ts";
import { DAY_MS } from "../../src/units.ts";
import { newFile } from "../record/new-file.ts";
import { bytesOf, putRequest } from "../store/bodies.ts";
import { createReconcileWorld, prefix, type ReconcileWorld } from "./world.ts";

export interface StorageToReconcile {
  storage: Storage;
  /** Begins a multipart upload that nobody knows; null where there are none, or where they can't be listed. */
  beginUnfinished: ((key: string) => Promise<void>) | null;
  close(): Promise<void>;
}

const slowMs = 60_000;

/** What a row of an earlier prefix has. */
function old(): { uid: string; s3_key: string } {
  let uid = Bun.randomUUIDv7();
  return { uid, s3_key: `old/2020/01/${uid}.bin` };
}

/** What reconcile finds and repairs, whatever storage it looks at. */
export function reconcileContract(name: string, make: () => Promise<StorageToReconcile>): void {
  describe(`reconcile on ${name}`, () => {
    let made: StorageToReconcile;
    let world: ReconcileWorld;
    beforeAll(async () => {
      made = await make();
      await made.storage.probe();
    });
    afterAll(() => made.close());
    beforeEach(() => {
      world = createReconcileWorld(made.storage);
    });
    afterEach(async () => {
      for (let key of await world.keys()) await made.storage.delete(key);
      world.close();
    });

    async function mark(key: string): Promise<void> {
      await made.storage.put(putRequest(key, bytesOf(0)));
    }

    test("content with what belongs together", async () => {
      let files = [await world.file(), await world.file(), await world.file({}, { bytes: bytesOf(0) })];
      let linked = await world.file({ s3_key: files[0]!.s3_key }, { object: false });
      await mark(linkMarkKey(prefix, linked.uid));
      expect(await world.report({ deep: true })).toMatchObject({
        kinds: [],
        notLooked: [],
        totals: { rows: 4, objects: 4, ownObjects: 3, marks: 1, young: 0, readBytes: 200 },
      });
    });

    test("content with the files of a sender's folder, and repairs them like others", async () => {
      let apart = keyPrefixOf(prefix, "clients/quarantine/");
      let inFolder = () => {
        let uid = Bun.randomUUIDv7();
        return { uid, s3_key: objectKey({ prefix: apart, uid, extension: "bin", createdAtMs: Date.now() }) };
      };
      await world.file(inFolder());
      expect(await world.repair({ deep: true })).toMatchObject({
        kinds: [],
        totals: { rows: 1, ownObjects: 1 },
      });
      let orphan = await world.file(inFolder(), { row: false });
      expect((await world.repair()).actions).toEqual(["orphan_object quarantined"]);
      expect(await world.keys()).toContain(quarantineKey(prefix, orphan.s3_key));
      expect(await world.report()).toMatchObject({ kinds: [], totals: { rows: 1, ownObjects: 1 } });
    });

    test("tells of no names of folders, and of a trial of check that nothing comes of it", async () => {
      let { storage } = made;
      let folders = storage.name === "s3" ? [prefix, `${prefix}made in a console/`] : [];
      for (let key of folders) await storage.put(putRequest(key, new Uint8Array()));
      await storage.put(putRequest(`${prefix}s3-uploads-check/${Bun.randomUUIDv7()}`, bytesOf(5)));
      let { told, totals } = await world.report();
      expect(totals.objects).toBe(folders.length + 1);
      expect(told.map(({ finding: { kind, detail } }) => [kind, detail])).toEqual([
        ["foreign_object", "s3-uploads check could not remove it; nobody needs it"],
      ]);
    });

    test(
      "finds every kind of fault, repairs what can be repaired, and finds nothing else afterwards",
      async () => {
        let good = await world.file();
        let missing = await world.file({ filename: "lost.pdf" }, { object: false });
        let orphan = await world.file({}, { row: false });
        let resized = await world.file({}, { bytes: bytesOf(77) });
        await made.storage.put(putRequest(resized.s3_key, bytesOf(78)));
        let altered = await world.file({ checksum_sha256: "0".repeat(64) });
        let linked = await world.file({ s3_key: good.s3_key }, { object: false });
        await mark(linkMarkKey(prefix, Bun.randomUUIDv7()));
        await mark(goneMarkKey(prefix, Bun.randomUUIDv7()));
        await mark(goneMarkKey(prefix, good.uid));
        let foreign = `${prefix}somebody/else's file.txt`;
        await made.storage.put(putRequest(foreign, bytesOf(5)));
        await made.beginUnfinished?.(`${prefix}2026/11/${Bun.randomUUIDv7()}.bin`);
        let unfinished = made.beginUnfinished ? ["unfinished_upload"] : [];
        let stored = await world.file({}, { row: false });
        let { storage, bucket } = stored;
        await world.journal.beginUpload({ uid: stored.uid, storage, bucket, key: stored.s3_key });

        let before = await world.keys();
        let report = await world.report({ deep: true });
        expect<string[]>(report.kinds).toEqual(
          [
            "missing_object",
            "orphan_object",
            "size_differs",
            "checksum_differs",
            "stale_intent",
            "missing_mark",
            "stale_mark",
            "stale_mark",
            "stale_mark",
            "foreign_object",
            ...unfinished,
          ].toSorted(),
        );
        let keyOf = (kind: string) => report.told.find(({ finding }) => finding.kind === kind)?.finding.key;
        expect(keyOf("missing_object")).toBe(missing.s3_key);
        expect(keyOf("orphan_object")).toBe(orphan.s3_key);
        expect(keyOf("size_differs")).toBe(resized.s3_key);
        expect(keyOf("checksum_differs")).toBe(altered.s3_key);
        expect(keyOf("missing_mark")).toBe(linkMarkKey(prefix, linked.uid));
        expect(keyOf("foreign_object")).toBe(foreign);
        expect(await world.keys()).toEqual(before);

        let repair = await world.repair({ deep: true });
        expect(repair.actions).toEqual(
          [
            "missing_object row_removed",
            "orphan_object quarantined",
            "stale_intent settled",
            "size_differs none",
            "checksum_differs none",
            "missing_mark mark_written",
            "stale_mark quarantined",
            "stale_mark quarantined",
            "stale_mark quarantined",
            "foreign_object none",
            ...unfinished.map((kind) => `${kind} aborted`),
          ].toSorted(),
        );
        expect(await made.storage.head(quarantineKey(prefix, orphan.s3_key))).toMatchObject({
          sizeBytes: 100,
          userMetadata: { uid: orphan.uid },
        });
        // Recovery has taken the upload back that was open in the journal.
        expect(await made.storage.head(stored.s3_key)).toBeNull();
        expect((await made.storage.head(linkMarkKey(prefix, linked.uid)))?.userMetadata).toMatchObject({
          uid: linked.uid,
          "created-at": linked.created_at,
          "link-to": good.s3_key,
        });
        expect(await world.repository.get(missing.uid)).toBeNull();
        expect(world.forgotten).toEqual([missing.uid]);
        let [removed, ...more] = world.removedRows();
        expect(more).toEqual([]);
        expect(JSON.parse(removed?.row_json ?? "")).toEqual(missing);

        let again = await world.repair({ deep: true });
        expect(again.kinds).toEqual(["checksum_differs", "foreign_object", "size_differs"]);
        expect(again.totals.quarantined).toBe(4);
      },
      slowMs,
    );

    test("leaves alone what is young", async () => {
      await world.file({}, { object: false });
      await world.file({}, { row: false });
      await mark(linkMarkKey(prefix, Bun.randomUUIDv7()));
      await made.beginUnfinished?.(`${prefix}2026/11/${Bun.randomUUIDv7()}.bin`);
      let count = made.beginUnfinished ? 4 : 3;
      expect(await world.repair({ aheadMs: 0 })).toMatchObject({ kinds: [], totals: { young: count } });
      let judged = await world.repair({ aheadMs: 0, minAgeMs: 0 });
      expect(judged.kinds).toHaveLength(count);
      expect((await world.report({ minAgeMs: 0 })).kinds).toEqual([]);
    });

    test("brings an object back from quarantine when its row is there again, for all that share it", async () => {
      let orphan = await world.file({}, { row: false });
      expect((await world.repair()).totals.quarantined).toBe(1);
      expect(await made.storage.head(orphan.s3_key)).toBeNull();
      await world.repository.create(orphan, "store");
      let sharing = await world.file({ s3_key: orphan.s3_key }, { object: false });
      await mark(linkMarkKey(prefix, sharing.uid));
      let repair = await world.repair();
      expect(repair.actions).toEqual(["missing_object brought_back", "missing_object brought_back"]);
      expect(repair.totals.quarantined).toBe(0);
      expect(await made.storage.head(orphan.s3_key)).toMatchObject({ userMetadata: { uid: orphan.uid } });
      expect((await world.report({ deep: true })).kinds).toEqual([]);
      expect(world.removedRows()).toEqual([]);
    });

    test("removes from quarantine what has been there for its time", async () => {
      let orphan = await world.file({}, { row: false });
      let key = quarantineKey(prefix, orphan.s3_key);
      await world.repair();
      expect(await world.report()).toMatchObject({ kinds: [], totals: { quarantined: 1, overdue: 0 } });
      expect((await world.repair()).removed).toEqual([]);
      let late = { aheadMs: 31 * DAY_MS };
      expect(await world.report(late)).toMatchObject({ kinds: [], totals: { quarantined: 1, overdue: 1 } });
      expect((await world.repair(late)).removed).toEqual([key]);
      expect(await world.keys()).toEqual([]);
    });

    test("asks for each object of another place", async () => {
      let elsewhere = { bucket: "another-bucket" };
      await world.file(old());
      await world.file({ ...old(), size_bytes: 99 });
      let lost = await world.file({ ...elsewhere, ...old() }, { object: false });
      let report = await world.report();
      expect(report.kinds).toEqual(["missing_object", "size_differs"]);
      expect(report.totals.rows).toBe(3);
      expect((await world.repair()).actions).toEqual(["missing_object row_removed", "size_differs none"]);
      expect(world.removedRows().map(({ uid }) => uid)).toEqual([lost.uid]);
    });

    test("knows the marks of objects of another prefix, and of those that somebody else has stored", async () => {
      let { name: storage, bucket } = made.storage;
      let earlier = await world.file(old());
      let adopted = `${prefix}scans/page 1.tif`;
      let owner = ownUid({ storage, bucket, key: adopted });
      let first = await world.file({ uid: owner, s3_key: adopted });
      let sharing = [
        await world.file({ s3_key: earlier.s3_key }, { object: false }),
        await world.file({ s3_key: adopted }, { object: false }),
      ];
      let keys = [linkMarkKey("old/", sharing[0]!.uid), linkMarkKey(prefix, sharing[1]!.uid)];
      let report = await world.report();
      expect(report.told.map(({ finding }) => finding.key).toSorted()).toEqual(keys.toSorted());
      await world.repair();
      for (let key of keys) expect(await made.storage.head(key)).not.toBeNull();
      await world.repository.finishDelete(first.id);
      await mark(goneMarkKey(prefix, owner));
      expect((await world.report()).kinds).toEqual([]);
      await world.repository.finishDelete(sharing[1]!.id);
      expect((await world.report()).kinds).toEqual(["foreign_object", "stale_mark", "stale_mark"]);
    });

    test("leaves alone what came in pieces and can go on, however old it is", async () => {
      let { name: storage, bucket } = made.storage;
      let uid = Bun.randomUUIDv7();
      let key = `${prefix}2026/11/${uid}.bin`;
      let facts = { filename: "film.mov", declaredType: null, clientMetadata: "", lengthBytes: null };
      let from = { sender: null, folder: null, holder: null, by: null };
      let sizes = { partBytes: 1, createdAtMs: Date.now() };
      await world.resumable.add({ uid, storage, bucket, ...facts, ...from, ...sizes });
      await world.journal.beginUpload({ uid, storage, bucket, key });
      await made.beginUnfinished?.(key);
      let late = { aheadMs: 10 * DAY_MS };
      expect(await world.report(late)).toMatchObject({ kinds: [], totals: { underWay: 1 } });
      expect(await world.repair(late)).toMatchObject({ kinds: [], totals: { underWay: 1 } });
      let unfinished = await Array.fromAsync(made.beginUnfinished ? made.storage.listUnfinished(key) : []);
      expect(unfinished.map((upload) => upload.key)).toEqual(made.beginUnfinished ? [key] : []);
      await world.resumable.end(uid, Date.now());
      expect((await world.repair(late)).actions).toEqual(["stale_intent settled"]);
      expect((await world.report(late)).kinds).toEqual([]);
    });

    test("knows a deleted file's mark as long as others use its object", async () => {
      let owner = newFile().uid;
      let first = await world.file({ uid: owner });
      let sharing = await world.file({ s3_key: first.s3_key }, { object: false });
      await world.repository.finishDelete(first.id);
      await mark(goneMarkKey(prefix, owner));
      await mark(linkMarkKey(prefix, sharing.uid));
      expect((await world.report()).kinds).toEqual([]);
      await world.repository.finishDelete(sharing.id);
      // The object goes first, and by then both marks stand for nothing.
      expect((await world.repair()).kinds).toEqual(["orphan_object", "stale_mark", "stale_mark"]);
      expect((await world.report()).kinds).toEqual([]);
    });
  });
}
