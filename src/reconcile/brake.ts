import type { FindingKind } from "./finding.ts";
import type { Totals } from "./totals.ts";

/** So many may always be acted on, unless storage holds nothing at all. */
const alwaysAllowed = 10;
/** Of all, beyond that. */
const allowedShare = 0.1;

/**
 * The kinds of which there are so many that it is not the files that are wrong, but what they are compared with; each with
 * what it looks like, in whole sentences.
 */
export function brake({ found, rows, objects, ownObjects, marks, listed }: Totals): Map<FindingKind, string> {
  let held = new Map<FindingKind, string>();
  if (!listed) {
    let sentence = "Storage could not be listed to its end: nothing is repaired.";
    for (let kind of [
      "missing_object",
      "orphan_object",
      "stale_mark",
      "missing_mark",
      "unfinished_upload",
    ] as const) {
      held.set(kind, sentence);
    }
    return held;
  }
  let missing = found.missing_object;
  let isEmpty = objects === 0 && missing > 1;
  if (isEmpty || isTooMany(missing, rows)) {
    let sentence = `${share(missing, rows)} files have no object. That looks like the wrong bucket or prefix, a bucket that was emptied, or a disk that is not mounted: look at s3_bucket, s3_prefix and data_dir.`;
    held.set("missing_object", sentence);
    // What would be written there is not to be found again when the right place is back.
    if (isEmpty) held.set("missing_mark", sentence);
  }
  let orphans = found.orphan_object;
  if (isTooMany(orphans, ownObjects)) {
    let sentence = `${share(orphans, ownObjects)} objects belong to no file. That looks like a catalog that was restored from an older copy or lost, or like the prefix of another server: “s3-uploads import” adopts what is in the bucket.`;
    held.set("orphan_object", sentence);
    held.set("stale_mark", sentence);
  } else if (isTooMany(found.stale_mark, marks)) {
    held.set(
      "stale_mark",
      `${share(found.stale_mark, marks)} marks stand for nothing. That looks like a catalog that was restored from an older copy: “s3-uploads import” adopts what is in the bucket.`,
    );
  }
  return held;
}

function isTooMany(some: number, all: number): boolean {
  return some > alwaysAllowed && some > all * allowedShare;
}

function share(some: number, all: number): string {
  return `${some.toLocaleString("en")} of ${all.toLocaleString("en")}`;
}
