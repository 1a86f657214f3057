import { AppError } from "../errors.ts";
import { linkedKey } from "../marks.ts";
import type { FileRepository } from "../record/file-repository.ts";
import type { ObjectPlace } from "../state/journal.ts";
import { kindOfKey, marksPrefix } from "../store/key-kinds.ts";
import { maxKeyBytes } from "../store/keys.ts";
import type { Storage } from "../store/storage.ts";
import { adoptAll, type Outcome } from "./adopter.ts";
import type { GoneMarks } from "./gone-marks.ts";
import { identify, identifyLink } from "./identity.ts";
import { inOrder, type Width } from "./in-order.ts";
import type { ImportReport } from "./report.ts";
import { problemOf, rowOf } from "./row-of.ts";
import type { ObjectReader } from "./stored-object.ts";
import { unusableBecause } from "./what-to-skip.ts";

export interface LinksDeps {
  storage: Storage;
  repository: Pick<FileRepository, "adopt" | "checksumsByKey" | "get">;
  reader: ObjectReader;
  goneMarks: GoneMarks;
  report: ImportReport;
  /** Under each of them marks may be. */
  markPrefixes: Iterable<string>;
  /** The keys of the shared objects have to begin with `prefix`. */
  options: { prefix: string };
  width: Width;
  signal: AbortSignal;
  giveUp: (outcome: Outcome) => string | null;
}

interface LinkMark {
  uid: string;
  key: string;
  sizeBytes: number;
}

/**
 * Gives the rows that share an object back, by their marks. The objects' own rows have to be there already, as far as they
 * are to be there: they save reading large objects for their digests.
 */
export async function importLinks(deps: LinksDeps): Promise<void> {
  let { storage, repository, reader, goneMarks, report, options, width, signal, giveUp } = deps;
  /** Of large objects whose own row was deleted. */
  let digests = new Map<string, string>();

  async function* unrecorded(prefix: string): AsyncGenerator<LinkMark> {
    for await (let { key, sizeBytes } of storage.list(marksPrefix(prefix))) {
      signal.throwIfAborted();
      let kind = kindOfKey(prefix, key);
      if (kind.kind !== "link") continue;
      if (await repository.get(kind.uid, { alsoHidden: true })) continue;
      yield { uid: kind.uid, key, sizeBytes };
    }
  }

  async function look(mark: LinkMark): Promise<Outcome> {
    try {
      return await restore(mark);
    } catch (error) {
      return signal.aborted ? { interrupted: true } : { problem: problemOf(mark.key, error) };
    }
  }

  async function restore(mark: LinkMark): Promise<Outcome> {
    let info = await storage.head(mark.key);
    if (!info) throw new AppError("gone");
    let identity = identifyLink(mark.uid, info.userMetadata ?? {});
    let key = linkedKey(info.userMetadata ?? {}) ?? (await keyInside(mark));
    if (!identity || key === null) {
      let reason = "it has a mark's name, but not what a mark tells";
      return { problem: { key: mark.key, what: "refused", reason } };
    }
    if (!key.startsWith(options.prefix)) return { skip: "elsewhere" };
    let unusable = unusableBecause(key);
    if (unusable) return { problem: { key, what: "refused", reason: unusable } };
    try {
      let row = await shared(key, identity);
      return { row, kind: "linked", problem: null };
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "gone") throw error;
      let reason = `“${identity.filename}” shares the object ${key}, which is not there any more`;
      return { problem: { key: mark.key, what: "lost", reason } };
    }
  }

  function shared(key: string, identity: NonNullable<ReturnType<typeof identifyLink>>) {
    let place: ObjectPlace = { storage: storage.name, bucket: storage.bucket, key };
    return reader.read({ key, sizeBytes: null }, async (found) => {
      let recorded = await repository.checksumsByKey(place.storage, place.bucket, [key]);
      let owner = identify(place, found.userMetadata, 0);
      // Else the next import would take the object for recorded, and its own row would be lost.
      if (!recorded.has(key) && !(await goneMarks.has({ uid: owner.uid, key }))) {
        throw new AppError("storage_error", `it shares the object ${key}, whose own row could not be made`);
      }
      let sha256 = recorded.get(key) ?? owner.sha256 ?? digests.get(key) ?? null;
      let inspected = await found.inspect(identity.filename, sha256 !== null);
      let row = rowOf(place, { ...identity, sha256 }, inspected);
      if (sha256 === null) digests.set(key, row.checksum_sha256);
      return row;
    });
  }

  /** A key that is too long for the metadata is the mark's content. */
  async function keyInside({ key, sizeBytes }: LinkMark): Promise<string | null> {
    if (sizeBytes === 0 || sizeBytes > maxKeyBytes) return null;
    let { body } = await storage.open(key, undefined, signal);
    return new Response(body).text();
  }

  for (let prefix of deps.markPrefixes) {
    let outcomes = inOrder(unrecorded(prefix), look, width);
    await adoptAll(outcomes, repository, report, { sharing: true, giveUp });
    if (report.brokenOff !== null) return;
  }
}
