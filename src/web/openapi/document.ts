import type { RouterRoute } from "hono/types";

import { type Demand, demandOf } from "../../auth/access.ts";
import { cookieName } from "../../auth/session-cookie.ts";
import type { JsonObject } from "../../domain.ts";
import type { ErrorCode } from "../../errors.ts";
import type { WebOptions } from "../deps.ts";
import { FILE_OPERATIONS } from "./file-operations.ts";
import { failuresOf, jsonAnswer, type Operation, type Operations } from "./operation.ts";
import { SCHEMAS } from "./schemas.ts";
import { SERVER_OPERATIONS } from "./server-operations.ts";
import { TUS_OPERATIONS } from "./tus-operations.ts";
import { UPLOAD_OPERATIONS } from "./upload-operations.ts";

const groups: [tag: string, about: string, operations: Operations][] = [
  ["upload", "Send files.", UPLOAD_OPERATIONS],
  ["files", "List, read and delete files.", FILE_OPERATIONS],
  ["resumable", "Send files in pieces, by tus 1.0.0.", TUS_OPERATIONS],
  ["server", "How the server is.", SERVER_OPERATIONS],
];

const about = `Takes files, checks them, puts them into a bucket and records them in a catalog.

Whatever is answered with GET is answered with HEAD as well, without the body. Browsers get pages instead of JSON, by their \`Accept\` header. Every answer has an \`X-Request-Id\`.`;

const securitySchemes = {
  bearer: { type: "http", scheme: "bearer", description: "An access token, with scopes." },
  basic: { type: "http", scheme: "basic", description: "A user's name and password." },
  session: { type: "apiKey", in: "cookie", name: cookieName, description: "Of who has signed in on a page." },
};

interface Described {
  options: Pick<WebOptions, "basePath" | "publicUrl" | "version">;
  /** Of the app: they know what each demands. */
  routes: readonly Pick<RouterRoute, "method" | "path" | "handler">[];
  /** What nobody in particular may do. */
  anonymousScopes: readonly Demand[];
}

/** What programs can do with this server, as OpenAPI 3.1. */
export function describeServer({ options, routes, anonymousScopes }: Described): JsonObject {
  let { basePath, publicUrl, version } = options;
  let demands = demandsOf(routes, basePath);
  let paths: Record<string, JsonObject> = {};
  for (let [tag, , operations] of groups) {
    for (let [route, operation] of Object.entries(operations)) {
      let [method = "", path = ""] = route.split(" ");
      let demand = demands.get(route) ?? null;
      let mayAnybody = demand === null || anonymousScopes.includes(demand);
      (paths[path] ??= {})[method.toLowerCase()] = {
        tags: [tag],
        ...operationObject(operation, method, demand),
        security: [
          ...(mayAnybody ? [{}] : []),
          ...(demand === null ? [] : Object.keys(securitySchemes).map((scheme) => ({ [scheme]: [demand] }))),
        ],
      };
    }
  }
  return {
    openapi: "3.1.1",
    info: { title: "s3-uploads", version, description: about, license: { name: "MIT", identifier: "MIT" } },
    servers: [{ url: `${publicUrl ?? ""}${basePath}` || "/" }],
    tags: groups.map(([name, description]) => ({ name, description })),
    paths,
    components: { schemas: SCHEMAS, securitySchemes },
  };
}

/** What each route demands, under the name that the tables give it: `GET /files/{id}`. */
export function demandsOf(routes: Described["routes"], basePath: string): Map<string, Demand | null> {
  let demands = new Map<string, Demand | null>();
  for (let { method, path, handler } of routes) {
    let route = `${method} ${path.slice(basePath.length).split("/").map(template).join("/")}`;
    // The first handler is the one that decides.
    if (!demands.has(route)) demands.set(route, demandOf(handler));
  }
  return demands;
}

/** `:id{[0-9]+}` as `{id}`. */
function template(segment: string): string {
  if (!segment.startsWith(":")) return segment;
  let [name] = segment.slice(1).split("{");
  return `{${name}}${segment.endsWith("\\.json}") ? ".json" : ""}`;
}

function operationObject(operation: Operation, method: string, demand: Demand | null): JsonObject {
  let { id, summary, description, parameters, requestBody, answers } = operation;
  let { codes = [], statuses, failures = {} } = operation;
  let others = Object.entries(failures).map(
    ([status, told]) => [status, jsonAnswer(told, "Failure")] as const,
  );
  let responses = {
    ...answers,
    ...failuresOf([...codes, ...commonCodes(method, demand)], statuses),
    ...Object.fromEntries(others),
  };
  return {
    operationId: id,
    summary,
    ...(description !== undefined && { description }),
    ...(parameters && { parameters }),
    ...(requestBody && { requestBody }),
    responses,
  };
}

/** What can happen to every request. */
function commonCodes(method: string, demand: Demand | null): ErrorCode[] {
  let isOpen = demand === null;
  return [
    ...(isOpen ? [] : (["authentication_required", "permission_denied"] as const)),
    ...(method === "GET" || method === "OPTIONS" ? [] : (["cross_site_request"] as const)),
    "untrusted_host",
    "too_many_requests",
    "internal_error",
  ];
}
