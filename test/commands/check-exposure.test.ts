import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { PutBucketPolicyCommand, S3Client } from "@aws-sdk/client-s3";

import { inspectModes } from "../../src/commands/check-modes.ts";
import { skipUnlessCi } from "../support/needs.ts";
import type { S3Server } from "../support/s3-servers/s3-server.ts";
import { startVersitygw, versitygwMissing } from "../support/s3-servers/versitygw.ts";

const folder = mkdtempSync(join(tmpdir(), "check-exposure-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function linesOf(work: (report: (...words: string[]) => void) => Promise<void>): Promise<string[]> {
  let lines: string[] = [];
  await work((...words) => lines.push(words.join(" ")));
  return lines;
}

describe("check and the modes of files", () => {
  let data = join(folder, "data");
  let modes = () => linesOf((report) => inspectModes(data, report));

  test("says nothing of a folder that is not there", async () => {
    expect(await modes()).toEqual([]);
  });

  test("is content with a folder that is the owner's alone, whatever a link in it leads to", async () => {
    mkdirSync(join(data, "internal"), { recursive: true, mode: 0o700 });
    chmodSync(data, 0o700);
    for (let name of ["uploads.db", "internal/state.db"])
      writeFileSync(join(data, name), "", { mode: 0o600 });
    symlinkSync("/etc/passwd", join(data, "link"));
    expect(await modes()).toEqual(["ok modes nobody else on this machine can get at the data folder"]);
  });

  test("lets the group read the catalog, which Datasette may have to, and nothing else", async () => {
    chmodSync(join(data, "uploads.db"), 0o640);
    expect(await modes()).toEqual(["ok modes nobody else on this machine can get at the data folder"]);
    chmodSync(data, 0o750);
    expect(await modes()).toEqual([
      "ok modes the group may read the catalog, and nobody else can get at the data folder",
    ]);
    chmodSync(data, 0o700);
    chmodSync(join(data, "uploads.db"), 0o644);
    expect((await modes())[0]).toContain("uploads.db (0644)");
    chmodSync(join(data, "uploads.db"), 0o600);
  });

  test("names what is too wide, and how to mend it", async () => {
    chmodSync(data, 0o755);
    chmodSync(join(data, "internal", "state.db"), 0o660);
    let [line = ""] = await modes();
    expect(line).toStartWith("warn modes others on this machine can get at ");
    expect(line).toContain(`${data} (0755)`);
    expect(line).toContain("state.db (0660)");
    expect(line).toEndWith(`: chmod -R go= ${data}`);
    let mended = Bun.spawnSync(["chmod", "-R", "go=", data]);
    expect([mended.exitCode, (await modes())[0]]).toEqual([
      0,
      "ok modes nobody else on this machine can get at the data folder",
    ]);
  });
});

let noServer = skipUnlessCi(versitygwMissing());

describe.skipIf(noServer)("check and a bucket", () => {
  let server: S3Server;
  beforeAll(async () => {
    if (!noServer) server = await startVersitygw();
  });
  afterAll(() => server?.stop());

  /** The whole command, as its reader sees it. */
  async function check(): Promise<{ code: number; lines: string[] }> {
    let run = Bun.spawn([process.execPath, "src/main.ts", "check", "--data-dir", join(folder, "none")], {
      cwd: join(import.meta.dir, "../.."),
      env: {
        PATH: process.env["PATH"] ?? "",
        S3_BUCKET: server.bucket,
        S3_ENDPOINT_URL: server.endpointUrl,
        AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
      },
    });
    let output = await new Response(run.stdout).text();
    return { code: await run.exited, lines: output.split("\n").filter((line) => line.includes("  public ")) };
  }

  async function allowStrangers(...actions: string[]): Promise<void> {
    let client = new S3Client({
      endpoint: server.endpointUrl,
      region: server.region,
      forcePathStyle: true,
      credentials: server.credentials,
    });
    let arn = `arn:aws:s3:::${server.bucket}`;
    let statements = actions.map((action) => ({
      Effect: "Allow",
      Principal: "*",
      Action: action,
      Resource: action === "s3:ListBucket" ? arn : `${arn}/*`,
    }));
    let Policy = JSON.stringify({ Version: "2012-10-17", Statement: statements });
    await client.send(new PutBucketPolicyCommand({ Bucket: server.bucket, Policy }));
    client.destroy();
  }

  test("is content when strangers are refused", async () => {
    let { code, lines } = await check();
    expect([code, lines]).toEqual([
      0,
      ["ok    public          strangers can neither read nor list the bucket"],
    ]);
  });

  test("warns when everybody may read its objects", async () => {
    await allowStrangers("s3:GetObject");
    let { code, lines } = await check();
    expect([code, lines.length]).toEqual([0, 1]);
    expect(lines[0]).toStartWith(
      "warn  public          everybody who has the address of an object may read it",
    );
  });

  test("warns when everybody may list it as well", async () => {
    await allowStrangers("s3:GetObject", "s3:ListBucket");
    let { lines } = await check();
    expect(lines).toHaveLength(2);
    expect(lines[0]).toStartWith("warn  public          everybody may list the bucket");
  });
});
