import type { ByteBudget } from "../../byte-budget.ts";
import type { Spool, SpoolFile } from "../../spool.ts";
import { KIB } from "../../units.ts";
import { minPartBytes } from "./part-plan.ts";

const firstCapacityBytes = 64 * KIB;
const growthFactor = 4;
/** Whole-part buffers kept for the next part: a new one costs 2 ms of page faults for each 8 MiB. */
const maxIdleBuffers = 4;

export interface PartMemory {
  budget: ByteBudget;
  spool: Spool;
  /** Buffers waiting for their next part; few enough not to be counted in the budget. */
  idle: Uint8Array<ArrayBuffer>[];
}

/**
 * One part while it fills. It holds about as many bytes as have come: a small buffer that grows, or a whole part's
 * buffer at once while more than half of the budget is free. Where memory is short it moves to disk, and comes back
 * when it is full and its turn has come; so nobody holds one buffer while waiting for a second.
 */
export interface PartBuffer {
  readonly sizeBytes: number;
  /** Takes what fits and tells how many bytes that were; at once while there is room, which is nearly always. */
  append(bytes: Uint8Array, signal: AbortSignal): number | Promise<number>;
  /** The bytes in memory; to be called once, when no more come. */
  seal(signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  /** Gives everything back; what seal returned must not be used after. */
  release(): void;
}

export function createPartBuffer(capacityLimit: number, memory: PartMemory): PartBuffer {
  let { budget, spool, idle } = memory;
  let buffer: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  let file: SpoolFile | null = null;
  let sizeBytes = 0;
  let waiting: AbortController | null = null;
  let spillError: unknown = null;
  let unregister: (() => void) | null = null;

  function spill(): void {
    if (file) return;
    file = spool.create();
    file.append(buffer.subarray(0, sizeBytes));
    freeBuffer();
  }

  /** Called by the budget's timer, where nobody could catch: an error waits for the next append. */
  function relieve(): void {
    if (waiting) return waiting.abort();
    try {
      spill();
    } catch (error) {
      spillError = error;
    }
  }

  function freeBuffer(): void {
    let freed = buffer;
    buffer = new Uint8Array(0);
    if (freed.length === capacityLimit && freed.length >= minPartBytes && idle.length < maxIdleBuffers)
      idle.push(freed);
    if (freed.length > 0) budget.give(freed.length);
  }

  function allocate(capacity: number): Uint8Array<ArrayBuffer> {
    let at = idle.findIndex((candidate) => candidate.length === capacity);
    return at >= 0 ? idle.splice(at, 1)[0]! : new Uint8Array(capacity);
  }

  async function grow(neededBytes: number, signal: AbortSignal): Promise<void> {
    let roomy = budget.heldBytes + capacityLimit <= budget.limitBytes / 2;
    let stepped = Math.max(firstCapacityBytes, buffer.length * growthFactor, neededBytes);
    let capacity = roomy ? capacityLimit : Math.min(stepped, capacityLimit);
    let more = capacity - buffer.length;
    if (!budget.tryTake(more)) {
      waiting = new AbortController();
      try {
        await budget.take(more, AbortSignal.any([signal, waiting.signal]));
      } catch {
        signal.throwIfAborted();
        return spill();
      } finally {
        waiting = null;
      }
    }
    let larger = allocate(capacity);
    larger.set(buffer.subarray(0, sizeBytes));
    buffer = larger;
  }

  function add(bytes: Uint8Array): number {
    if (spillError) throw spillError;
    if (file) file.append(bytes);
    else buffer.set(bytes, sizeBytes);
    sizeBytes += bytes.length;
    return bytes.length;
  }

  return {
    get sizeBytes() {
      return sizeBytes;
    },

    append(bytes, signal) {
      if (sizeBytes === 0) unregister = budget.register({ sinceMs: performance.now(), relieve });
      let fits =
        bytes.length > capacityLimit - sizeBytes ? bytes.subarray(0, capacityLimit - sizeBytes) : bytes;
      if (file || sizeBytes + fits.length <= buffer.length) return add(fits);
      return grow(sizeBytes + fits.length, signal).then(() => add(fits));
    },

    async seal(signal) {
      unregister?.();
      if (spillError) throw spillError;
      if (file) {
        await budget.take(capacityLimit, signal);
        buffer = allocate(capacityLimit);
        file.readInto(buffer);
        file.discard();
      }
      return buffer.subarray(0, sizeBytes);
    },

    release() {
      unregister?.();
      file?.discard();
      freeBuffer();
    },
  };
}
