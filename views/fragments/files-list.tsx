/** @jsxImportSource hono/jsx */
import type { ListView, Site } from "../props.ts";
import { deleteFormId } from "./file-actions.tsx";
import { FilesGrid } from "./files-grid.tsx";
import { columns, FilesTable } from "./files-table.tsx";
import { Icon } from "./icons.tsx";
import { ListField } from "./list-field.tsx";
import { SelectionBar } from "./selection-bar.tsx";
import { swapsList } from "./swap-link.tsx";

/**
 * One page of files with everything that leads on from it. Takes its own place when htmx asks for another page, order or
 * search; the page's script asks for it again when files were deleted or brought back.
 */
export function FilesList({ site, list }: { site: Site; list: ListView }) {
  let { files, look, kept } = list;
  return (
    <div id="files" tabindex={-1} data-here={list.hereHref}>
      {kept.map((field) => (
        <input type="hidden" form="filters" {...field} />
      ))}
      {files.length === 0 ? (
        <Nothing site={site} list={list} />
      ) : (
        <>
          <ListHead list={list} />
          {look === "grid" ? (
            <FilesGrid files={files} mayDelete={site.may.delete} />
          ) : (
            <FilesTable list={list} mayDelete={site.may.delete} />
          )}
        </>
      )}
      {files.length > 0 && site.may.delete && (
        <form id={deleteFormId} method="post" hidden>
          <ListField listHref={list.hereHref} />
        </form>
      )}
      {files.length > 0 && site.may.delete && (
        <SelectionBar action={site.links.deleteMany} listHref={list.hereHref} />
      )}
      <Pages list={list} />
    </div>
  );
}

function ListHead({ list }: { list: ListView }) {
  let { look, sort, sortHrefs, lookHrefs } = list;
  return (
    <div class="list-head">
      <p class="meta" id="list-count">
        {countOf(list)}
      </p>
      {list.isNarrowed && <a href={list.wholeHref}>Clear search and filters</a>}
      <nav class={`sorts for-${look}`} aria-label="Order">
        {columns.map(({ column, label }) => {
          let isActive = sort.column === column || (sort.column === "id" && column === "created_at");
          return (
            <a
              id={`sort-by-${column}`}
              aria-current={isActive ? "true" : undefined}
              {...swapsList(sortHrefs[column] ?? "")}
            >
              {label}
              {isActive && <Direction descending={sort.descending} />}
            </a>
          );
        })}
      </nav>
      <nav class="looks" aria-label="Look">
        {(["table", "grid"] as const).map((name) => (
          <a
            id={`look-${name}`}
            class="icon-button"
            title={name === "table" ? "Show as a table" : "Show as a grid"}
            aria-label={name === "table" ? "Table" : "Grid"}
            aria-current={name === look ? "true" : undefined}
            {...swapsList(lookHrefs[name])}
          >
            <Icon name={name} />
          </a>
        ))}
      </nav>
    </div>
  );
}

export function Direction({ descending }: { descending: boolean }) {
  return (
    <>
      <span aria-hidden="true">{descending ? " ↓" : " ↑"}</span>
      <span class="unseen">{descending ? ", descending" : ", ascending"}</span>
    </>
  );
}

function countOf({ files, nextHref, previousHref }: ListView): string {
  let count = files.length === 1 ? "1 file" : `${files.length} files`;
  return nextHref === null && previousHref === null ? count : `${count} on this page`;
}

/** What to do where there is nothing to see. */
function Nothing({ site, list }: { site: Site; list: ListView }) {
  let isLater = list.firstHref !== null;
  if (isLater) {
    return (
      <div class="card nothing">
        <h2>Nothing on this page any more</h2>
        <p class="meta">Its files were deleted in the meantime.</p>
        <a class="button quiet" href={list.firstHref ?? ""}>
          To the first page
        </a>
      </div>
    );
  }
  if (list.isNarrowed) {
    return (
      <div class="card nothing">
        <h2>No file fits</h2>
        <p class="meta">A shorter part of the name finds more, and so does a list without filters.</p>
        <a class="button quiet" href={list.wholeHref}>
          Show all files
        </a>
      </div>
    );
  }
  return (
    <div class="card nothing">
      <h2>There are no files yet</h2>
      {site.may.upload && (
        <>
          <p class="meta">What you upload is listed here.</p>
          <a class="button" href={site.links.home}>
            Upload files
          </a>
        </>
      )}
    </div>
  );
}

function Pages({ list: { files, csvHref, firstHref, previousHref, nextHref } }: { list: ListView }) {
  if (files.length === 0 && !previousHref && !nextHref) return null;
  return (
    <div class="row-of-two below">
      <a class="csv" href={csvHref}>
        Download the list (CSV)
      </a>
      {(firstHref || nextHref) && (
        <nav class="actions" aria-label="Pages">
          {firstHref && (
            <a id="page-first" {...swapsList(firstHref)}>
              First page
            </a>
          )}
          <Step id="page-previous" rel="prev" href={previousHref} label="Previous" />
          <Step id="page-next" rel="next" href={nextHref} label="Next" />
        </nav>
      )}
    </div>
  );
}

function Step({ id, rel, href, label }: { id: string; rel: string; href: string | null; label: string }) {
  if (href === null) {
    return (
      <span class="button quiet off" aria-hidden="true">
        {label}
      </span>
    );
  }
  return (
    <a class="button quiet" id={id} rel={rel} {...swapsList(href)}>
      {label}
    </a>
  );
}
