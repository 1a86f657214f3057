/** @jsxImportSource hono/jsx */
import { FileFacts } from "../fragments/file-facts.tsx";
import { Preview, TextHead } from "../fragments/preview.tsx";
import { Layout } from "../layout.tsx";
import type { FileView, Site } from "../props.ts";

export interface FilePageProps {
  site: Site;
  file: FileView;
  /** The beginning of a text file. */
  head: { text: string; isCut: boolean } | null;
}

export function FilePage({ site, file, head }: FilePageProps) {
  let { record, links } = file;
  return (
    <Layout site={site} title={record.filename} script={site.assets.fileScript}>
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
        <button class="quiet" type="button" data-copy-link={links.page} hidden>
          Copy link
        </button>
      </p>
      <div class="file-page">
        <Preview file={file} />
        {head && <TextHead {...head} />}
        <FileFacts record={record} />
      </div>
      {site.may.delete && (
        <details class="card delete">
          <summary>Delete this file</summary>
          <p>It is removed from storage and from the catalog. For 30 seconds this can be undone.</p>
          <form method="post" action={links.delete}>
            <button class="danger" type="submit">
              Delete
            </button>
          </form>
        </details>
      )}
    </Layout>
  );
}
