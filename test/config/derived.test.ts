import { describe, expect, test } from "bun:test";

import { largestFileMb, memoryForFileMb } from "../../src/config/size-limits.ts";
import { maxObjectBytes, partBytesFor } from "../../src/store/s3/part-plan.ts";
import { MIB } from "../../src/units.ts";
import { configOf, linesOf } from "./load-helpers.ts";

const everything = ["upload", "view", "delete"];

describe("allow_anonymous", () => {
  for (let [host, rights] of [
    ["127.0.0.1", everything],
    ["127.8.8.8", everything],
    ["localhost", everything],
    ["::1", everything],
    ["[::1]", everything],
    ["0:0:0:0:0:0:0:1", everything],
    ["::ffff:127.0.0.1", everything],
    ["0.0.0.0", []],
    ["::", []],
    ["192.168.1.5", []],
    ["127.example.org", []],
    ["localhost.example.org", []],
  ] as const) {
    test(`on ${host} is ${rights.join(", ") || "none"} by default`, () => {
      expect(configOf({ flags: { host } }).allow_anonymous).toEqual([...rights] as never);
    });
  }

  for (let [flags, rights] of [
    [{ public_url: "http://localhost:8080" }, everything],
    [{ public_url: "http://[::1]:8080" }, everything],
    [{ public_url: "https://files.example.org" }, []],
    [{ public_url: "https://192.168.1.5" }, []],
    [{ trusted_proxies: "127.0.0.1" }, []],
    [{ trusted_proxies: "127.0.0.1", public_url: "http://localhost:8080" }, []],
    [{ host: "0.0.0.0", public_url: "http://localhost:8080" }, []],
  ] as const) {
    test(`with ${JSON.stringify(flags)} is ${rights.join(", ") || "none"} by default`, () => {
      expect(configOf({ flags }).allow_anonymous).toEqual([...rights] as never);
    });
  }

  test("that was given does not depend on the host", () => {
    expect(configOf({ flags: { allow_anonymous: "none" } }).allow_anonymous).toEqual([]);
    expect(configOf({ flags: { allow_anonymous: "upload", host: "0.0.0.0" } }).allow_anonymous).toEqual([
      "upload",
    ]);
    let behindProxy = { allow_anonymous: "view", trusted_proxies: "127.0.0.1" };
    expect(configOf({ flags: behindProxy }).allow_anonymous).toEqual(["view"]);
  });
});

describe("download and s3_force_path_style", () => {
  let minio = { S3_ENDPOINT_URL: "http://minio:9000" };
  for (let [env, expected] of [
    [{}, ["proxy", false]],
    [{ S3_BUCKET: "abc" }, ["redirect", false]],
    [{ S3_BUCKET: "abc", ...minio }, ["proxy", true]],
    [{ S3_BUCKET: "abc", ...minio, S3_PUBLIC_ENDPOINT_URL: "https://s3.example.org" }, ["redirect", true]],
    [{ S3_BUCKET: "abc", S3_ENDPOINT_URL: "https://s3.eu-west-1.amazonaws.com" }, ["redirect", true]],
    [{ S3_BUCKET: "abc", S3_ENDPOINT_URL: "https://amazonaws.com.example.org" }, ["proxy", true]],
    [{ S3_BUCKET: "abc", S3_UPLOADS_DOWNLOAD: "proxy" }, ["proxy", false]],
    [{ S3_BUCKET: "abc", ...minio, S3_UPLOADS_DOWNLOAD: "redirect" }, ["redirect", true]],
    [{ S3_BUCKET: "abc", ...minio, S3_FORCE_PATH_STYLE: "false" }, ["proxy", false]],
    [{ AWS_ENDPOINT_URL: "http://minio:9000" }, ["proxy", true]],
  ] as const) {
    test(`with ${JSON.stringify(env)} are ${expected.join(", ")}`, () => {
      let config = configOf({ env });
      expect([config.download, config.s3_force_path_style]).toEqual([...expected] as never);
    });
  }
});

describe("max_file_size_mb", () => {
  test("goes up to S3's 5 TiB when the memory carries its parts", () => {
    expect(
      configOf({ flags: { max_file_size_mb: "5242880", upload_memory_mb: "1590" } }).max_file_size_mb,
    ).toBe(5242880);
    expect(linesOf({ flags: { max_file_size_mb: "5242880", upload_memory_mb: "1589" } })).toHaveLength(1);
  });

  test("is refused with the largest value that works, and that one works", () => {
    let [line] = linesOf({ flags: { max_file_size_mb: "2000000" } });
    expect(line).toBe(
      "max_file_size_mb = 2000000 (flag --max-file-size-mb): a file of 2000000 MiB goes in parts of 203 MiB, and three of them need 609 MiB of upload_memory_mb, which is 256: the largest value that works is 841500",
    );
    expect(configOf({ flags: { max_file_size_mb: "841500" } }).max_file_size_mb).toBe(841500);
    expect(linesOf({ flags: { max_file_size_mb: "841501" } })).toHaveLength(1);
  });

  test("is judged by the part size that the storage uses", () => {
    for (let fileMb of [1, 79_200, 79_201, 841_500, 841_501, maxObjectBytes / MIB]) {
      expect(memoryForFileMb(fileMb)).toBe((3 * partBytesFor(fileMb * MIB)) / MIB);
    }
    for (let memoryMb of [24, 26, 27, 256, 1589, 1590, 4000]) {
      let largest = largestFileMb(memoryMb);
      expect(memoryForFileMb(largest)).toBeLessThanOrEqual(memoryMb);
      if (largest < maxObjectBytes / MIB) expect(memoryForFileMb(largest + 1)).toBeGreaterThan(memoryMb);
    }
  });
});

test("the configuration is frozen, its lists included", () => {
  let config = configOf({ flags: { allowed_extensions: "jpg" } });
  expect(Object.isFrozen(config)).toBe(true);
  expect(Object.isFrozen(config.allowed_extensions)).toBe(true);
  expect(Object.isFrozen(config.allow_anonymous)).toBe(true);
});
