import { describe, expect, test } from "bun:test";
import { inspect } from "node:util";

import { hideSecrets } from "../../src/config/fault.ts";
import { redactedConfig, secretsOf } from "../../src/config/redact.ts";
import { configOf, linesOf, type Sources } from "./load-helpers.ts";

const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

describe("a secret never shows in a fault", () => {
  let cases: Record<string, Sources> = {
    "with a bad character": { env: { AWS_SECRET_ACCESS_KEY: `${secret} x` } },
    "without its access key": { env: { AWS_SECRET_ACCESS_KEY: secret } },
    "given as a flag": { flags: { aws_secret_access_key: secret, aws_session_token: secret } },
    "given as the access key": { env: { AWS_ACCESS_KEY_ID: secret } },
    "that strayed into another key": {
      env: {
        AWS_SECRET_ACCESS_KEY: secret,
        AWS_ACCESS_KEY_ID: "id",
        S3_BUCKET: `${"x".repeat(70)}/${secret}`,
      },
    },
    "in an unknown variable": { env: { S3_UPLOADS_AWS_SECRET_ACCESS_KEY: secret } },
    "under an unknown key of a file": {
      configFile: "a.yaml",
      files: { "a.yaml": `secret_key: "${secret}"` },
    },
    "in an address": {
      env: { S3_BUCKET: "abc", S3_ENDPOINT_URL: `https://user:${secret.replaceAll("/", "")}@host` },
    },
    "in the query of an address": { env: { S3_UPLOADS_PUBLIC_URL: `https://a.example/?sig=${secret}` } },
    "in a mapping": {
      configFile: "a.json",
      files: { "a.json": JSON.stringify({ s3_bucket: { password: secret } }) },
    },
    "in place of a variable's name": {
      configFile: "a.json",
      files: { "a.json": JSON.stringify({ aws_secret_access_key: { $env: secret } }) },
    },
    "in place of a file's name": {
      configFile: "a.json",
      files: { "a.json": JSON.stringify({ aws_session_token: { $file: secret } }) },
    },
    "read by $env": {
      env: { MY_SECRET: secret },
      configFile: "a.yaml",
      files: { "a.yaml": 'aws_secret_access_key: {"$env": MY_SECRET}' },
    },
    "in a file that is not well-formed": {
      configFile: "a.toml",
      files: { "a.toml": `aws_secret_access_key = ${secret}` },
    },
    "in JSON that is not well-formed": {
      configFile: "a.json",
      files: { "a.json": `{"aws_secret_access_key": ${secret}}` },
    },
    "in YAML that is not well-formed": {
      configFile: "a.yaml",
      files: { "a.yaml": `aws_secret_access_key: [${secret}\n}` },
    },
  };
  for (let [name, sources] of Object.entries(cases)) {
    test(name, () => {
      let lines = linesOf(sources).join("\n");
      expect(lines).not.toBe("");
      expect(lines).not.toContain(secret);
      expect(lines).not.toContain(secret.slice(-4));
      expect(lines).not.toContain(secret.slice(0, 6));
    });
  }
});

describe("a configuration with secrets", () => {
  let config = configOf({
    env: {
      AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
      AWS_SECRET_ACCESS_KEY: secret,
      AWS_SESSION_TOKEN: `token${secret}`,
    },
  });

  test("holds them", () => {
    expect(config.aws_secret_access_key).toBe(secret);
    expect({ ...config }.aws_session_token).toBe(`token${secret}`);
  });

  test("shows them masked, and none as null", () => {
    expect(redactedConfig(config)).toMatchObject({
      aws_access_key_id: "****",
      aws_secret_access_key: "****",
      aws_session_token: "****",
      port: 8080,
    });
    expect(redactedConfig(configOf({})).aws_secret_access_key).toBeNull();
  });

  test("does not give them away when it is logged", () => {
    for (let shown of [
      JSON.stringify({ config }),
      Bun.inspect({ config }),
      inspect(config),
      String(config),
    ]) {
      expect(shown).not.toContain(secret);
      expect(shown).not.toContain("AKIDEXAMPLE");
    }
  });

  test("masks them in what others wrote", () => {
    expect(hideSecrets(`signed with ${secret}.`, secretsOf(config))).toBe("signed with ****.");
  });

  test("does not tear words apart for a secret that is hardly one", () => {
    expect(hideSecrets("a bucket", ["a", "b"])).toBe("a bucket");
  });
});
