import { zValidator } from "@hono/zod-validator";
import { Hono } from "hono";
import { z } from "zod";

import { AuditPage } from "../../views/pages/audit.tsx";
import type { AuditView } from "../../views/props.ts";
import type { Access } from "../auth/access.ts";
import { actorText } from "../auth/identity.ts";
import { AUDIT_EVENTS, type AuditEntry, type AuditQuery } from "../state/audit.ts";
import type { WebDeps } from "./deps.ts";
import type { WebContext, WebEnv } from "./env.ts";
import { json } from "./json.ts";
import type { Links } from "./links.ts";
import { formOf } from "./negotiate.ts";
import {
  choiceField,
  dayField,
  invalidParameter,
  pageSizeField,
  queryFields,
  textField,
} from "./query-fields.ts";
import type { SiteFor } from "./site.ts";

const defaultEntries = 100;
const maxEntries = 1000;
const maxActorChars = 200;
const nobody = actorText({ actor: null });
/** A place in the log: the id of the last entry shown. */
const placePattern = /^[1-9]\d{0,14}$/;

interface AuditDeps extends Pick<WebDeps, "audit"> {
  requires: Access["requires"];
  links: Links;
  siteFor: SiteFor;
}

export const AUDIT_FIELDS = {
  event: choiceField(AUDIT_EVENTS, "What happened."),
  actor: textField(maxActorChars, "Who did it, as the log names them."),
  day: dayField("Day on which it happened, in UTC."),
  _size: pageSizeField(maxEntries, defaultEntries, "Entries of a page."),
  _next: z
    .string()
    .regex(placePattern, "is no place in this list")
    .meta({ description: "The `next` of the page before." }),
};
const auditSchema = z.object(queryFields(AUDIT_FIELDS));
type Asked = z.infer<typeof auditSchema>;

const auditParameters = zValidator("query", auditSchema, (result) => {
  if (!result.success) throw invalidParameter(result.error.issues[0]);
});

/** `/audit` and `/audit.json`: who did what, for admins. */
export function auditRoutes({ audit, requires, links, siteFor }: AuditDeps) {
  let routes = new Hono<WebEnv>();

  /** One entry more than is shown tells whether there are older ones. */
  function read(asked: Asked): { entries: AuditEntry[]; next: string | null } {
    let size = asked["_size"] ?? defaultEntries;
    let found = audit.list({ ...queryOf(asked), size: size + 1 });
    let entries = found.slice(0, size);
    return { entries, next: found.length > size ? String(entries.at(-1)?.id) : null };
  }

  function asJson(context: WebContext, asked: Asked): Response {
    let { entries, next } = read(asked);
    let nextUrl = next && links.absolute(hrefOf(`${links.audit}.json`, { ...asked, _next: next }));
    return json(context, { success: true, entries: entries.map(entryJson), next, next_url: nextUrl });
  }

  routes.get("/audit", requires("admin"), auditParameters, (context) => {
    let asked = context.req.valid("query");
    if (formOf(context, "page") === "json") return asJson(context, asked);
    let { entries, next } = read(asked);
    let { event = "", actor = "", day = "" } = asked;
    let view: AuditView = {
      entries: entries.map(({ atMs, event: name, by, detail }) => ({
        iso: new Date(atMs).toISOString(),
        event: name,
        ...by,
        detail: detailLine(detail),
        actor: by.actor ?? nobody,
        actorHref: hrefOf(links.audit, { actor: by.actor ?? nobody }),
      })),
      events: AUDIT_EVENTS,
      fields: { event, actor, day },
      jsonHref: hrefOf(`${links.audit}.json`, asked),
      nextHref: next && hrefOf(links.audit, { ...asked, _next: next }),
    };
    return context.html(AuditPage({ site: siteFor(context), audit: view }));
  });

  routes.get("/audit.json", requires("admin"), auditParameters, (context) =>
    asJson(context, context.req.valid("query")),
  );

  return routes;
}

function queryOf({ event, actor, day, _next: place }: Asked): Omit<AuditQuery, "size"> {
  return {
    ...(event !== undefined && { event }),
    ...(actor !== undefined && { actor: actor === nobody ? null : actor }),
    ...(day !== undefined && { day }),
    ...(place !== undefined && { beforeId: Number(place) }),
  };
}

function hrefOf(path: string, asked: Partial<Asked>): string {
  let parameters = new URLSearchParams();
  for (let [name, value] of Object.entries(asked)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return parameters.size === 0 ? path : `${path}?${parameters}`;
}

function entryJson({ id, atMs, event, by, detail }: AuditEntry) {
  let { actor, address, requestId: request_id } = by;
  return { id, at: new Date(atMs).toISOString(), event, actor, address, request_id, detail };
}

/** `file_id 7, filename a.txt`; the long names of a file are left to the JSON. */
function detailLine(detail: AuditEntry["detail"]): string {
  return Object.entries(detail)
    .filter(([name]) => name !== "uid" && name !== "sha256")
    .map(([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
}
