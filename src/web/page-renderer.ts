import { createMiddleware } from "hono/factory";

import { Layout } from "../../views/layout.tsx";
import type { WebEnv } from "./env.ts";
import type { SiteFor } from "./site.ts";

declare module "hono" {
  interface ContextRenderer {
    (content: string | Promise<string>, props: { title: string }): Response | Promise<Response>;
  }
}

/** Lets routes that know nothing of our pages (sign-in) put their content into the frame, by `context.render`. */
export function pageRenderer(siteFor: SiteFor) {
  return createMiddleware<WebEnv>(async (context, next) => {
    context.setRenderer((content, { title }) =>
      context.html(Layout({ site: siteFor(context), title, children: content })),
    );
    await next();
  });
}
