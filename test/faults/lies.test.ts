import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";

import { expectError } from "../support/expect-error.ts";
import { large, longestTestMs, small, stored } from "./steps.ts";
import { createFaultWorld, type FaultWorld } from "./world.ts";

let world: FaultWorld;

beforeAll(async () => {
  world = await createFaultWorld();
}, longestTestMs);
afterEach(() => world.proxy.script.heal());
afterAll(() => world.close(), longestTestMs);

async function difference(work: () => Promise<unknown>) {
  let before = await world.census();
  await work();
  let after = await world.census();
  return {
    rows: after.rows - before.rows,
    objects: after.objects - before.objects,
    unfinished: after.unfinished - before.unfinished,
  };
}

const lie = { kind: "lie" } as const;

describe("a bucket that says 200 and has done nothing is found out", () => {
  for (let step of ["CreateMultipartUpload", "UploadPart"] as const) {
    test(
      `at ${step}, before anybody is told that the file is stored`,
      async () => {
        let { rows } = await world.census();
        world.proxy.script.fail(step, lie);
        await expectError(await world.put("a.bin", large), 502, "storage_error");
        await world.settled(rows);
      },
      longestTestMs,
    );
  }
});

// What looks whole in every answer can't be seen by whoever only hears the answers. `reconcile` looks into the bucket: it
// reports these rows and objects, and its `--repair` removes what nobody owns.
describe("a lie that nobody can see at once leaves what reconcile finds", () => {
  test("a row without its object, after PutObject", async () => {
    world.proxy.script.fail("PutObject", lie);
    let id = 0;
    let left = await difference(async () => (id = await stored(world, small)));
    expect(left).toEqual({ rows: 1, objects: 0, unfinished: 0 });
    await expectError(await fetch(`${world.server.base}/files/${id}/download`), 410, "gone");
  });

  test("a row without its object and an unfinished upload, after Complete", async () => {
    world.proxy.script.fail("CompleteMultipartUpload", lie);
    let left = await difference(() => stored(world, large));
    expect(left).toEqual({ rows: 1, objects: 0, unfinished: 1 });
  });

  test("an object without a row, after Delete", async () => {
    let left = await difference(async () => {
      let id = await stored(world, small);
      world.proxy.script.fail("DeleteObject", lie);
      expect((await world.delete(id)).status).toBe(200);
    });
    expect(left).toEqual({ rows: 0, objects: 1, unfinished: 0 });
  });

  test("an unfinished upload is not left by a lie to Abort: it is ended two times", async () => {
    world.proxy.script.fail(
      "UploadPart",
      { kind: "status", status: 403, code: "AccessDenied" },
      { times: 9 },
    );
    world.proxy.script.fail("AbortMultipartUpload", lie, { times: 1 });
    let left = await difference(() => world.put("a.bin", large));
    // The put's own abort was lied to, that of the undoing was not.
    expect(left).toEqual({ rows: 0, objects: 0, unfinished: 0 });
  });
});
