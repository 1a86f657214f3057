import type { AccessEvent, NoteEvent } from "../auth/events.ts";
import { type Actor, actorText } from "../auth/identity.ts";
import type { JsonObject } from "../domain.ts";
import type { Log } from "../log.ts";
import type { AuditLog } from "../state/audit.ts";
import type { WebEnv } from "./env.ts";

/** A change of rights, as it is kept. */
export interface NotedEvent {
  action: AccessEvent["action"];
  /** `user:ann`; null for nobody in particular. */
  actor: string | null;
  /** What it was done to, or null. */
  subject: string | null;
  detail: JsonObject;
  address: string | null;
  requestId: string | null;
}

/** @param keep takes every event, after it was logged */
export function createNoteEvent(log: Log, keep: (event: NotedEvent) => void = () => {}): NoteEvent {
  return (context, { action, actor, subject = null, detail = {} }) => {
    // Sign-in comes before anybody is known, and its routes know no more of the web than they need.
    let known = context.var as Partial<WebEnv["Variables"]>;
    let by: Actor | null = actor ?? known.identity?.actor ?? null;
    let event: NotedEvent = {
      action,
      actor: by && actorText({ actor: by }),
      subject,
      detail,
      address: known.client?.address ?? null,
      requestId: known.requestId ?? null,
    };
    (known.log ?? log).info(event, "rights");
    keep(event);
  };
}

/** Writes each event into the audit log. */
export function keepIn(audit: AuditLog): (event: NotedEvent) => void {
  return ({ action, subject, detail, ...by }) =>
    audit.write(action, by, { ...(subject !== null && { subject }), ...detail });
}
