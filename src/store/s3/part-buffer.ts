import type { ByteBudget } from "../../byte-budget.ts";
import type { Spool, SpoolFile } from "../../spool.ts";
import { KIB } from "../../units.ts";
import type { HeldBytes } from "../storage.ts";
import { type Block, blockBytes, type BlockPool } from "./block-pool.ts";

/** What a sender that has sent little, or nothing for long, holds: not taken from the budget, but counted with each file. */
export const firstBlockBytes = 64 * KIB;

export interface PartMemory {
  budget: ByteBudget;
  spool: Spool;
  pool: BlockPool;
}

/** The bytes of a part, in order; the name `byteLength` is what the SDK looks for. */
export interface PartBytes {
  readonly byteLength: number;
  readonly blocks: readonly Block[];
}

/**
 * One part while it fills. The first bytes come into a small block, which nobody has to wait for; with more than those the whole part is counted in the
 * budget at once, so that who has begun to fill one can finish it, but takes memory block by block. Who then is slow while
 * others wait moves to disk, and comes back when the part is full and its turn has come.
 */
export interface PartBuffer {
  readonly sizeBytes: number;
  /** Takes a beginning of the bytes and tells how many those were; at once while there is memory, which is nearly always. */
  append(bytes: Uint8Array, signal: AbortSignal): number | Promise<number>;
  /** The bytes in memory, with those that are kept elsewhere unless told; to be called once, when no more come. */
  seal(signal: AbortSignal, options?: { withPrefix: boolean }): Promise<PartBytes>;
  /** Gives everything back; what seal returned must not be used after. */
  release(): void;
}

/** @param prefix bytes of the part that are kept elsewhere, and are fetched when it is sealed; they count from the start */
export function createPartBuffer(
  partBytes: number,
  memory: PartMemory,
  prefix: HeldBytes | null = null,
): PartBuffer {
  let { budget, spool, pool } = memory;
  let prefixBytes = prefix?.byteLength ?? 0;
  /** What comes by `append`. */
  let capacityBytes = partBytes - prefixBytes;
  let prefixBlocks: Block[] = [];
  let blocks: Block[] = [];
  /** In blocks, and of the budget. */
  let heldBytes = 0;
  let takenBytes = 0;
  let file: SpoolFile | null = null;
  let sizeBytes = 0;
  let spillError: unknown = null;
  let unregister: (() => void) | null = null;

  function spill(): void {
    if (file) return;
    file = spool.create();
    for (let block of filledBlocks()) file.append(block);
    freeBlocks();
  }

  /** Called by the budget's timer, where nobody could catch: an error waits for the next append. */
  function relieve(): void {
    try {
      spill();
    } catch (error) {
      spillError = error;
    }
  }

  function addBlock(bytes: number): void {
    blocks.push(pool.take(bytes));
    heldBytes += bytes;
  }

  function freeBlocks(): void {
    let bytes = takenBytes;
    for (let block of [...prefixBlocks, ...blocks]) pool.give(block);
    prefixBlocks = [];
    blocks = [];
    heldBytes = 0;
    takenBytes = 0;
    if (bytes > 0) budget.give(bytes);
  }

  /** The blocks without what is still empty of the last one. */
  function filledBlocks(): Block[] {
    let last = blocks.at(-1);
    if (!last || sizeBytes === heldBytes) return blocks;
    return [...blocks.slice(0, -1), last.subarray(0, last.length - (heldBytes - sizeBytes))];
  }

  function add(bytes: Uint8Array): number {
    if (spillError) throw spillError;
    let room = (file ? capacityBytes : heldBytes) - sizeBytes;
    let fits = bytes.length > room ? bytes.subarray(0, room) : bytes;
    let last = blocks.at(-1);
    if (file) file.append(fits);
    else last?.set(fits, last.length - room);
    sizeBytes += fits.length;
    return fits.length;
  }

  function addToNewBlock(bytes: Uint8Array): number {
    let most = sizeBytes === 0 ? firstBlockBytes : blockBytes;
    addBlock(Math.min(most, capacityBytes - sizeBytes));
    return add(bytes);
  }

  function addTaken(bytes: Uint8Array): number {
    takenBytes = partBytes;
    unregister = budget.register({ sinceMs: performance.now(), relieve });
    return addToNewBlock(bytes);
  }

  async function fetchPrefix(held: HeldBytes, signal: AbortSignal): Promise<void> {
    if (takenBytes === 0) {
      await budget.take(prefixBytes, signal);
      takenBytes = prefixBytes;
    }
    for (let at = 0; at < prefixBytes;) {
      let block = pool.take(Math.min(blockBytes, prefixBytes - at));
      prefixBlocks.push(block);
      held.readInto(block, at);
      at += block.length;
    }
  }

  return {
    get sizeBytes() {
      return sizeBytes;
    },

    append(bytes, signal) {
      if (file || sizeBytes < heldBytes || sizeBytes === capacityBytes) return add(bytes);
      if (sizeBytes === 0 || takenBytes > 0) return addToNewBlock(bytes);
      if (budget.tryTake(partBytes)) return addTaken(bytes);
      return budget.take(partBytes, signal).then(() => addTaken(bytes));
    },

    async seal(signal, { withPrefix } = { withPrefix: true }) {
      unregister?.();
      if (spillError) throw spillError;
      if (file) {
        await budget.take(sizeBytes + prefixBytes, signal);
        takenBytes = sizeBytes + prefixBytes;
        while (heldBytes < sizeBytes) {
          let from = heldBytes;
          addBlock(Math.min(blockBytes, sizeBytes - from));
          file.readInto(blocks.at(-1)!, from);
        }
        file.discard();
      }
      if (withPrefix && prefix && prefixBytes > 0) await fetchPrefix(prefix, signal);
      let fetchedBytes = prefixBlocks.length > 0 ? prefixBytes : 0;
      return { byteLength: fetchedBytes + sizeBytes, blocks: [...prefixBlocks, ...filledBlocks()] };
    },

    release() {
      unregister?.();
      file?.discard();
      freeBlocks();
    },
  };
}
