import type { ByteBudget } from "../../byte-budget.ts";
import { MIB } from "../../units.ts";

export type Block = Uint8Array<ArrayBuffer>;

/** Large enough to be sent in one go, small enough that an unfinished part holds little more than has come. */
export const blockBytes = MIB;
/** Blocks kept when nobody uploads: those of three parts. A new one costs 0.25 ms of page faults. */
const maxBlocksAtRest = 24;

/**
 * Memory for parts. What is lent is counted by whoever takes it. What waits here fits into what is free of the budget, or is
 * that little which stays when nobody uploads.
 */
export interface BlockPool {
  /** A block of exactly this many bytes, with anything in it. */
  take(bytes: number): Block;
  /** Takes a block back; it must not be used after. */
  give(block: Block): void;
}

export function createBlockPool(budget: ByteBudget): BlockPool {
  let idle: Block[] = [];
  let lent = 0;

  function trim(): void {
    let most = lent === 0 ? maxBlocksAtRest : Math.max(0, Math.floor(budget.freeBytes / blockBytes));
    while (idle.length > most) discard(idle.pop()!);
  }

  return {
    take(bytes) {
      let block = (bytes === blockBytes && idle.pop()) || new Uint8Array(bytes);
      lent++;
      trim();
      return block;
    },
    give(block) {
      lent--;
      if (block.length === blockBytes) idle.push(block);
      else discard(block);
      trim();
    },
  };
}

/** At once: the garbage collector, which sees a small object, would let hundreds of them pile up. */
function discard(block: Block): void {
  block.buffer.transfer(0);
}
