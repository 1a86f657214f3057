/** @jsxImportSource hono/jsx */
import { raw } from "hono/html";
import type { Child } from "hono/jsx";

import type { Site } from "./props.ts";

export interface LayoutProps {
  site: Site;
  title: string;
  /** Which entry of the navigation this page is. */
  here?: "upload" | "files" | "admin" | "audit" | "account";
  /** Scripts of this page: the first is run, the others are what it imports. */
  modules?: string[];
  /** Address of a script that this page needs beside htmx. */
  script?: string;
  children?: Child;
}

/** The frame of every page. `#notices` is where failures of requests made by htmx are shown. */
export function Layout({ site, title, here, modules = [], script, children }: LayoutProps) {
  let { links, assets, may } = site;
  let current = (name: LayoutProps["here"]) => (name === here ? { "aria-current": "page" as const } : {});
  return (
    <>
      {raw("<!doctype html>")}
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <title>{title} · s3-uploads</title>
          <link rel="icon" href={assets.favicon} type="image/svg+xml" />
          <link rel="stylesheet" href={assets.stylesheet} />
          <script src={assets.htmx} defer></script>
          {modules.slice(0, 1).map((module) => (
            <script type="module" src={module}></script>
          ))}
          {modules.slice(1).map((module) => (
            <link rel="modulepreload" href={module} />
          ))}
          {script && <script src={script} defer></script>}
        </head>
        <body>
          <a class="skip" href="#main">
            Skip to the content
          </a>
          <header class="site">
            <a class="brand" href={links.home}>
              <img src={assets.favicon} alt="" width="28" height="28" />
              s3-uploads
            </a>
            <nav aria-label="Main">
              {may.upload && (
                <a href={links.home} {...current("upload")}>
                  Upload
                </a>
              )}
              {may.view && (
                <a href={links.files} {...current("files")}>
                  Files
                </a>
              )}
              {may.admin && (
                <a href={links.admin.tokens} {...current("admin")}>
                  Admin
                </a>
              )}
              {may.admin && (
                <a href={links.audit} {...current("audit")}>
                  Audit
                </a>
              )}
              {site.isSignedIn && (
                <a href={links.account} {...current("account")}>
                  Account
                </a>
              )}
              {(site.isSignedIn || site.isInvited) && (
                <form method="post" action={links.signOut}>
                  <button class="plain" type="submit">
                    {site.isSignedIn ? "Sign out" : "Leave"}
                  </button>
                </form>
              )}
              {site.offersSignIn && <a href={links.signIn}>Sign in</a>}
            </nav>
          </header>
          <main id="main" tabindex={-1}>
            <div id="notices" role="status" aria-live="polite"></div>
            {children}
          </main>
        </body>
      </html>
    </>
  );
}
