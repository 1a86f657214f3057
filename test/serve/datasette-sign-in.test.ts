import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { tmpdir } from "node:os";

import { datasettePrograms, noDatasetteProgram } from "../support/datasette-program.ts";
import { freePort } from "../support/free-port.ts";
import { createWorld } from "./world.ts";

setDefaultTimeout(90_000);

const secret = "shared between datasette and the uploads";

/** Signs in to a real Datasette as root, by its one-time link; resolves to the cookie. */
async function signInAsRoot(program: string): Promise<{ version: string; cookie: string }> {
  let version = Bun.spawnSync([program, "--version"]).stdout.toString().trim();
  let port = freePort();
  let datasette = Bun.spawn([program, "--memory", "--root", "--secret", secret, "--port", String(port)], {
    env: { PATH: process.env["PATH"] ?? "", HOME: tmpdir() },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
  });
  try {
    let told = "";
    let decoder = new TextDecoder();
    for await (let chunk of datasette.stdout) {
      told += decoder.decode(chunk, { stream: true });
      if (/auth-token\?token=\w+/.test(told)) break;
    }
    let path = /\/-\/auth-token\?token=\w+/.exec(told)?.[0];
    for (let tries = 0; ; tries++) {
      let answer = await fetch(`http://127.0.0.1:${port}${path}`, { redirect: "manual" }).catch(() => null);
      let cookie = /ds_actor=("?)([^;"]+)\1/.exec(answer?.headers.get("Set-Cookie") ?? "")?.[2];
      if (cookie !== undefined) return { version, cookie };
      if (tries > 300) throw new Error(`Datasette gave no cookie: ${told}`);
      await Bun.sleep(100);
    }
  } finally {
    datasette.kill("SIGKILL");
    await datasette.exited;
  }
}

describe.skipIf(noDatasetteProgram)("whoever has signed in to Datasette", () => {
  test.each(datasettePrograms)("is known here by its cookie (%s)", async (program) => {
    let { version, cookie } = await signInAsRoot(program);
    expect(version).toContain("datasette, version");
    let world = await createWorld("local", {
      S3_UPLOADS_ALLOW_ANONYMOUS: "none",
      DATASETTE_SECRET: secret,
    });
    try {
      let ask = async (value: string) =>
        (await fetch(`${world.server.base}/admin/tokens`, { headers: { Cookie: `ds_actor=${value}` } }))
          .status;
      expect(await ask(cookie)).toBe(200);
      expect(await ask(cookie.replace(/^./, (first) => (first === "A" ? "B" : "A")))).toBe(401);
      let [payload, signature] = cookie.split(".");
      let forged = Buffer.from('{"a":{"id":"ann"}}').toString("base64url");
      expect(payload).not.toBe(forged);
      expect(await ask(`${forged}.${signature}`)).toBe(401);
      expect(world.server.stderr()).not.toContain(secret);
    } finally {
      await world.close();
    }
  });
});
