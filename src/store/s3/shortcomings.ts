import { AppError } from "../../errors.ts";
import type { Log } from "../../log.ts";
import type { Action, Where } from "./explain.ts";
import { faultOf, type S3Fault } from "./retry.ts";

/** What a bucket does not let us do, although files can be put there and read. */
export interface Shortcomings {
  /** One sentence each, for people: what does not work then, and what to change. */
  readonly sentences: readonly string[];
  /** Takes notice of a failed call; the first definite no of each kind is logged. */
  note(action: Action, fault: S3Fault): void;
  /** The action has been done: whatever forbade it is over. */
  forget(action: Action): void;
}

const lifecycleRule = "give the bucket a lifecycle rule with AbortIncompleteMultipartUpload";

/** What happens without an action that an upload does not need. */
const CONSEQUENCES: Partial<Record<Action, (where: string, denied: boolean) => string>> = {
  list: (where) =>
    `The credentials may not list ${where}: uploads work, but reconcile, import and the search for stray objects do not. Allow s3:ListBucket in its policy.`,
  "list uploads": (where, denied) =>
    denied
      ? `The credentials may not list the unfinished uploads of ${where}: parts whose upload was lost in a crash are not found. Allow s3:ListBucketMultipartUploads in its policy, or ${lifecycleRule}.`
      : `The server of ${where} can't list unfinished uploads: parts whose upload was lost in a crash are not found. If it can, ${lifecycleRule}.`,
  abort: (where) =>
    `The credentials may not abort multipart uploads in ${where}: the parts of an upload that fails stay there unseen, and are paid for. Allow s3:AbortMultipartUpload in its policy, or ${lifecycleRule}.`,
  delete: (where) =>
    `The credentials may not delete in ${where}: deletions are refused, and the object of an upload that fails stays. Allow s3:DeleteObject in its policy.`,
};

/** A no of the bucket's policy, and not of the signature or the address. */
export function isDenied({ code }: S3Fault): boolean {
  return deniedCodes.has(code);
}

/** A definite no to this kind of call, whatever file it is about. */
export function isShortcoming(fault: S3Fault): boolean {
  return isDenied(fault) || notImplementedStatus.has(fault.status ?? 0);
}

const deniedCodes = new Set(["AccessDenied", "AllAccessDisabled", "Forbidden"]);
const notImplementedStatus = new Set([501, 405]);

export function createShortcomings({ bucket }: Where, log: Log): Shortcomings {
  let known = new Map<Action, string>();
  return {
    get sentences() {
      return [...known.values()];
    },
    note(action, fault) {
      let consequence = CONSEQUENCES[action];
      if (!consequence || !isShortcoming(fault)) return;
      let sentence = consequence(`the bucket "${bucket}"`, isDenied(fault));
      if (!known.has(action)) log.warn({ action, code: fault.code }, sentence);
      known.set(action, sentence);
    },
    forget(action) {
      if (known.delete(action)) log.info({ action }, "the bucket allows it again");
    },
  };
}

/** Says that a multipart upload of this key could not be taken back; what the bucket forbids is said once for all uploads. */
export function tellLeft(log: Log, key: string): (error: unknown) => void {
  return (error) => {
    let isKnown = error instanceof AppError && isShortcoming(faultOf(error.cause));
    let sentence = "an unfinished multipart upload may be left in the bucket";
    log[isKnown ? "debug" : "warn"]({ key, reason: String(error) }, sentence);
  };
}
