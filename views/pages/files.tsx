/** @jsxImportSource hono/jsx */
import { FilesList } from "../fragments/files-list.tsx";
import { FilterForm } from "../fragments/filter-form.tsx";
import { IconShapes } from "../fragments/icons.tsx";
import { UndoNotice } from "../fragments/undo-notice.tsx";
import { Layout } from "../layout.tsx";
import type { ListView, Site, UndoView } from "../props.ts";

/** The list of files. `#undo` and `#announcer` stay when the list is swapped, so that screen readers hear of it. */
export function FilesPage({ site, list, undo }: { site: Site; list: ListView; undo: UndoView | null }) {
  return (
    <Layout site={site} title="Files" here="files" script={site.assets.filesScript}>
      <IconShapes />
      <h1>Files</h1>
      <FilterForm list={list} action={site.links.files} />
      <div id="undo" role="status">
        {undo && <UndoNotice undo={undo} restoreHref={site.links.restore} />}
      </div>
      <p id="announcer" class="unseen" role="status"></p>
      <FilesList site={site} list={list} />
      {site.may.delete && <ConfirmDialog />}
    </Layout>
  );
}

/** Opened by the page's script, which fills in how many. */
function ConfirmDialog() {
  return (
    <dialog id="confirm-delete" class="card" aria-labelledby="confirm-title">
      <form method="dialog">
        <h2 id="confirm-title">Delete the selected files?</h2>
        <p class="meta">Afterwards you have half a minute to undo it.</p>
        <p class="actions">
          <button class="danger" type="submit" value="delete">
            Delete
          </button>
          <button class="quiet" type="submit" value="keep">
            Keep them
          </button>
        </p>
      </form>
    </dialog>
  );
}
