import { actorText } from "../auth/actor.ts";
import type { Requester } from "../domain.ts";
import type { WebContext } from "./env.ts";

/** Who sent this request, for the audit log. */
export function requesterOf(context: WebContext): Requester {
  let { identity, client, requestId } = context.var;
  return { actor: actorText(identity), address: client.address, requestId };
}
