import { statSync } from "node:fs";

import { AppError } from "../errors.ts";
import { maxCheckedAtStartBytes } from "../sqlite.ts";
import type { CheckAnswer, CheckRequest } from "./query-worker.ts";

/**
 * Reads a catalog that was too large to be looked at before the start, in a thread of its own.
 *
 * @param onDamage hears what to tell the operator
 * @param smallBytes up to which a catalog has been looked at
 * @returns a function that gives the look up
 */
export function checkLargeCatalog(
  path: string,
  onDamage: (error: AppError) => void,
  smallBytes = maxCheckedAtStartBytes,
): () => void {
  if (statSync(path).size <= smallBytes) return () => {};
  let worker = new Worker(new URL("./query-worker.ts", import.meta.url));
  worker.addEventListener("message", ({ data: { damage } }: MessageEvent<CheckAnswer>) => {
    worker.terminate();
    if (damage !== null) onDamage(new AppError("internal_error", damage));
  });
  // A look that can't be had is no damage, and no reason to end.
  worker.addEventListener("error", (event) => event.preventDefault());
  worker.unref();
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin to name
  worker.postMessage({ check: path } satisfies CheckRequest);
  return () => void worker.terminate();
}
