import { describe, expect, test } from "bun:test";

import { objectKey, readUserMetadata, userMetadataOf } from "../../src/store/keys.ts";

const uid = "0192d3f4-5a6b-7c8d-9e0f-123456789abc";
const parts = { prefix: "uploads/", uid, extension: "jpg", createdAtMs: Date.UTC(2026, 0, 31, 23, 59) };
const createdAt = "2026-01-31T23:59:00.000Z";
const sha256 = "ab".repeat(32);

describe("objectKey", () => {
  test("is prefix, year, month in UTC, uid and extension", () => {
    expect(objectKey(parts)).toBe(`uploads/2026/01/${uid}.jpg`);
    expect(objectKey({ ...parts, prefix: "" })).toBe(`2026/01/${uid}.jpg`);
    expect(objectKey({ ...parts, prefix: "a/b-c/" })).toBe(`a/b-c/2026/01/${uid}.jpg`);
    expect(objectKey({ ...parts, extension: "tar.gz" })).toEndWith(`${uid}.tar.gz`);
  });

  test("refuses parts that would change its shape", () => {
    let faults = [
      { prefix: "uploads" },
      { prefix: "/" },
      { prefix: "../" },
      { prefix: "a//" },
      { prefix: ".hidden/" },
      { prefix: "ä/" },
      { prefix: "a\0/" },
      { prefix: "x".repeat(1000) + "/" },
      { uid: "" },
      { uid: "../../etc/passwd" },
      { uid: uid.toUpperCase() },
      { extension: "" },
      { extension: ".jpg" },
      { extension: "j/pg" },
      { extension: "JPG" },
      { extension: "a.b.c" },
      { createdAtMs: Number.NaN },
      { createdAtMs: -1e15 },
    ];
    for (let fault of faults) {
      expect(() => objectKey({ ...parts, ...fault })).toThrow(
        expect.objectContaining({ code: "internal_error" }),
      );
    }
  });
});

describe("user metadata", () => {
  test("comes back as it was", () => {
    for (let filename of [
      "photo.jpg",
      "Grüße 🎉.png",
      "a%20b\"c\\d'e;f=g.txt",
      "日本語.pdf",
      " ",
      "e\u0301.txt",
    ]) {
      let declaredType = "image/svg+xml";
      let written = userMetadataOf({ uid, filename, createdAt, declaredType, sha256 });
      expect(readUserMetadata(written)).toEqual({ uid, filename, createdAt, declaredType, sha256 });
    }
  });

  test("is ASCII and under 2 KB whatever the name", () => {
    for (let character of ["x", "ä", "日", "🎉", "\u0000", "\uD800"]) {
      let declaredType = `${"a".repeat(64)}/${"b".repeat(127)}`;
      let facts = { uid, filename: character.repeat(3000), createdAt, declaredType, sha256 };
      let written = userMetadataOf(facts);
      expect(readUserMetadata(written).declaredType).toBe(declaredType);
      let bytes = Object.entries(written).flat().join("");
      expect(bytes).toMatch(/^[\x20-\x7e]+$/);
      expect(bytes.length).toBeLessThan(2000);
      expect(readUserMetadata(written).filename).not.toBeNull();
    }
  });

  test("knows no digest when none was given", () => {
    let written = userMetadataOf({ uid, filename: "a", createdAt });
    expect(Object.keys(written)).toEqual(["uid", "filename", "created-at"]);
    expect(readUserMetadata(written).sha256).toBeNull();
  });

  test("leaves out a declared type that is none", () => {
    for (let declaredType of [
      null,
      "",
      "text",
      "Text/Plain",
      "text/plain; a=b",
      "text/ä",
      `a/${"b".repeat(200)}`,
    ]) {
      expect(
        userMetadataOf({ uid, filename: "a", createdAt, declaredType })["declared-type"],
      ).toBeUndefined();
    }
    for (let declaredType of ["application/vnd.ms-excel", "a/b_c^`|~!#$&+-.", "x/1"]) {
      expect(userMetadataOf({ uid, filename: "a", createdAt, declaredType })).toMatchObject({
        "declared-type": declaredType,
      });
    }
  });

  test("reads what others wrote as absent instead of failing", () => {
    let nothing = { uid: null, filename: null, createdAt: null, declaredType: null, sha256: null };
    expect(readUserMetadata({})).toEqual(nothing);
    let foreign = {
      uid: "../x",
      filename: "%E0%A4%A",
      "created-at": "yesterday",
      "declared-type": "x",
      sha256: "zz",
    };
    expect(readUserMetadata(foreign)).toEqual(nothing);
  });
});
