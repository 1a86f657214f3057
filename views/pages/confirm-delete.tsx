/** @jsxImportSource hono/jsx */
import { Bytes } from "../fragments/bytes.tsx";
import { ListField } from "../fragments/list-field.tsx";
import { Layout } from "../layout.tsx";
import type { FileView, Site } from "../props.ts";

/** Names that are read through before something is deleted; the others are counted. */
const namesShown = 20;

/** Asks before several files are deleted by a page without scripts. */
export function ConfirmDeletePage({
  site,
  files,
  listHref,
}: {
  site: Site;
  files: FileView[];
  listHref: string;
}) {
  let what = files.length === 1 ? "1 file" : `${files.length} files`;
  let others = files.length - namesShown;
  return (
    <Layout site={site} title={`Delete ${what}?`}>
      <section class="card">
        <h1>Delete {what}?</h1>
        <ul>
          {files.slice(0, namesShown).map(({ record }) => (
            <li>
              <span class="filename" dir="auto">
                {record.filename}
              </span>{" "}
              <span class="meta">
                <Bytes value={record.size_bytes} />
              </span>
            </li>
          ))}
        </ul>
        {others > 0 && <p>and {others} more.</p>}
        <p class="meta">Afterwards you have half a minute to undo it.</p>
        <form class="actions" method="post" action={site.links.deleteMany}>
          {files.map(({ record }) => (
            <input type="hidden" name="id" value={String(record.id)} />
          ))}
          <ListField listHref={listHref} />
          <input type="hidden" name="confirmed" value="yes" />
          <button class="danger" type="submit">
            Delete {what}
          </button>
          <a class="button quiet" href={listHref}>
            Keep {files.length === 1 ? "it" : "them"}
          </a>
        </form>
      </section>
    </Layout>
  );
}
