/** @jsxImportSource hono/jsx */
import { shortBytes } from "../format.ts";
import type { Site, UploadRules } from "../props.ts";

/**
 * The form, and what public/js/upload makes of it: a drop zone. Without JavaScript it sends all chosen files at once, and
 * the answer leads to a page that tells what became of each.
 */
export function UploadForm({ site: { links, may }, rules }: { site: Site; rules: UploadRules }) {
  return (
    <form
      id="upload"
      class="drop"
      method="post"
      action={links.upload}
      enctype="multipart/form-data"
      data-url={links.upload}
      data-tus={links.tus}
      data-resumable-bytes={String(rules.resumableBytes)}
      data-files={may.view ? links.files : undefined}
      data-max-bytes={String(rules.maxFileBytes)}
      data-allowed={rules.allowedExtensions.join(",")}
      data-blocked={rules.blockedExtensions.join(",")}
    >
      <svg class="drop-sign" viewBox="0 0 24 24" width="40" height="40" aria-hidden="true">
        <path d="M12 16V4m0 0L7 9m5-5 5 5M4 15v4a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-4" />
      </svg>
      <p class="drop-title only-enhanced">Drop files or folders here, or paste them</p>
      <p class="drop-choose">
        <span class="pick">
          <input id="file" type="file" name="file" multiple required aria-describedby="file-hint" />
          <label for="file">Choose files</label>
        </span>
        <span class="pick only-enhanced">
          <input id="folder" type="file" multiple {...{ webkitdirectory: "" }} />
          <label for="folder" class="quiet">
            Choose a folder
          </label>
        </span>
      </p>
      <p id="file-hint" class="meta">
        Up to {shortBytes(rules.maxFileBytes)} each.
        {rules.allowedExtensions.length > 0 && ` Accepted: ${rules.allowedExtensions.join(", ")}.`}
      </p>
      <button class="only-plain" type="submit">
        Upload
      </button>
    </form>
  );
}

/** What an earlier visit has not finished; hidden when there is nothing. */
export function UnfinishedUploads() {
  return (
    <section id="unfinished" class="notice" aria-label="Unfinished uploads" hidden>
      <p id="unfinished-text"></p>
      <button id="unfinished-forget" class="quiet small" type="button">
        Forget them
      </button>
    </section>
  );
}

/** The files on their way; empty and hidden until some are chosen. */
export function Uploads() {
  return (
    <section id="uploads" class="card uploads" aria-labelledby="uploads-title" hidden>
      <div class="uploads-head">
        <h2 id="uploads-title" class="unseen">
          Uploads
        </h2>
        <p id="uploads-text" class="uploads-text"></p>
        <p class="actions">
          <button id="retry-all" class="quiet small" type="button" hidden>
            Try all again
          </button>
          <button id="cancel-all" class="quiet small" type="button" hidden>
            Cancel all
          </button>
        </p>
      </div>
      <progress id="uploads-bar" max="1" value="0" aria-label="Progress of all files"></progress>
      <ol id="uploads-list" class="uploads-list"></ol>
      <p id="uploads-more" class="meta" hidden></p>
      <p id="uploads-news" class="unseen" role="status" aria-live="polite"></p>
      <template id="upload-row">
        <li>
          <span class="thumb" data-part="thumb" aria-hidden="true"></span>
          <div class="upload-what">
            <span class="filename" data-part="name" dir="auto"></span>
            <span class="meta" data-part="facts"></span>
            <span class="upload-why" data-part="why" hidden></span>
            <progress data-part="bar" max="1" value="0" hidden></progress>
          </div>
          <button class="quiet small" type="button" data-part="pause" hidden>
            Pause
          </button>
          <button class="quiet small" type="button" data-part="retry" hidden>
            Try again
          </button>
          <button class="quiet small" type="button" data-part="cancel">
            Cancel
          </button>
        </li>
      </template>
    </section>
  );
}
