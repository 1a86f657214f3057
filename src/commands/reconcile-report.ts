import type { Reconciled, ReconcileListener } from "../reconcile/reconcile.ts";
import type { ReconcileOptions } from "./reconcile-options.ts";

export interface ReconcileEnd extends Reconciled {
  options: ReconcileOptions;
  exitStatus: number;
  tookMs: number;
}

/** Writes findings as they come, then what it all came to. */
export interface Report extends Pick<ReconcileListener, "found" | "notLooked" | "removed"> {
  end(result: ReconcileEnd): void;
}
