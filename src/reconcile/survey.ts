import type { Clock } from "../clock.ts";
import { type AppError, toAppError } from "../errors.ts";
import type { CatalogAudit } from "../record/catalog-audit.ts";
import type { ObjectPlace } from "../state/journal.ts";
import type { OpenIntents } from "../state/open-intents.ts";
import type { Storage } from "../store/storage.ts";
import { DAY_MS } from "../units.ts";
import type { Audit } from "./audit.ts";
import { compareElsewhere } from "./compare-elsewhere.ts";
import { compareIntents, compareUnfinished } from "./compare-intents.ts";
import { compareMarks } from "./compare-marks.ts";
import { compareObjects } from "./compare-objects.ts";
import type { Finding } from "./finding.ts";
import { createHead } from "./head.ts";
import { placeOfObject } from "./look-again.ts";
import { newTotals, type Totals } from "./totals.ts";

/** No intent is given up before, whatever age is asked for: a large file on a slow line takes its time. */
const longestRequestMs = DAY_MS;

export interface SurveyDeps {
  /** Where new files go. */
  storage: Storage;
  storageFor: Audit["storageFor"];
  catalog: CatalogAudit;
  intents: OpenIntents;
  clock: Clock;
  options: {
    /** Empty or ending with a slash. */
    prefix: string;
    /** What is younger is not judged; with 0 everything is. */
    minAgeMs: number;
    /** How long quarantined objects stay. */
    keepMs: number;
    deep: boolean;
  };
}

export interface SurveyListener {
  /** Each finding, as soon as it is sure; the look waits for what is made of it, and several may be under way. */
  found(finding: Finding): Promise<void>;
  /** Each object that storage gave no answer about; the key may be a prefix. */
  notLooked(place: ObjectPlace, reason: string): void;
  /** Often. */
  progress(totals: Readonly<Totals>): void;
}

/** One look at everything: bucket, catalog and journal against each other. Changes nothing by itself. */
export async function survey(deps: SurveyDeps, listener: SurveyListener): Promise<Totals> {
  let { storage, storageFor, catalog, intents, clock, options } = deps;
  let totals = newTotals();
  let nowMs = clock.nowMs();
  function notLooked(place: ObjectPlace, { message }: AppError): void {
    totals.notLooked++;
    listener.notLooked(place, message);
  }
  let audit: Audit = {
    storage,
    place: { storage: storage.name, bucket: storage.bucket, prefix: options.prefix },
    storageFor,
    catalog,
    intents,
    deep: options.deep,
    totals,
    isYoung: (atMs) => options.minAgeMs > 0 && nowMs - atMs < options.minAgeMs,
    mayBeAtWork: ({ uid, createdAtMs }) =>
      nowMs - createdAtMs < Math.max(options.minAgeMs, longestRequestMs) || intents.canGoOn(uid),
    isOverdue: (atMs) => nowMs - atMs >= options.keepMs,
    head: createHead(storageFor, notLooked),
    async found(finding) {
      totals.found[finding.kind]++;
      await listener.found(finding);
    },
    notLooked,
    progress: () => listener.progress(totals),
  };

  /** A storage that can't be listed has its say once; what does not hang on it goes on. */
  async function whileListed(work: () => Promise<void>): Promise<void> {
    if (!totals.listed) return;
    try {
      await work();
    } catch (thrown) {
      let error = toAppError(thrown);
      if (error.code !== "storage_unavailable" && error.code !== "storage_error") throw thrown;
      totals.listed = false;
      notLooked(placeOfObject(audit, { key: options.prefix }), error);
    }
  }

  let folders: ReadonlySet<string> = new Set();
  await whileListed(async () => {
    folders = await compareObjects(audit);
  });
  await compareElsewhere(audit);
  await whileListed(() => compareMarks(audit, folders));
  await whileListed(() => compareUnfinished(audit));
  await compareIntents(audit);
  audit.progress();
  return totals;
}
