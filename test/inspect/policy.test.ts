import { describe, expect, test } from "bun:test";

import type { MediaType } from "../../src/domain.ts";
import { AppError } from "../../src/errors.ts";
import { kindOf } from "../../src/inspect/kind-of.ts";
import { createPolicy, type PolicyRules } from "../../src/inspect/policy.ts";

const anything: PolicyRules = {
  maxFileBytes: 100,
  allowedMimeTypes: [],
  allowedExtensions: [],
  blockedExtensions: [],
  typeMismatch: "record",
};
const policyWith = (rules: Partial<PolicyRules>) => createPolicy({ ...anything, ...rules });
const media = (contentType: string): MediaType => ({
  contentType,
  extension: "x",
  kind: kindOf(contentType),
});

function refusal(check: () => unknown): object | null {
  try {
    check();
    return null;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { code: error.code, ...error.details };
  }
}

describe("size", () => {
  test("is refused at the first byte over, with both numbers", () => {
    let policy = policyWith({});
    expect(refusal(() => policy.checkSize(100, "a"))).toBeNull();
    expect(refusal(() => policy.checkSize(101, "a"))).toEqual({
      code: "file_too_large",
      filename: "a",
      limit_bytes: 100,
      actual_bytes: 101,
    });
  });
});

describe("extensions", () => {
  test("blocked ones count anywhere in the name, in any case, with blanks and dots around them", () => {
    let policy = policyWith({ blockedExtensions: [".PHP", "exe", "tar.gz"] });
    for (let name of [
      "a.php",
      "A.Php",
      "a.php.jpg",
      "shell.php .jpg",
      "a.php.",
      "a.php . .",
      "a.EXE",
      ".php",
      "a.tar.gz",
    ]) {
      expect(refusal(() => policy.checkName(name))).toMatchObject({
        code: "type_not_allowed",
        filename: name,
      });
    }
    for (let name of ["php", "a.jpg", "a.phpx", "aphp.txt", "a.gz", "a.tar"]) {
      expect(refusal(() => policy.checkName(name))).toBeNull();
    }
    expect(refusal(() => policy.checkName("a.php.jpg"))).toMatchObject({
      extension: "php",
      blocked: ["php", "exe", "tar.gz"],
    });
  });
  test("allowed ones count at the end of the name", () => {
    let policy = policyWith({ allowedExtensions: ["jpg", ".TAR.GZ"] });
    for (let name of ["a.jpg", "A.JPG", "a.b.jpg", "a.tar.gz", "a.jpg."]) {
      expect(refusal(() => policy.checkName(name))).toBeNull();
    }
    for (let name of ["a.gz", "a.jpg.php", "jpg", "a"]) {
      expect(refusal(() => policy.checkName(name))).toMatchObject({
        code: "type_not_allowed",
        allowed: ["jpg", "tar.gz"],
      });
    }
  });
});

describe("types", () => {
  test("are allowed one by one or by family", () => {
    let policy = policyWith({ allowedMimeTypes: ["image/*", "Application/PDF"] });
    expect(refusal(() => policy.checkType(media("image/heic"), "a", null))).toBeNull();
    expect(refusal(() => policy.checkType(media("application/pdf"), "a", null))).toBeNull();
    expect(refusal(() => policy.checkType(media("text/html"), "a", "image/png"))).toEqual({
      code: "type_not_allowed",
      filename: "a",
      found_type: "text/html",
      allowed: ["image/*", "application/pdf"],
    });
    expect(
      refusal(() => policyWith({ allowedMimeTypes: ["*/*"] }).checkType(media("a/b"), "a", null)),
    ).toBeNull();
  });

  const AGREE: [found: string, name: string, declared: string | null][] = [
    ["image/jpeg", "a.jpg", "image/jpg"],
    ["image/jpeg", "a.JPE", "image/pjpeg"],
    ["image/png", "a", "application/octet-stream"],
    ["image/png", "a.unknown", null],
    ["application/zip", "a.zip", "application/x-zip-compressed"],
    ["application/vnd.openxmlformats-officedocument.wordprocessingml.document", "a.docx", "application/zip"],
    ["application/xml", "a.xml", "text/xml"],
    ["application/rss+xml", "a.xml", "application/xml"],
    ["text/csv", "a.csv", "text/plain"],
    ["text/csv", "a.csv", "application/vnd.ms-excel"],
    ["application/json", "a.txt", "text/plain"],
    ["text/x-typescript", "a.ts", "video/mp2t"],
    ["video/mp2t", "a.ts", null],
    ["audio/wav", "a.wav", "audio/x-wav"],
    ["video/quicktime", "a.mp4", "video/mp4"],
    ["image/heif", "a.heic", "image/heic"],
    ["image/apng", "a.png", "image/png"],
    ["application/gzip", "a.tar.gz", "application/x-gzip"],
  ];
  for (let [found, name, declared] of AGREE) {
    test(`${found} agrees with ${name} declared ${declared}`, () => {
      expect(policyWith({}).checkType(media(found), name, declared)).toBeNull();
    });
  }

  test("that disagree with name or declared type are recorded", () => {
    let policy = policyWith({});
    expect(policy.checkType(media("text/html"), "a.png", "image/png")).toEqual({
      found_type: "text/html",
      declared_type: "image/png",
      extension: "png",
    });
    expect(policy.checkType(media("image/heic"), "a.jpg", null)).toEqual({
      found_type: "image/heic",
      extension: "jpg",
    });
    expect(policy.checkType(media("image/png"), "a.png", "text/plain")).toEqual({
      found_type: "image/png",
      declared_type: "text/plain",
    });
    expect(policy.checkType(media("application/octet-stream"), "a.png", null)).toMatchObject({
      extension: "png",
    });
  });

  test("of files without a byte never disagree", () => {
    let policy = policyWith({ typeMismatch: "reject" });
    let nothing = media("application/octet-stream");
    expect(policy.checkType(nothing, "a.txt", "text/plain", true)).toBeNull();
    expect(policy.validateFile({ filename: "a.txt", sizeBytes: 0, media: nothing })).toBeNull();
  });

  test("or refused", () => {
    let policy = policyWith({ typeMismatch: "reject" });
    expect(refusal(() => policy.checkType(media("text/html"), "a.png", null))).toEqual({
      code: "type_mismatch",
      filename: "a.png",
      found_type: "text/html",
      extension: "png",
    });
    expect(refusal(() => policy.checkType(media("image/png"), "a.png", "image/png"))).toBeNull();
  });
});

test("validateFile judges what is known so far", () => {
  let policy = policyWith({ blockedExtensions: ["exe"], typeMismatch: "record" });
  expect(policy.validateFile({ filename: "a.png" })).toBeNull();
  expect(refusal(() => policy.validateFile({ filename: "a.exe", sizeBytes: 1 }))).toMatchObject({
    extension: "exe",
  });
  expect(refusal(() => policy.validateFile({ filename: "a.png", sizeBytes: 101 }))).toMatchObject({
    actual_bytes: 101,
  });
  expect(policy.validateFile({ filename: "a.png", sizeBytes: 1, media: media("text/html") })).toMatchObject({
    extension: "png",
  });
});
