/** @jsxImportSource hono/jsx */
import type { FileView } from "../props.ts";

/** The file itself, for types that can't run anything. */
export function Preview({ file: { record, links, preview } }: { file: FileView }) {
  switch (preview) {
    case "image":
      return (
        <figure class="preview">
          <a href={links.download}>
            <img
              src={links.download}
              alt={record.filename}
              width={record.width ?? undefined}
              height={record.height ?? undefined}
            />
          </a>
        </figure>
      );
    case "video":
      return (
        <figure class="preview">
          <video src={links.download} controls preload="metadata"></video>
        </figure>
      );
    case "audio":
      return (
        <figure class="preview">
          <audio src={links.download} controls preload="metadata"></audio>
        </figure>
      );
    case "pdf":
      return (
        <figure class="preview">
          <iframe src={`${links.frame}#navpanes=0&view=FitH`} title={record.filename} loading="lazy"></iframe>
          <figcaption class="meta">
            No document here? <a href={links.frame}>Open it on its own.</a>
          </figcaption>
        </figure>
      );
    case null:
      return null;
  }
}

/** A text as it is written: markup in it is text as well. */
export function TextHead({ text, isCut }: { text: string; isCut: boolean }) {
  return (
    <section class="preview card text-head" aria-label="The beginning of the file">
      {/* Focusable, so that the keyboard can scroll it. */}
      <pre tabindex={0}>{text}</pre>
      {isCut && <p class="meta">This is the beginning; the download has all of it.</p>}
    </section>
  );
}
