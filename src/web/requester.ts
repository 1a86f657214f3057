import { actorText } from "../auth/identity.ts";
import type { Requester } from "../domain.ts";
import type { WebContext } from "./env.ts";

/** Who sent this request, for the audit log. */
export function requesterOf(context: WebContext): Requester {
  let { identity, client, requestId } = context.var;
  let actor = identity.actor === null ? null : actorText(identity);
  return { actor, address: client.address, requestId };
}
