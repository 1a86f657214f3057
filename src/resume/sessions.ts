import { AppError } from "../errors.ts";
import { SECOND_MS } from "../units.ts";
import type { Intake } from "./intake.ts";

/** A sender that has been silent for this long is taken for gone by whoever asks how far its upload has come. */
const quietMs = 2 * SECOND_MS;
/** What a request that has to make way gets to put its bytes into storage. */
const flushMs = 3 * SECOND_MS;

/** A request that is adding bytes to an upload. */
export interface Session {
  /** Aborts when the body is to end; what came of it still counts. */
  readonly soft: AbortSignal;
  /** Aborts when storage has had its time. */
  readonly hard: AbortSignal;
  /** Set once bytes are being waited for. */
  intake: Intake | null;
  /** The upload is free for the next one. */
  close(): void;
}

/** At most one request at a time adds bytes to an upload. */
export interface Sessions {
  has(uid: string): boolean;
  /** Nobody may have one. */
  open(uid: string): Session;
  /** Whoever adds bytes makes way. When this resolves another one may have been quicker: look again. */
  takeOver(uid: string): Promise<void>;
  /** takeOver, from a sender that seems to be gone. */
  takeOverIfQuiet(uid: string): Promise<void>;
  /** All make way. */
  endAll(reason: AppError): void;
}

export function createSessions(): Sessions {
  let sessions = new Map<
    string,
    { session: Session; makeWay: (reason: AppError) => void; closed: Promise<void> }
  >();

  async function takeOver(uid: string): Promise<void> {
    let found = sessions.get(uid);
    found?.makeWay(new AppError("wrong_offset", "Another request goes on with this upload."));
    await found?.closed;
  }

  return {
    has: (uid) => sessions.has(uid),

    open(uid) {
      let soft = new AbortController();
      let hard = new AbortController();
      let { promise: closed, resolve } = Promise.withResolvers<void>();
      let session: Session = {
        soft: soft.signal,
        hard: hard.signal,
        intake: null,
        close() {
          sessions.delete(uid);
          resolve();
        },
      };
      let makeWay = (reason: AppError) => {
        soft.abort(reason);
        setTimeout(() => hard.abort(reason), flushMs).unref();
      };
      sessions.set(uid, { session, makeWay, closed });
      return session;
    },

    takeOver,

    async takeOverIfQuiet(uid) {
      let sinceMs = sessions.get(uid)?.session.intake?.waitingSinceMs ?? Infinity;
      if (performance.now() - sinceMs >= quietMs) await takeOver(uid);
    },

    endAll(reason) {
      for (let { makeWay } of sessions.values()) makeWay(reason);
    },
  };
}
