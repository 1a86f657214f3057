/** @jsxImportSource hono/jsx */
import { UploadResults } from "../fragments/upload-results.tsx";
import { Layout } from "../layout.tsx";
import type { Site, UploadResultView } from "../props.ts";

/** The answer to a form that was sent without JavaScript. */
export function UploadedPage({ site, results }: { site: Site; results: UploadResultView[] }) {
  let taken = results.filter((result) => result.success).length;
  let title =
    taken === results.length ? "Upload complete" : taken > 0 ? "Upload incomplete" : "Upload refused";
  return (
    <Layout site={site} title={title}>
      <section class="card">
        <h1>{title}</h1>
        <p class="lead">
          {taken} of {results.length} {results.length === 1 ? "file" : "files"} stored.
        </p>
        <UploadResults results={results} mayView={site.may.view} />
        <p class="actions">
          <a class="button" href={site.links.home}>
            Upload more
          </a>
          {site.may.view && (
            <a class="button quiet" href={site.links.files}>
              All files
            </a>
          )}
        </p>
      </section>
    </Layout>
  );
}
