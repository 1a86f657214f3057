import type { Client } from "./client.ts";
import { type Content, sha256Of, type SizeClass } from "./content.ts";
import type { KillPlan } from "./kill-plan.ts";
import type { Ledger, SentFile } from "./ledger.ts";
import type { Random } from "./random.ts";

const senders = 8;
/** Of an upload in pieces. */
const mostPieces = 8;
/** More files than this and the senders rather delete. */
const manyFiles = 150;

export interface TrafficOptions {
  /** Begins the names of this round's files. */
  round: string;
  random: Random;
  content: Content;
  ledger: Ledger;
  /** What it is all about: the traffic has to get there. */
  plan: KillPlan;
  /** Some files have the bytes of others. */
  duplicates: boolean;
  isRunning: () => boolean;
}

/** Uploads and deletions, several at the same time, until the server is gone. */
export async function traffic(client: Client, options: TrafficOptions): Promise<void> {
  let { random, content, ledger, plan, isRunning } = options;
  let made = 0;

  function newFile(size: SizeClass, keyed: boolean): SentFile {
    let name = `${options.round}-${made++}.bin`;
    let twin = options.duplicates && random.chance(0.5) ? anyIdle() : undefined;
    let bytes = twin?.bytes ?? content.make(size, random);
    let file: SentFile = {
      name,
      bytes,
      sha256: twin?.sha256 ?? sha256Of(bytes),
      known: null,
      deletion: "none",
      idempotencyKey: keyed ? `key of ${name}` : null,
      pieces: null,
      busy: false,
    };
    ledger.files.set(name, file);
    return file;
  }

  function idle(): SentFile[] {
    return [...ledger.files.values()].filter(
      ({ known, busy, deletion }) => known && !busy && deletion === "none",
    );
  }

  /** In the order in which they were sent. */
  function trashed(): SentFile[] {
    return [...ledger.files.values()].filter(({ busy, deletion }) => !busy && deletion === "trashed");
  }

  /** A file that came in part, before a crash or a failure. */
  function anyOpen(): SentFile | undefined {
    let files = [...ledger.files.values()].filter(
      ({ pieces, known, busy, deletion }) => pieces && !known && !busy && deletion === "none",
    );
    return files.length > 0 ? random.pick(files) : undefined;
  }

  function pieceBytes(file: SentFile): number {
    return Math.max(1, Math.ceil(file.bytes.length / random.between(1, mostPieces)));
  }

  function inPieces(size: SizeClass): Promise<void> {
    let file = newFile(size, false);
    return client.pieces(file, { pieceBytes: pieceBytes(file), laterLength: random.chance(0.3) });
  }

  function anyIdle(): SentFile | undefined {
    let files = idle();
    return files.length > 0 ? random.pick(files) : undefined;
  }

  async function one(sender: number, turn: number): Promise<void> {
    let first = turn === 0 && sender < 2 ? needOf(plan) : null;
    let choice = first ?? (ledger.files.size > manyFiles ? "deleteMany" : random.pick(CHOICES));
    switch (choice) {
      case "pieces":
        return inPieces(random.pick(PIECES_SIZES));
      case "resume": {
        let file = anyOpen();
        return file && client.resume(file, { pieceBytes: pieceBytes(file) });
      }
      case "terminate": {
        let file = anyOpen();
        return file && client.terminate(file);
      }
      case "manyParts":
        if (random.chance(0.4)) return inPieces(choice);
        return client.put(newFile(choice, random.chance(0.3)), { chunked: random.chance(0.5) });
      case "parts":
        return client.put(newFile(choice, random.chance(0.3)), { chunked: random.chance(0.5) });
      case "leaving":
        return client.put(newFile("manyParts", false), {
          chunked: true,
          leaveAfterMs: random.between(15, 90),
        });
      case "form": {
        let sizes = Array.from({ length: random.between(2, 5) }, () => random.pick(FORM_SIZES));
        return client.form(sizes.map((size) => newFile(size, false)));
      }
      case "again": {
        let keyed = idle().filter(({ idempotencyKey }) => idempotencyKey !== null);
        return keyed.length > 0 ? client.put(random.pick(keyed), {}) : undefined;
      }
      case "delete": {
        let file = anyIdle();
        return file && client.delete(file);
      }
      case "deleteMany": {
        let files = idle().slice(0, random.between(2, ledger.files.size > manyFiles ? 100 : 8));
        return files.length > 0 ? client.deleteMany(files) : undefined;
      }
      case "trash": {
        let files = idle().slice(0, random.between(1, 4));
        return files.length > 0 ? client.trash(files) : undefined;
      }
      case "undo": {
        let from = random.between(0, Math.max(0, trashed().length - 1));
        let files = trashed().slice(from, from + random.between(1, 4));
        return files.length > 0 ? client.undo(files) : undefined;
      }
      default:
        return client.put(newFile(choice, random.chance(0.3)), { chunked: random.chance(0.2) });
    }
  }

  async function send(sender: number): Promise<void> {
    for (let turn = 0; isRunning(); turn++) {
      await one(sender, turn);
      // A choice that found nothing to do must not keep the others from it.
      await Bun.sleep(0);
    }
  }

  await Promise.all(Array.from({ length: senders }, (_, sender) => send(sender)));
}

type Choice =
  | SizeClass
  | "leaving"
  | "form"
  | "again"
  | "pieces"
  | "resume"
  | "terminate"
  | "delete"
  | "deleteMany"
  | "trash"
  | "undo";
const CHOICES: readonly Choice[] = [
  ...(["small", "small", "small", "small", "small", "head", "head", "medium"] as const),
  ...(["form", "form", "again", "delete", "delete", "deleteMany", "trash", "trash", "undo"] as const),
  ...(["pieces", "pieces", "resume", "resume", "resume", "terminate", "parts"] as const),
];
const PIECES_SIZES: readonly SizeClass[] = ["small", "head", "medium", "parts", "manyParts"];
const FORM_SIZES: readonly SizeClass[] = ["small", "small", "small", "head", "head", "medium"];

/** What has to be sent at once so that the call that is waited for comes. */
function needOf(plan: KillPlan): Choice | null {
  if (plan.kind !== "call") return null;
  switch (plan.operation) {
    case "CreateMultipartUpload":
    case "UploadPart":
    case "CompleteMultipartUpload":
    case "HeadObject":
      return "manyParts";
    case "AbortMultipartUpload":
      return "leaving";
    case "DeleteObject":
      return "delete";
    default:
      return null;
  }
}
