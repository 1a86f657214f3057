/** @jsxImportSource hono/jsx */
import type { Child } from "hono/jsx";

import { exactBytes, mapHref, shortBytes, shortDate, shortDuration, shortPosition } from "../format.ts";
import type { FileRecord, Json } from "../props.ts";
import { exposureOf, lensOf } from "./exposure.ts";
import { Moment } from "./moment.tsx";

/** Shown under names of their own, or already told by a column. */
const toldKeys = new Set([
  "make",
  "model",
  "declared_type",
  "mismatch",
  "stored_width",
  "stored_height",
  "duration_s",
]);

/** Everything that is known of a file. */
export function FileFacts({ record }: { record: FileRecord }) {
  let { width, height, latitude, longitude, metadata } = record;
  let camera = [metadata["make"], metadata["model"]].filter((part) => typeof part === "string").join(" ");
  let lens = lensOf(metadata["exif"]);
  let exposure = exposureOf(metadata["exif"]);
  let duration = metadata["duration_s"];
  let short = shortBytes(record.size_bytes);
  let exact = exactBytes(record.size_bytes);
  let rest = Object.entries(metadata).filter(([key, value]) => !toldKeys.has(key) && value !== null);
  return (
    <section class="card" aria-labelledby="facts-title">
      <h2 id="facts-title">What is known</h2>
      <dl class="facts">
        <Fact label="Size">
          {short}
          {exact !== short && (
            <>
              {" "}
              <span class="meta">{exact}</span>
            </>
          )}
        </Fact>
        <Type record={record} />
        {width !== null && height !== null && (
          <Fact label="Dimensions">
            {width} × {height} pixels <StoredSize record={record} />
          </Fact>
        )}
        {typeof duration === "number" && (
          <Fact label="Duration">
            <span title={`${duration} seconds`}>{shortDuration(duration)}</span>
          </Fact>
        )}
        {record.taken_at !== null && (
          <Fact label="Taken">
            <time datetime={record.taken_at} title={record.taken_at}>
              {shortDate(record.taken_at)}
            </time>{" "}
            <span class="meta">by the camera's clock</span>
          </Fact>
        )}
        {camera !== "" && <Fact label="Camera">{camera}</Fact>}
        {lens !== "" && <Fact label="Lens">{lens}</Fact>}
        {exposure !== "" && <Fact label="Exposure">{exposure}</Fact>}
        {latitude !== null && longitude !== null && (
          <Fact label="Position">
            <a
              href={mapHref(latitude, longitude)}
              rel="noopener noreferrer"
              title={`${latitude}, ${longitude}`}
            >
              {shortPosition(latitude, longitude)}
            </a>{" "}
            <span class="meta">on OpenStreetMap</span>
          </Fact>
        )}
        <Fact label="Received">
          <Moment iso={record.created_at} />
        </Fact>
        <Fact label="SHA-256">
          <code class="long">{record.checksum_sha256}</code>{" "}
          <button class="quiet small" type="button" data-copy={record.checksum_sha256} hidden>
            Copy<span class="unseen"> the sum</span>
          </button>
        </Fact>
        <Fact label="Stored as">
          <code class="long">
            {record.storage}: {record.bucket}/{record.s3_key}
          </code>
        </Fact>
        <Fact label="Ids">
          {record.id} · <code class="long">{record.uid}</code>
        </Fact>
      </dl>
      {rest.length > 0 && (
        <details>
          <summary>All metadata</summary>
          <dl class="facts small">
            {rest.map(([key, value]) => (
              <Metadata name={key} value={value} />
            ))}
          </dl>
        </details>
      )}
    </section>
  );
}

function Fact({ label, children }: { label: string; children?: Child }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Type({ record: { content_type, kind, metadata } }: { record: FileRecord }) {
  let declared = metadata["declared_type"];
  let mismatch = metadata["mismatch"];
  return (
    <Fact label="Type">
      {content_type} <span class="meta">{kind}, found in the content</span>
      {typeof declared === "string" && declared !== content_type && (
        <>
          <br />
          <span class="meta">The sender said {declared}.</span>
        </>
      )}
      {typeof mismatch === "object" && mismatch !== null && !Array.isArray(mismatch) && (
        <>
          <br />
          <strong class="warning">{mismatchSentence(mismatch)}</strong>
        </>
      )}
    </Fact>
  );
}

/** @param mismatch what disagrees with the content: `extension`, `declared_type` or both */
function mismatchSentence({ extension, declared_type: declared }: Record<string, Json>): string {
  let claims: string[] = [];
  if (typeof extension === "string") claims.push(`its name (.${extension})`);
  if (typeof declared === "string") claims.push(`its declared type (${declared})`);
  return `The content does not match ${claims.join(" and ") || "what was said of it"}.`;
}

/** Of a picture that is turned for display. */
function StoredSize({ record: { width, height, metadata } }: { record: FileRecord }) {
  let { stored_width: storedWidth, stored_height: storedHeight } = metadata;
  if (typeof storedWidth !== "number" || typeof storedHeight !== "number") return null;
  if (storedWidth === width && storedHeight === height) return null;
  return (
    <span class="meta">
      stored as {storedWidth} × {storedHeight}
    </span>
  );
}

/** One level of nesting is a list of its own; what lies deeper is shown as JSON. */
function Metadata({ name, value }: { name: string; value: Json }) {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return (
      <>
        {Object.entries(value).map(([key, inner]) => (
          <Fact label={`${name}.${key}`}>{plain(inner)}</Fact>
        ))}
      </>
    );
  }
  return <Fact label={name}>{plain(value)}</Fact>;
}

function plain(value: Json): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
