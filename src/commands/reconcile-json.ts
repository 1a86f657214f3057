import { FINDING_KINDS } from "../reconcile/finding.ts";
import { remaining } from "../reconcile/reconcile.ts";
import { SECOND_MS } from "../units.ts";
import type { Report } from "./reconcile-report.ts";

/** One JSON object a line: findings, `not_looked`, `removed`, and as the last line `summary`. */
export function jsonReport(write: (text: string) => void): Report {
  let line = (value: object): void => write(`${JSON.stringify(value)}\n`);
  return {
    found: (finding, { action, message }) => line({ ...finding, action, ...(message ? { message } : {}) }),
    notLooked: (place, reason) => line({ kind: "not_looked", ...place, reason }),
    removed: (key, size_bytes) => line({ kind: "removed", key, size_bytes }),
    end(result) {
      let { totals, options } = result;
      line({
        kind: "summary",
        repair: options.repair,
        deep: options.deep,
        listed: totals.listed,
        objects: totals.objects,
        files: totals.rows,
        found: totals.found,
        left: Object.fromEntries(FINDING_KINDS.map((kind) => [kind, remaining(result, kind)])),
        young: totals.young,
        under_way: totals.underWay,
        not_looked: totals.notLooked,
        quarantined: totals.quarantined,
        overdue: totals.overdue,
        removed: result.removed,
        not_removed: result.notRemoved,
        read_bytes: totals.readBytes,
        seconds: Math.round(result.tookMs) / SECOND_MS,
        warnings: result.warnings,
        notes: [...totals.notes],
        exit_status: result.exitStatus,
      });
    },
  };
}
