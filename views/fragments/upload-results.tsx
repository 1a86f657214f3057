/** @jsxImportSource hono/jsx */
import type { UploadResultView } from "../props.ts";
import { Bytes } from "./bytes.tsx";
import { ErrorFacts } from "./error.tsx";

/** What happened to each file of an upload, in the order they were sent. */
export function UploadResults({ results, mayView }: { results: UploadResultView[]; mayView: boolean }) {
  return (
    <ul class="results">
      {results.map((result) =>
        result.success ? <Taken {...result} mayView={mayView} /> : <Refused {...result} />,
      )}
    </ul>
  );
}

function Taken({
  file,
  duplicateOf,
  mayView,
}: Extract<UploadResultView, { success: true }> & { mayView: boolean }) {
  return (
    <li class="notice good">
      <strong>Stored</strong>{" "}
      {mayView ? (
        <a class="filename" href={file.links.page} dir="auto">
          {file.record.filename}
        </a>
      ) : (
        <span class="filename" dir="auto">
          {file.record.filename}
        </span>
      )}{" "}
      <span class="meta">
        <Bytes value={file.record.size_bytes} /> · {file.record.content_type}
      </span>
      {duplicateOf && (
        <p class="meta">
          The same content is here already, as <a href={duplicateOf.href}>file {duplicateOf.id}</a>.
        </p>
      )}
    </li>
  );
}

function Refused({ filename, error }: Extract<UploadResultView, { success: false }>) {
  return (
    <li class="notice bad">
      <strong>Not stored</strong>{" "}
      <span class="filename" dir="auto">
        {filename || "a file without a name"}
      </span>
      <p>{error.message}</p>
      <details>
        <summary>Details</summary>
        <ErrorFacts error={error} />
      </details>
    </li>
  );
}
