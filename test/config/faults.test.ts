import { describe, expect, test } from "bun:test";

import { formatFaults } from "../../src/config/fault.ts";
import { faultsOf, linesOf } from "./load-helpers.ts";

describe("keys that contradict each other", () => {
  let bucket = { S3_BUCKET: "some-bucket" };
  for (let [env, expected] of [
    [
      { AWS_ACCESS_KEY_ID: "id" },
      "aws_access_key_id = **** (variable AWS_ACCESS_KEY_ID): needs aws_secret_access_key beside it",
    ],
    [
      { AWS_SECRET_ACCESS_KEY: "x" },
      "aws_secret_access_key = **** (variable AWS_SECRET_ACCESS_KEY): needs aws_access_key_id beside it",
    ],
    [
      { AWS_SESSION_TOKEN: "x" },
      "aws_session_token = **** (variable AWS_SESSION_TOKEN): needs aws_access_key_id and aws_secret_access_key beside it",
    ],
    [
      { ...bucket, S3_KMS_KEY_ID: "alias/a" },
      's3_kms_key_id = "alias/a" (variable S3_KMS_KEY_ID): needs s3_server_side_encryption to be aws:kms or aws:kms:dsse',
    ],
    [
      { ...bucket, S3_KMS_KEY_ID: "alias/a", S3_SERVER_SIDE_ENCRYPTION: "AES256" },
      's3_kms_key_id = "alias/a" (variable S3_KMS_KEY_ID): needs s3_server_side_encryption to be aws:kms or aws:kms:dsse',
    ],
    [
      { S3_ENDPOINT_URL: "http://minio:9000" },
      's3_endpoint_url = "http://minio:9000" (variable S3_ENDPOINT_URL): is of no use without s3_bucket: set s3_bucket, or remove this',
    ],
    [
      { S3_UPLOADS_DOWNLOAD: "redirect" },
      'download = "redirect" (variable S3_UPLOADS_DOWNLOAD): redirect needs a bucket: set s3_bucket, or use auto',
    ],
    [
      { S3_UPLOADS_PUBLIC_URL: "https://a.example/b" },
      'public_url = "https://a.example/b" (variable S3_UPLOADS_PUBLIC_URL): must have no path, or the path of base_path (/-/s3-uploads), because every link begins with that',
    ],
  ] as const) {
    test(expected, () => expect(linesOf({ env })).toEqual([expected]));
  }

  test("are left alone when they fit", () => {
    let aws = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "x", AWS_SESSION_TOKEN: "y" };
    let kms = { S3_KMS_KEY_ID: "alias/a", S3_SERVER_SIDE_ENCRYPTION: "AWS:KMS" };
    expect(linesOf({ env: { ...bucket, ...aws, ...kms } })).toEqual([]);
  });

  test("are not judged by a value that is a fault by itself", () => {
    expect(
      faultsOf({ env: { S3_BUCKET: "a/b", S3_ENDPOINT_URL: "http://minio:9000" } }).map(({ key }) => key),
    ).toEqual(["s3_bucket"]);
  });
});

describe("names that nobody knows", () => {
  test("in the environment are faults when they have our prefix", () => {
    let env = {
      S3_UPLOADS_PROT: "1",
      S3_UPLOADS_S3_BUCKET: "b",
      S3_UPLOADS_COLOUR: "red",
      S3_BUKCET: "other",
      HOME: "/",
    };
    expect(linesOf({ env })).toEqual([
      "S3_UPLOADS_PROT (environment): is not a variable of s3-uploads. Did you mean S3_UPLOADS_PORT?",
      "S3_UPLOADS_S3_BUCKET (environment): is not a variable of s3-uploads. Did you mean S3_BUCKET?",
      "S3_UPLOADS_COLOUR (environment): is not a variable of s3-uploads.",
    ]);
  });

  test("in flags and files are faults", () => {
    expect(
      linesOf({ flags: { prot: "1" }, configFile: "a.yaml", files: { "a.yaml": "data-dirr: x\nbucket: y" } }),
    ).toEqual([
      "prot (flag --prot): is not a setting. Did you mean port?",
      "data-dirr (file a.yaml): is not a setting. Did you mean data_dir?",
      "bucket (file a.yaml): is not a setting. Did you mean s3_bucket?",
    ]);
  });

  test("that objects have by nature are no keys", () => {
    let files = { "a.json": '{"constructor": 1, "__proto__": {"port": 1}, "toString": 2}' };
    let keys = faultsOf({ configFile: "a.json", files }).map(({ key }) => key);
    expect(keys).toContain("constructor");
    expect(keys).toContain("toString");
  });
});

test("all faults are told at once, a line each", () => {
  let text = formatFaults(
    faultsOf({
      flags: { port: "12abc" },
      env: { S3_UPLOADS_GPS: "strip", S3_UPLOADS_X: "1", AWS_SECRET_ACCESS_KEY: "x" },
      configFile: "a.yaml",
      files: { "a.yaml": "hots: x\nhost: 'a b'" },
    }),
  );
  let [head, ...rest] = text.trimEnd().split("\n");
  expect(head).toBe("The configuration has 6 faults:");
  expect(rest).toHaveLength(6);
  expect(rest).toContain('  port = "12abc" (flag --port): must be a whole number from 0 to 65535');
  expect(formatFaults(faultsOf({ flags: { port: "x" } }))).toStartWith(
    "The configuration has a fault:\n  port",
  );
});

test("a value is shown on one line of bounded length", () => {
  let [line = ""] = linesOf({ flags: { host: `a\nb${"x".repeat(5000)}` } });
  expect(line).toStartWith('host = "a\\nbxxx');
  expect(line.length).toBeLessThan(200);
});
