/** @jsxImportSource hono/jsx */
import { RestoredFragment } from "../fragments/restored.tsx";
import { Layout } from "../layout.tsx";
import type { OutcomeView, Site } from "../props.ts";

/** The answer to an undo that came too late for some of its files. */
export function RestoredPage({ site, listHref, ...outcome }: OutcomeView & { site: Site; listHref: string }) {
  return (
    <Layout site={site} title="Deletion undone in part">
      <h1>Not every file is back</h1>
      <RestoredFragment {...outcome} />
      <p>
        <a class="button quiet" href={listHref}>
          Back to the list
        </a>
      </p>
    </Layout>
  );
}
