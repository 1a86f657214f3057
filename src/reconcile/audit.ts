import type { AppError } from "../errors.ts";
import type { AuditPlace, CatalogAudit } from "../record/catalog-audit.ts";
import type { Intent, ObjectPlace } from "../state/journal.ts";
import type { OpenIntents } from "../state/open-intents.ts";
import type { ObjectInfo, Storage } from "../store/storage.ts";
import type { Finding } from "./finding.ts";
import type { Totals } from "./totals.ts";

/** What every part of a look works with. */
export interface Audit {
  /** Where new files go; its listing is compared. */
  storage: Storage;
  place: AuditPlace;
  storageFor: (place: Pick<ObjectPlace, "storage" | "bucket">) => Storage;
  catalog: CatalogAudit;
  intents: OpenIntents;
  /** Reads every object whole and compares its SHA-256. */
  deep: boolean;
  totals: Totals;
  /** True for what is too young to be judged. */
  isYoung(atMs: number): boolean;
  /** True for an intent that a server may be at work on. */
  mayBeAtWork(intent: Intent): boolean;
  /** True for quarantined objects whose time is over. */
  isOverdue(atMs: number): boolean;
  /** The object's facts, null when storage says that it is not there, undefined when storage gave no answer (counted). */
  head(place: ObjectPlace): Promise<ObjectInfo | null | undefined>;
  /** Takes a finding that was looked at twice. */
  found(finding: Finding): Promise<void>;
  /** Counts what storage gave no answer about. */
  notLooked(place: ObjectPlace, error: AppError): void;
  /** To be called now and then. */
  progress(): void;
}
