import type { ByteStream } from "./domain.ts";
import { AppError } from "./errors.ts";
import type { Holder, Usage, UsageTable } from "./state/usage.ts";

/**
 * What tokens and invitations with limits may still send. A file on its way holds its place and its bytes in memory, so
 * that files that come at the same time can't use the same room twice; one that is taken is counted in the table.
 */
export interface Allowances {
  of(holder: Holder): Allowance;
  /** What can still be begun now; null when the holder is gone. */
  left(holder: Holder): { bytes: number | null; files: number | null } | null;
  /** Settles what an earlier process left open. To be called before anybody is answered and before rows are hidden. */
  settle(isThere: (uid: string) => Promise<boolean>): Promise<void>;
}

/** What one token or invitation may still send. */
export interface Allowance {
  /**
   * Begins a file. Throws AppError `quota_exceeded` when there is no room for it, `permission_denied` when the holder is
   * gone.
   * @param declaredBytes held from the start; null: held as they come
   */
  begin(declaredBytes: number | null): Hold;
}

/** The place of one file. */
export interface Hold {
  /**
   * The same bytes; throws `quota_exceeded` at the first that does not fit.
   * @param before bytes of the file that are here already, and were declared
   */
  counted(body: ByteStream, before?: number): ByteStream;
  /** Counts the file for good, before its row is made. Rejects as `begin` throws. */
  charge(uid: string, bytes: number): Promise<void>;
  /** The row is there. */
  settle(): void;
  /** The row is not there, or not any more: takes the count back. Harmless when there is none. */
  refund(): void;
  /** Gives the place up. To be called at the end, whatever became of the file. */
  release(): void;
}

export function createAllowances(table: UsageTable): Allowances {
  let held = new Map<string, { files: number; bytes: number }>();

  function heldBy({ type, id }: Holder) {
    let key = `${type} ${id}`;
    let now = held.get(key) ?? { files: 0, bytes: 0 };
    held.set(key, now);
    return {
      now,
      forget: () => {
        if (now.files === 0 && now.bytes === 0) held.delete(key);
      },
    };
  }

  function begin(holder: Holder, declaredBytes: number | null): Hold {
    let { now, forget } = heldBy(holder);
    let usage = table.find(holder);
    let mine = { files: 0, bytes: 0 };
    let charged: { uid: string; bytes: number } | null = null;

    function take(files: number, bytes: number): void {
      mine.files += files;
      mine.bytes += bytes;
      now.files += files;
      now.bytes += bytes;
    }

    /** Others may have been counted since: what they no longer hold, the table has. */
    function demand(files: number, bytes: number): void {
      usage = table.find(holder);
      if (usage === null) throw ended(holder);
      let left = leftOf(usage, now);
      if (left.files !== null && left.files < files) throw full(holder, null, null);
      if (left.bytes !== null && left.bytes < bytes)
        throw full(holder, left.bytes + mine.bytes, usage.maxBytes);
    }

    try {
      demand(1, declaredBytes ?? 0);
    } catch (error) {
      forget();
      throw error;
    }
    take(1, declaredBytes ?? 0);

    return {
      async *counted(body, before = 0) {
        let bytes = before;
        for await (let chunk of body) {
          bytes += chunk.byteLength;
          let more = bytes - mine.bytes;
          if (more > 0) {
            demand(0, more);
            take(0, more);
          }
          yield chunk;
        }
      },
      async charge(uid, bytes) {
        let counting = table.charge(holder, uid, bytes);
        // The table has it as from now, before it is on disk: held as well, it would take the room of two.
        take(-mine.files, -mine.bytes);
        if (!(await counting)) {
          let left = table.find(holder);
          throw left === null
            ? ended(holder)
            : full(holder, left.maxBytes && left.maxBytes - left.usedBytes, left.maxBytes);
        }
        charged = { uid, bytes };
      },
      settle() {
        let { uid } = charged ?? {};
        if (uid !== undefined) leftForLater(() => table.settle(uid));
      },
      refund() {
        let was = charged;
        charged = null;
        if (was) leftForLater(() => table.refund(holder, was.uid, was.bytes));
      },
      release() {
        take(-mine.files, -mine.bytes);
        forget();
      },
    };
  }

  return {
    of: (holder) => ({ begin: (declaredBytes) => begin(holder, declaredBytes) }),
    left(holder) {
      let usage = table.find(holder);
      return usage && leftOf(usage, held.get(`${holder.type} ${holder.id}`) ?? { files: 0, bytes: 0 });
    },
    async settle(isThere) {
      for (let { uid, holder, bytes } of table.unsettled()) {
        if (await isThere(uid)) table.settle(uid);
        else table.refund(holder, uid, bytes);
      }
    },
  };
}

/** A fault of the private database here must not change what became of the file; the next start settles it. */
function leftForLater(work: () => void): void {
  try {
    work();
  } catch {
    // As said.
  }
}

function ended({ type }: Holder): AppError {
  return new AppError("permission_denied", `The ${type} has ended.`);
}

/** @param leftBytes what this file could have had; null when it is the number of files */
function full({ type }: Holder, leftBytes: number | null, maxBytes: number | null): AppError {
  if (leftBytes === null || maxBytes === null) {
    return new AppError("quota_exceeded", `This ${type} takes no more files.`);
  }
  return new AppError(
    "quota_exceeded",
    leftBytes <= 0
      ? `The total size that this ${type} may send is used up.`
      : `The file is larger than what this ${type} may still send.`,
    { details: { limit_bytes: Math.max(0, leftBytes) } },
  );
}

function leftOf(usage: Usage, now: { files: number; bytes: number }) {
  let { maxBytes, maxFiles, usedBytes, usedFiles } = usage;
  return {
    bytes: maxBytes === null ? null : Math.max(0, maxBytes - usedBytes - now.bytes),
    files: maxFiles === null ? null : Math.max(0, maxFiles - usedFiles - now.files),
  };
}
