import { expect, test } from "bun:test";

import {
  goneMarkKey,
  isProbeKey,
  kindOfKey,
  liesApart,
  linkMarkKey,
  marksPrefix,
  ownUid,
  prefixOfKey,
  quarantineKey,
  uidInKey,
} from "../../src/store/key-kinds.ts";
import { keyPrefixOf, objectKey } from "../../src/store/keys.ts";

const uid = "019ab000-0000-7000-8000-00000000000a";

for (let prefix of ["", "uploads/", "a/b.c/"]) {
  let key = objectKey({ prefix, uid, extension: "tar.gz", createdAtMs: Date.UTC(2026, 10, 24) });

  test(`each kind of key is told from the others under the prefix "${prefix}"`, () => {
    expect(kindOfKey(prefix, key)).toEqual({ kind: "object", uid });
    expect(kindOfKey(prefix, linkMarkKey(prefix, uid))).toEqual({ kind: "link", uid });
    expect(kindOfKey(prefix, goneMarkKey(prefix, uid))).toEqual({ kind: "gone", uid });
    expect(kindOfKey(prefix, quarantineKey(prefix, key))).toEqual({ kind: "quarantined", key });
    expect(uidInKey(key)).toBe(uid);
  });

  test(`files of a sender's folder are objects too, before the marks, under the prefix "${prefix}"`, () => {
    let apart = keyPrefixOf(prefix, "clients/zeta/");
    let inFolder = objectKey({ prefix: apart, uid, extension: "jpg", createdAtMs: Date.UTC(2026, 10, 24) });
    expect(inFolder).toBe(`${prefix}folders/clients/zeta/2026/11/${uid}.jpg`);
    expect(kindOfKey(prefix, inFolder)).toEqual({ kind: "object", uid });
    expect(kindOfKey(prefix, quarantineKey(prefix, inFolder))).toEqual({
      kind: "quarantined",
      key: inFolder,
    });
    expect(inFolder < marksPrefix(prefix)).toBe(true);
    expect(uidInKey(inFolder)).toBe(uid);
  });

  test(`marks and quarantine come after the objects under the prefix "${prefix}"`, () => {
    for (let other of [marksPrefix(prefix), linkMarkKey(prefix, uid), quarantineKey(prefix, key)]) {
      expect(other > key).toBe(true);
    }
  });
}

for (let prefix of ["", "uploads/", "2026/01/", "a\nb/"]) {
  let key = `${prefix}2026/11/${uid}.tar.gz`;

  test(`${JSON.stringify(prefix)} is found in the keys that it begins`, () => {
    for (let one of [key, linkMarkKey(prefix, uid), goneMarkKey(prefix, uid)]) {
      expect(prefixOfKey(one)).toBe(prefix);
      expect(prefixOfKey(quarantineKey(prefix, one))).toBe(prefix);
    }
    expect(prefixOfKey(`${prefix}note.txt`)).toBeNull();
    expect(isProbeKey(`${prefix}s3-uploads-check/${uid}`)).toBe(true);
    expect(isProbeKey(key)).toBe(false);
  });

  test(`the row of an object under ${JSON.stringify(prefix)} has the uid in its key`, () => {
    expect(ownUid({ storage: "s3", bucket: "b", key })).toBe(uid);
  });
}

test.each(["", "uploads/", "a/quarantine/b/"])("a sender's folder is no part of the prefix %p", (prefix) => {
  for (let folder of ["acme/", "folders/", "marks/", "quarantine/", "2026/11/", "a/folders/quarantine/"]) {
    let parts = { uid, extension: "bin", createdAtMs: Date.UTC(2026, 10, 24) };
    let key = objectKey({ prefix: keyPrefixOf(prefix, folder), ...parts });
    let aside = quarantineKey(prefix, key);
    expect([key, aside].map(prefixOfKey)).toEqual([prefix, prefix]);
    expect(kindOfKey(prefix, aside)).toEqual({ kind: "quarantined", key });
    expect([key, objectKey({ prefix, ...parts })].map(liesApart)).toEqual([true, false]);
    expect(ownUid({ storage: "s3", bucket: "b", key })).toBe(uid);
  }
});

test("an object that somebody else stored has one uid for each place", () => {
  let place = { storage: "s3", bucket: "b", key: "incoming/a.txt" };
  let others = [
    place,
    { ...place, key: "incoming/b.txt" },
    { ...place, bucket: "c" },
    { ...place, storage: "local" },
  ];
  let uids = others.map(ownUid);
  expect(new Set(uids).size).toBe(4);
  expect(ownUid(place)).toBe(uids[0]!);
  expect(kindOfKey("", goneMarkKey("", ownUid(place)))).toEqual({ kind: "gone", uid: uids[0]! });
  expect(ownUid({ ...place, key: `incoming/${uid}.txt` })).not.toBe(uid);
});

for (let foreign of [
  "elsewhere/2026/11/019ab000-0000-7000-8000-00000000000a.txt",
  "uploads/readme.txt",
  "uploads/2026/13/019ab000-0000-7000-8000-00000000000a.txt",
  "uploads/2026/11/019AB000-0000-7000-8000-00000000000A.txt",
  "uploads/2026/11/019ab000-0000-7000-8000-00000000000a",
  "uploads/2026/11/x/019ab000-0000-7000-8000-00000000000a.txt",
  "uploads/marks/019ab000-0000-7000-8000-00000000000a.txt",
]) {
  test(`${foreign} is not ours`, () => {
    expect(kindOfKey("uploads/", foreign)).toEqual({ kind: "foreign" });
  });
}
