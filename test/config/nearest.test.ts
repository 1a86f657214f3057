import { describe, expect, test } from "bun:test";

import { didYouMean, nearestName } from "../../src/nearest.ts";

const names = ["port", "host", "s3_bucket", "data_dir", "max_file_size_mb"];

describe("the nearest name", () => {
  for (let [typed, meant] of [
    ["prot", "port"],
    ["prt", "port"],
    ["S3-Bucket", "s3_bucket"],
    ["s3_bukcet", "s3_bucket"],
    ["datadir", "data_dir"],
    ["max_file_size", "max_file_size_mb"],
    ["hots", "host"],
    ["bucket", "s3_bucket"],
    ["file-size", "max_file_size_mb"],
  ] as const) {
    test(`of ${typed} is ${meant}`, () => expect(nearestName(typed, names)).toBe(meant));
  }

  test("is none when nothing is close", () => {
    expect(nearestName("colour", names)).toBeNull();
    expect(nearestName("", names)).toBeNull();
    expect(nearestName("x", [])).toBeNull();
  });

  test("reads as a question, or not at all", () => {
    expect(didYouMean("prot", names, "--")).toBe(" Did you mean --port?");
    expect(didYouMean("colour", names)).toBe("");
  });
});
