import type { ObjectPlace } from "../state/journal.ts";
import { brake } from "./brake.ts";
import { aboutIntent } from "./compare-intents.ts";
import { emptyQuarantine } from "./empty-quarantine.ts";
import {
  type Action,
  ACTIONS,
  type Finding,
  FINDING_KINDS,
  type FindingKind,
  type Outcome,
} from "./finding.ts";
import type { Repair } from "./repair.ts";
import { survey, type SurveyDeps } from "./survey.ts";
import type { Totals } from "./totals.ts";

export interface ReconcileListener {
  found(finding: Finding, outcome: Outcome): void;
  notLooked(place: ObjectPlace, reason: string): void;
  /** Quarantined objects whose time was over. */
  removed(key: string, sizeBytes: number): void;
  /** @param phase what a repair does in its two passes; `looking` without a repair */
  progress(totals: Readonly<Totals>, phase: "looking" | "counting" | "repairing"): void;
}

/** How a repair is done; null for a report. */
export interface RepairPlan {
  repair: Repair;
  /** Settles what is open in the journal, as far as storage answers. */
  recover(): Promise<void>;
  /** Acts also on kinds of which there are suspiciously many. */
  force: boolean;
}

export interface Reconciled {
  totals: Totals;
  /** How often what was done about each kind. */
  outcomes: Record<FindingKind, Record<Action, number>>;
  /** Quarantined objects that were removed for good, and that could not be removed. */
  removed: number;
  notRemoved: number;
  /** What suspiciously many findings look like, as sentences. */
  warnings: string[];
  /** Whether something was held back that `force` would repair. */
  isForcible: boolean;
}

/**
 * Compares everything and, with a plan, puts it right in a second pass: the first one only counts, so that a catalog that
 * does not belong to the bucket does not empty one by the other.
 */
export async function reconcile(
  deps: SurveyDeps,
  plan: RepairPlan | null,
  listener: ReconcileListener,
): Promise<Reconciled> {
  let outcomes = noOutcomes();
  let moved = 0;
  let none: Outcome = { action: "none", message: "" };
  function tell(finding: Finding, outcome: Outcome): void {
    outcomes[finding.kind][outcome.action]++;
    moved += outcome.quarantine ?? 0;
    listener.found(finding, outcome);
  }
  let notLooked = listener.notLooked.bind(listener);

  if (!plan) {
    let totals = await survey(deps, {
      found: async (finding) => tell(finding, none),
      notLooked,
      progress: (seen) => listener.progress(seen, "looking"),
    });
    return {
      totals,
      outcomes,
      removed: 0,
      notRemoved: 0,
      warnings: totals.listed ? unique(brake(totals)) : [],
      isForcible: false,
    };
  }

  let settled = await recover(deps, plan);
  for (let finding of settled) tell(finding, { action: "settled", message: "done" });
  let counted = await survey(
    { ...deps, options: { ...deps.options, deep: false } },
    {
      found: async () => {},
      notLooked() {},
      progress: (seen) => listener.progress(seen, "counting"),
    },
  );
  let warnings = brake(counted);
  // What could not be listed can't be forced either.
  let held = plan.force && counted.listed ? new Map<FindingKind, string>() : warnings;
  let totals = await survey(deps, {
    async found(finding) {
      let isHeld = held.has(finding.kind);
      tell(
        finding,
        isHeld
          ? { action: "held_back", message: "nothing was done: there are too many of this kind" }
          : await plan.repair(finding),
      );
    },
    notLooked,
    progress: (seen) => listener.progress(seen, "repairing"),
  });
  totals.found.stale_intent += settled.length;
  // The listing has what was set aside while it went on, or has it not: that hangs on how far it was.
  totals.quarantined = counted.quarantined + moved;
  let removed = 0;
  let notRemoved = 0;
  if (totals.listed && held.size === 0) {
    await emptyQuarantine({
      storage: deps.storage,
      prefix: deps.options.prefix,
      catalog: deps.catalog,
      isOverdue: (atMs) => deps.clock.nowMs() - atMs >= deps.options.keepMs,
      onRemoved(key, sizeBytes) {
        removed++;
        listener.removed(key, sizeBytes);
      },
      onFailed(key, reason) {
        notRemoved++;
        listener.notLooked({ storage: deps.storage.name, bucket: deps.storage.bucket, key }, reason);
      },
    });
  }
  let isForcible = counted.listed && held.size > 0;
  return { totals, outcomes, removed, notRemoved, warnings: unique(warnings), isForcible };
}

/** What recovery could settle; the rest is found by the look that follows. */
async function recover({ intents, catalog }: SurveyDeps, plan: RepairPlan): Promise<Finding[]> {
  let before = intents.all().map((intent) => ({ intent, finding: aboutIntent({ catalog }, intent) }));
  await plan.recover();
  let isOpen = new Set(intents.all().map(({ kind, uid }) => `${kind} ${uid}`));
  return before
    .filter(({ intent }) => !isOpen.has(`${intent.kind} ${intent.uid}`))
    .map(({ finding }) => finding);
}

function noOutcomes(): Reconciled["outcomes"] {
  let each = FINDING_KINDS.map((kind) => [kind, Object.fromEntries(ACTIONS.map((action) => [action, 0]))]);
  return Object.fromEntries(each) as Reconciled["outcomes"];
}

function unique(warnings: ReadonlyMap<FindingKind, string>): string[] {
  return [...new Set(warnings.values())];
}

/** What is still wrong: foreign objects are nobody's fault and not ours to judge. */
export function remaining({ outcomes }: Pick<Reconciled, "outcomes">, kind: FindingKind): number {
  if (kind === "foreign_object") return 0;
  let { none, held_back, failed } = outcomes[kind];
  return none + held_back + failed;
}
