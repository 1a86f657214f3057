import { Hono } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";

import { AppError } from "./errors.ts";
import { accessLog } from "./web/access-log.ts";
import { accountRoutes } from "./web/account-routes.ts";
import { adminRoutes } from "./web/admin-routes.ts";
import { assetRoutes, createAssets } from "./web/assets.ts";
import { auditRoutes } from "./web/audit-routes.ts";
import { countRequests } from "./web/count-requests.ts";
import { deleteRoutes } from "./web/delete-routes.ts";
import type { WebDeps } from "./web/deps.ts";
import type { WebEnv } from "./web/env.ts";
import { createErrorResponder } from "./web/error-response.ts";
import { fileRoutes } from "./web/file-routes.ts";
import { headLength } from "./web/head-length.ts";
import { healthRoutes } from "./web/health-routes.ts";
import { invitationRoutes } from "./web/invitation-routes.ts";
import { limitClients } from "./web/limit-clients.ts";
import { createLinks } from "./web/links.ts";
import { listRoutes } from "./web/list-routes.ts";
import { metricsRoutes } from "./web/metrics-routes.ts";
import { openApiRoutes } from "./web/openapi-routes.ts";
import { createOwnFiles } from "./web/own-files.ts";
import { pageRenderer } from "./web/page-renderer.ts";
import { requestId } from "./web/request-id.ts";
import { restoreRoutes } from "./web/restore-routes.ts";
import { securityHeaders } from "./web/security-headers.ts";
import { createSiteFor } from "./web/site.ts";
import { thumbnailRoutes } from "./web/thumbnail-routes.ts";
import { saysTusVersion, tusRoutes } from "./web/tus-routes.ts";
import { uploadRoutes } from "./web/upload-routes.ts";

/**
 * The whole HTTP side: the order of middleware, and every route with what it demands. Opens nothing. `fetch` wants Bun's
 * server as its second argument; without it (tests) time-outs and addresses are left out.
 */
export function createApp(deps: WebDeps): Hono<WebEnv> {
  let { access, accounts, options, storageFor } = deps;
  let ownFiles = createOwnFiles(deps.repository, options.keyPrefixOf);
  let links = createLinks(options);
  let assets = createAssets(`${options.basePath}/static`);
  let siteFor = createSiteFor(
    links,
    assets.links,
    () => accounts.users.count() > 0 || accounts.tokens.count() > 0,
  );
  let errorResponse = createErrorResponder(siteFor, deps.metrics.failed);
  let requires = access.requires;
  let downloads = { storageFor, mode: options.downloadMode, errorResponse };
  let base = options.basePath || "/";

  // Not strict: /files/ is /files.
  let app = new Hono<WebEnv>({ strict: false });
  app.onError((error, context) => errorResponse(context, error));
  app.notFound((context) => errorResponse(context, new AppError("not_found")));
  app.use(requestId(deps.log), accessLog(deps.clock));
  app.use(countRequests(deps.metrics, deps.clock), securityHeaders(options), headLength);
  app.use(`${options.basePath}/tus/*`, saysTusVersion);
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (context, methods) =>
        errorResponse(context, new AppError("method_not_allowed"), {
          headers: { Allow: methods.join(", ") },
        }),
    }),
  );

  // Open to everybody under any host name: load balancers ask by address.
  app.route(base, healthRoutes({ readiness: deps.readiness, errorResponse }));

  // From here on: only for hosts that are ours, and not at another web site's bidding.
  app.use(access.guard);

  // Open to everybody: what the sign-in page needs, and the way to it.
  if (options.basePath !== "") app.get("/", (context) => context.redirect(links.home));
  app.route(base, assetRoutes(assets));
  app.use(pageRenderer(siteFor));
  let limits = limitClients(deps.limits, errorResponse);
  for (let path of ["sign-in", "sign-out"]) app.use(`${options.basePath}/${path}`, limits.byAddress);
  app.route(base, deps.signInRoutes);

  // From here on it is known who asks, and every route says what it demands.
  app.use(limits.failures, access.identify, limits.requests);
  for (let path of ["upload/*", "tus/*", "files/:id/download", "files.csv"]) {
    app.use(`${options.basePath}/${path}`, limits.transfers);
  }
  let { anonymousScopes } = access;
  app.route(base, openApiRoutes({ routesOf: () => app.routes, anonymousScopes, options }));
  app.route(base, invitationRoutes({ accounts, links, siteFor }));
  app.route(base, uploadRoutes({ ...deps, ...accounts, ownFiles, requires, links, siteFor, errorResponse }));
  app.route(base, tusRoutes({ ...deps, requires, links, errorResponse }));
  app.route(base, listRoutes({ ...deps, ownFiles, requires, links, siteFor }));
  app.route(base, fileRoutes({ ownFiles, requires, links, siteFor, downloads }));
  app.route(base, thumbnailRoutes({ ...deps, ownFiles, requires, signature: deps.thumbnailSignature }));
  app.route(base, deleteRoutes({ ...deps, ownFiles, requires, links, siteFor, errorResponse }));
  app.route(base, restoreRoutes({ ...deps, ownFiles, requires, links, siteFor, errorResponse }));
  app.route(base, accountRoutes({ requiresSession: access.requiresSession, accounts, links, siteFor }));
  let { clock } = deps;
  let { publicUrl } = options;
  app.route(base, adminRoutes({ requires, accounts, links, siteFor, clock, publicUrl }));
  app.route(base, metricsRoutes({ ...deps, requires }));
  app.route(base, auditRoutes({ ...deps, requires, links, siteFor }));
  return app;
}
