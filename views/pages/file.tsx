/** @jsxImportSource hono/jsx */
import { FileFacts } from "../fragments/file-facts.tsx";
import { Preview } from "../fragments/preview.tsx";
import { Layout } from "../layout.tsx";
import type { FileView, Site } from "../props.ts";

export function FilePage({ site, file }: { site: Site; file: FileView }) {
  let { record, links } = file;
  return (
    <Layout site={site} title={record.filename}>
      <p class="meta">
        <a href={site.links.files}>Files</a> / {record.id}
      </p>
      <h1 class="filename" dir="auto">
        {record.filename}
      </h1>
      <p class="actions">
        <a class="button" href={links.download} download={record.filename}>
          Download
        </a>
        <a class="button quiet" href={links.json}>
          JSON
        </a>
      </p>
      <div class="file-page">
        <Preview file={file} />
        <FileFacts record={record} />
      </div>
      {site.may.delete && (
        <details class="card delete">
          <summary>Delete this file</summary>
          <p>It is removed from storage and from the catalog. This can't be undone.</p>
          <form method="post" action={links.delete}>
            <button class="danger" type="submit">
              Delete for good
            </button>
          </form>
        </details>
      )}
    </Layout>
  );
}
