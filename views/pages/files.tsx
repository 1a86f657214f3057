/** @jsxImportSource hono/jsx */
import { FilesTable } from "../fragments/files-table.tsx";
import { Layout } from "../layout.tsx";
import type { ListView, Site } from "../props.ts";

const kinds = ["image", "video", "audio", "document", "archive", "text", "other"];

export function FilesPage({ site, list }: { site: Site; list: ListView }) {
  let { links } = site;
  return (
    <Layout site={site} title="Files" here="files">
      <h1>Files</h1>
      <search>
        <form
          class="search"
          method="get"
          action={links.files}
          hx-get={links.files}
          hx-trigger="input delay:300ms, submit"
          hx-target="#files"
          hx-swap="outerHTML"
          hx-replace-url="true"
          hx-sync="this:replace"
        >
          <div class="grow">
            <label for="search">Name contains</label>
            <input
              id="search"
              type="search"
              name="_search"
              value={list.search}
              autocomplete="off"
              maxlength={500}
            />
          </div>
          <div>
            <label for="kind">Kind</label>
            <select id="kind" name="kind">
              <option value="">any</option>
              {kinds.map((kind) => (
                <option value={kind} selected={kind === list.kind}>
                  {kind}
                </option>
              ))}
            </select>
          </div>
          {list.contentType !== "" && (
            <div>
              <label for="content-type">Type</label>
              <input id="content-type" name="content_type" value={list.contentType} />
            </div>
          )}
          <button type="submit">Search</button>
        </form>
      </search>
      <FilesTable site={site} list={list} />
    </Layout>
  );
}
