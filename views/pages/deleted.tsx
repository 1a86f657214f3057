/** @jsxImportSource hono/jsx */
import { DeletedSummary } from "../fragments/deleted.tsx";
import { Layout } from "../layout.tsx";
import type { OutcomeView, Site, UndoView } from "../props.ts";

/** What became of a bulk deletion that did not succeed for every file. */
export function DeletedPage({ site, undo, ...outcome }: OutcomeView & { site: Site; undo: UndoView }) {
  return (
    <Layout site={site} title="Files deleted">
      <h1>Not every file was deleted</h1>
      <DeletedSummary {...outcome} undo={undo} restoreHref={site.links.restore} />
      <p>
        <a class="button quiet" href={undo.listHref}>
          Back to the list
        </a>
      </p>
    </Layout>
  );
}
