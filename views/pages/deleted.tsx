/** @jsxImportSource hono/jsx */
import { DeletedSummary } from "../fragments/deleted.tsx";
import { Layout } from "../layout.tsx";
import type { DeletionView, Site } from "../props.ts";

/** What became of a bulk deletion that did not succeed for every file. */
export function DeletedPage({ site, ...view }: DeletionView & { site: Site }) {
  return (
    <Layout site={site} title="Files deleted">
      <h1>Not every file was deleted</h1>
      <DeletedSummary {...view} />
      <p>
        <a class="button quiet" href={site.links.files}>
          All files
        </a>
      </p>
    </Layout>
  );
}
