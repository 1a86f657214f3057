import { afterAll, beforeAll, expect, test } from "bun:test";

import { bytesOf } from "../store/bodies.ts";
import type { Operation } from "../support/s3-fake/faults.ts";
import { createFaultWorld, type FaultWorld } from "./world.ts";

const MIB = 1024 * 1024;
export const small = bytesOf(5000);
/** Two parts. */
export const large = bytesOf(9 * MIB);
/** For tests that wait for each other and for time-outs. */
export const longestTestMs = 120_000;

/** The calls of an upload, and a file that makes them. */
export const uploadSteps: [Operation, Uint8Array][] = [
  ["PutObject", small],
  ["CreateMultipartUpload", large],
  ["UploadPart", large],
  ["CompleteMultipartUpload", large],
];

/** Tells the rows that are there when it has ended. */
type Work = (world: FaultWorld, rows: number) => Promise<number>;

/**
 * A world for each step: the tests of one step come one after the other, those of different steps go on at the same time,
 * since most of their time they wait.
 */
export function createSteps(steps: Operation[]) {
  let worlds = new Map<Operation, { world: FaultWorld; rows: number; turn: Promise<void> }>();

  beforeAll(async () => {
    for (let step of steps) {
      worlds.set(step, { world: await createFaultWorld(), rows: 0, turn: Promise.resolve() });
    }
  }, longestTestMs);
  afterAll(async () => {
    for (let { world } of worlds.values()) await world.close();
  }, longestTestMs);

  function at(step: Operation, name: string, work: Work): void {
    test.concurrent(
      `${step}: ${name}`,
      async () => {
        let own = worlds.get(step)!;
        let { world, turn: before } = own;
        let ended = Promise.withResolvers<void>();
        own.turn = ended.promise;
        await before;
        world.proxy.calls.length = 0;
        try {
          own.rows = await work(world, own.rows);
        } finally {
          world.proxy.script.heal();
          ended.resolve();
        }
      },
      longestTestMs,
    );
  }

  return {
    at,
    /** To be called last: what was acknowledged is there, once, and nothing else. */
    nothingIsLeft(step: Operation): void {
      at(step, "in the end every file is there once, and nothing is left", async (world, rows) => {
        await world.restart();
        await world.settled(rows);
        return rows;
      });
    },
  };
}

/** Uploads what has to be taken; gives the id. */
export async function stored({ put }: FaultWorld, bytes: Uint8Array): Promise<number> {
  let answer = await put("a.bin", bytes);
  let text = await answer.text();
  expect({ status: answer.status, text }).toMatchObject({ status: 201 });
  return (JSON.parse(text) as { file_id: number }).file_id;
}
