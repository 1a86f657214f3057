/** @jsxImportSource hono/jsx */
import { shortBytes } from "../format.ts";
import { NewestFiles } from "../fragments/newest-files.tsx";
import { Layout } from "../layout.tsx";
import type { FileView, Site } from "../props.ts";

export interface HomePageProps {
  site: Site;
  /** Newest first; empty for one who may not see files. */
  files: FileView[];
  maxFileBytes: number;
}

export function HomePage({ site, files, maxFileBytes }: HomePageProps) {
  let { links, may } = site;
  return (
    <Layout site={site} title="Upload" here="upload">
      <section class="card upload" aria-labelledby="upload-title">
        <h1 id="upload-title">Upload files</h1>
        {/* An upload may last for hours: htmx would give up after a minute. */}
        <form
          id="upload"
          method="post"
          action={links.upload}
          enctype="multipart/form-data"
          hx-post={links.upload}
          hx-encoding="multipart/form-data"
          hx-target="#upload-results"
          hx-swap="innerHTML"
          hx-config="timeout:0"
          hx-disable="find button"
        >
          <label for="file">Choose one file or several</label>
          <input id="file" type="file" name="file" multiple required aria-describedby="file-hint" />
          <p id="file-hint" class="meta">
            Up to {shortBytes(maxFileBytes)} each.
          </p>
          <button type="submit">Upload</button>
          <span class="htmx-indicator meta" role="status">
            Sending…
          </span>
        </form>
        <div id="upload-results" aria-live="polite"></div>
      </section>
      {may.view && <NewestFiles files={files} homeHref={links.home} filesHref={links.files} />}
    </Layout>
  );
}
