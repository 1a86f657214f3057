import { describe, expect, test } from "bun:test";

import type { ConfigKey } from "../../src/config/keys.ts";
import { configOf, faultsOf, linesOf } from "./load-helpers.ts";

/** Text as flags and variables give it, and what it means. */
const GOOD: [ConfigKey, string, unknown][] = [
  ["port", "0", 0],
  ["port", " 65535 ", 65535],
  ["max_file_size_mb", "1", 1],
  ["min_upload_rate", "0", 0],
  ["s3_force_path_style", "YES", true],
  ["s3_force_path_style", "0", false],
  ["s3_force_path_style", "false", false],
  ["duplicates", "Link", "link"],
  ["s3_prefix", "/", ""],
  ["s3_prefix", "/a/b", "a/b/"],
  ["s3_prefix", "a/b_c=1/", "a/b_c=1/"],
  ["base_path", "/", ""],
  ["base_path", "files", "/files"],
  ["base_path", "/a/b-c/~d/", "/a/b-c/~d"],
  ["host", "[::1]", "::1"],
  ["host", "Files.Example.org", "files.example.org"],
  ["public_url", "https://files.example.org/", "https://files.example.org"],
  ["public_url", "https://files.example.org:443", "https://files.example.org"],
  ["public_url", "http://10.0.0.1:8080/-/s3-uploads/", "http://10.0.0.1:8080"],
  ["allowed_mime_types", "image/*, Application/PDF ,image/*", ["image/*", "application/pdf"]],
  ["allowed_extensions", ".JPG,*.png,tar.gz,,", ["jpg", "png", "tar.gz"]],
  ["trusted_proxies", "10.0.0.0/8,::1,fd00::/8", ["10.0.0.0/8", "::1", "fd00::/8"]],
  ["allow_anonymous", "none", []],
  ["allow_anonymous", "View,upload", ["view", "upload"]],
  ["db_table_name", "Photos_2026", "Photos_2026"],
  ["log_level", "silent", "silent"],
];

const BAD: [ConfigKey, string][] = [
  ...["12abc", "abc", "-1", "65536", "1e3", "0x50", "8080.5", "8,080", "NaN", "Infinity"].map(
    (value): [ConfigKey, string] => ["port", value],
  ),
  ["max_file_size_mb", "0"],
  ["max_file_size_mb", "5242881"],
  ["max_file_size_mb", "99999999999999999999"],
  ["upload_memory_mb", "23"],
  ["stall_timeout_s", "0"],
  ["s3_force_path_style", "maybe"],
  ["duplicates", "keep"],
  ["type_mismatch", "refuse"],
  ["gps", "strip"],
  ["log_level", "loud"],
  ["s3_bucket", "s3://bucket"],
  ["s3_bucket", "bucket/path"],
  ["s3_bucket", "ab"],
  ["s3_region", "eu west"],
  ["s3_prefix", "a//b"],
  ["s3_prefix", "../a"],
  ["s3_prefix", ".hidden/a"],
  ["s3_prefix", "ä/"],
  ["s3_prefix", "a".repeat(513)],
  ["base_path", "/a/../b"],
  ["base_path", "/a//b"],
  ["base_path", '/"><script>'],
  ["base_path", "/a b"],
  ["host", "http://127.0.0.1"],
  ["host", "127.0.0.1:80"],
  ["host", "300.1.1.1"],
  ["host", "-a"],
  ["public_url", "files.example.org"],
  ["public_url", "ftp://files.example.org"],
  ["public_url", "https://files.example.org/?a=1"],
  ["public_url", "https://user@files.example.org"],
  ["public_url", "https://files.example.org/elsewhere"],
  ["s3_endpoint_url", "localhost:9000"],
  ["s3_endpoint_url", "http://"],
  ["allowed_mime_types", "image"],
  ["allowed_mime_types", "*/*"],
  ["blocked_extensions", "a/b"],
  ["trusted_proxies", "10.0.0.0/33"],
  ["trusted_proxies", "proxy.example.org"],
  ["allow_anonymous", "none,view"],
  ["allow_anonymous", "admin"],
  ["db_table_name", "1table"],
  ["db_table_name", "a-b"],
  ["db_table_name", "sqlite_x"],
  ["db_table_name", "a".repeat(64)],
  ["data_dir", "a\0b"],
  ["s3_storage_class", "standard ia"],
  ["s3_server_side_encryption", "AES128"],
];

/** A bucket, so that the keys of a bucket make sense. */
const env = { S3_BUCKET: "some-bucket" };

function files(content: object) {
  return { configFile: "c.json", files: { "c.json": JSON.stringify(content) } };
}

describe("a value given as text", () => {
  for (let [key, given, meant] of GOOD) {
    test(`${key} ${JSON.stringify(given)} is ${JSON.stringify(meant)}`, () => {
      expect(configOf({ env, flags: { [key]: given } })[key]).toEqual(meant as never);
    });
  }

  for (let [key, given] of BAD) {
    test(`${key} ${JSON.stringify(given.slice(0, 30))} is refused with key, source, rule and value`, () => {
      let [fault, ...more] = faultsOf({ env, flags: { [key]: given } });
      expect(more).toEqual([]);
      expect(fault).toMatchObject({ key, source: `flag --${key.replaceAll("_", "-")}` });
      expect(fault?.rule).toMatch(/^(must|is) /);
      expect(fault?.value).toStartWith('"');
      expect(linesOf({ env, flags: { [key]: given } })[0]).not.toContain("\n");
    });
  }
});

describe("a value in a file", () => {
  test("may be a number, a boolean or a list, or text that means the same", () => {
    let given = { s3_bucket: "abc", port: 81, s3_force_path_style: true, allowed_extensions: ["JPG", "png"] };
    expect(configOf(files(given))).toMatchObject({ ...given, allowed_extensions: ["jpg", "png"] });
    let asText = { s3_bucket: "abc", port: "81", s3_force_path_style: "yes", allowed_extensions: "jpg,png" };
    expect(configOf(files(asText))).toMatchObject({ ...given, allowed_extensions: ["jpg", "png"] });
  });

  test("may be an empty list: nobody may do anything", () => {
    expect(configOf(files({ allow_anonymous: [] })).allow_anonymous).toEqual([]);
  });

  test("that is null counts as not given", () => {
    expect(configOf(files({ port: null, s3_bucket: null })).port).toBe(8080);
  });

  for (let [key, value] of Object.entries({
    port: [true, 80.5, {}, []],
    s3_force_path_style: [2, []],
    s3_bucket: [2024, true, ["a"]],
    allowed_extensions: [5, [5], { jpg: true }, [{}]],
    allow_anonymous: [false, ["none", "view"]],
  })) {
    for (let given of value) {
      test(`${key}: ${JSON.stringify(given)} is refused`, () => {
        expect(faultsOf(files({ [key]: given })).map((fault) => fault.key)).toEqual([key]);
      });
    }
  }
});
