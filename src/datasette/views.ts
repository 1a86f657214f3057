import type { CatalogView } from "../record/views.ts";
import { COLUMN_DESCRIPTIONS, type ColumnName } from "./columns.ts";

/** Addresses for the cells of views; null where the server does not know the address that others see. */
export interface ViewLinks {
  /** Address of the list of files, without a slash at its end: `https://files.example.org/-/s3-uploads/files`. */
  files: string;
  /** What lets the readers of the catalog see thumbnails, see auth/thumbnail-signature.ts; null: there are none. */
  thumbnailSignature: string | null;
}

/** A view and what Datasette tells of it. */
export interface DescribedView extends CatalogView {
  title: string;
  description: string;
  /** In the order of the columns. */
  columns: Record<string, string>;
  sortable: string[];
  /** Whether its rows are files, which can be searched by name. */
  hasFiles: boolean;
}

/** Files in the view of the largest. */
const maxLargest = 1_000;
const pictureWidthPixels = 160;

/**
 * The views of a catalog, each answering a question that people ask. Their names begin with the table's.
 *
 * @param table as the database spells it
 * @param drawnTypes media types that have thumbnails
 */
export function catalogViews(
  table: string,
  links: ViewLinks | null,
  drawnTypes: Iterable<string>,
): DescribedView[] {
  let from = `FROM "${table}"`;
  let totals = {
    files: "Number of files",
    total_bytes: "Size of all of them together, in bytes",
    largest_bytes: "Size of the largest, in bytes",
  };
  let camera = { camera: "Maker and model of the camera" };
  let signature = links?.thumbnailSignature ?? null;
  let picture = links && signature ? thumbnailCell(links.files, signature, drawnTypes) : null;
  let pictureColumn = picture === null ? "" : ` ${picture},`;
  let thumbnail: Record<string, string> = picture
    ? { thumbnail: "Small picture that leads to the file's page; drawn by datasette-json-html" }
    : {};

  let views: DescribedView[] = [
    {
      name: `${table}_images`,
      title: "Images",
      description: "Every picture with size, camera, time and position, the newest first.",
      columns: {
        ...described("id"),
        ...thumbnail,
        ...described("filename", "size_bytes", "width", "height"),
        ...camera,
        ...described("taken_at", "latitude", "longitude", "content_type", "created_at"),
      },
      sortable: ["id", "filename", "size_bytes", "taken_at"],
      hasFiles: true,
      sql: `SELECT id,${pictureColumn} filename, size_bytes, width, height,
  ${cameraOf} AS camera,
  taken_at, latitude, longitude, content_type, created_at
${from} WHERE kind = 'image' ORDER BY id DESC`,
    },
    {
      name: `${table}_places`,
      title: "Places",
      description: "Files that tell where they were made: the map of datasette-cluster-map shows them all.",
      columns: {
        ...described("id"),
        ...thumbnail,
        ...described("filename", "latitude", "longitude", "taken_at"),
        ...camera,
        ...described("content_type", "created_at"),
      },
      sortable: ["id", "filename", "taken_at"],
      hasFiles: true,
      sql: `SELECT id,${pictureColumn} filename, latitude, longitude, taken_at,
  ${cameraOf} AS camera,
  content_type, created_at
${from} WHERE latitude IS NOT NULL ORDER BY id DESC`,
    },
    {
      name: `${table}_per_day`,
      title: "Uploads per day",
      description: "How much arrived on each day (UTC), the latest first.",
      columns: { ...described("created_date"), ...totals },
      sortable: ["created_date", ...Object.keys(totals)],
      hasFiles: false,
      sql: `SELECT created_date, count(*) AS files, sum(size_bytes) AS total_bytes, max(size_bytes) AS largest_bytes
${from} GROUP BY created_date ORDER BY created_date DESC`,
    },
    {
      name: `${table}_by_type`,
      title: "By type",
      description: "How much there is of each type, the type with most bytes first.",
      columns: { ...described("content_type", "kind"), ...totals },
      sortable: ["content_type", "kind", ...Object.keys(totals)],
      hasFiles: false,
      sql: `SELECT content_type, kind, count(*) AS files, sum(size_bytes) AS total_bytes, max(size_bytes) AS largest_bytes
${from} GROUP BY content_type, kind ORDER BY total_bytes DESC`,
    },
    {
      name: `${table}_duplicates`,
      title: "Duplicates",
      description: "Contents that are there more than once, those that waste most room first.",
      columns: {
        ...described("checksum_sha256"),
        files: "Number of files with this content",
        objects: "Number of times that it is stored: fewer than files where they share one object",
        size_bytes: "Size of one of them in bytes",
        wasted_bytes: "What storing it once would save, in bytes",
        first_filename: "Name of the one that came first",
        ids: "Numbers of the files, as a JSON list",
        ...described("content_type"),
      },
      sortable: ["files", "objects", "size_bytes", "wasted_bytes", "first_filename"],
      hasFiles: false,
      sql: `SELECT f.checksum_sha256, count(*) AS files, count(DISTINCT f.s3_key) AS objects, f.size_bytes,
  f.size_bytes * (count(DISTINCT f.s3_key) - 1) AS wasted_bytes,
  (SELECT first.filename FROM "${table}" AS first WHERE first.id = min(f.id)) AS first_filename,
  json_group_array(f.id) AS ids, f.content_type
FROM (SELECT checksum_sha256 ${from} GROUP BY checksum_sha256 HAVING count(*) > 1) AS d
CROSS JOIN "${table}" AS f ON f.checksum_sha256 = d.checksum_sha256
GROUP BY d.checksum_sha256 ORDER BY wasted_bytes DESC`,
    },
    {
      name: `${table}_largest`,
      title: "Largest files",
      description: `The ${maxLargest.toLocaleString("en-GB")} largest files.`,
      columns: described("id", "filename", "size_bytes", "content_type", "kind", "created_at"),
      sortable: ["id", "filename", "size_bytes", "content_type", "created_at"],
      hasFiles: true,
      sql: `SELECT id, filename, size_bytes, content_type, kind, created_at
${from} ORDER BY size_bytes DESC, id LIMIT ${maxLargest}`,
    },
  ];
  if (links) {
    views.push({
      name: `${table}_links`,
      title: "Links",
      description:
        "Where each file is to be had, the newest first. The links ask for what the server asks for.",
      columns: {
        ...described("id", "filename"),
        page: "The file's page on the server that takes the uploads",
        download: "The file itself",
        ...described("size_bytes", "content_type", "kind", "created_at"),
      },
      sortable: ["id", "filename", "size_bytes", "content_type", "created_at"],
      hasFiles: true,
      sql: `SELECT id, filename, ${text(`${links.files}/`)} || id AS page,
  ${text(`${links.files}/`)} || id || '/download' AS download,
  size_bytes, content_type, kind, created_at
${from} ORDER BY id DESC`,
    });
  }
  return views;
}

function described(...names: ColumnName[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, COLUMN_DESCRIPTIONS[name]]));
}

const make = "json_extract(metadata_json, '$.make')";
const model = "json_extract(metadata_json, '$.model')";
/** Models often begin with the name of their maker. */
const cameraOf = `CASE WHEN instr(lower(${model}), lower(coalesce(${make}, ''))) = 1 THEN ${model}
    ELSE nullif(trim(coalesce(${make}, '') || ' ' || coalesce(${model}, '')), '') END`;

/** A cell that datasette-json-html draws; NULL for what has no thumbnail. By uid, which nobody can guess. */
function thumbnailCell(files: string, signature: string, drawnTypes: Iterable<string>): string {
  let types = [...drawnTypes].map(text).join(", ");
  return `CASE WHEN content_type IN (${types}) THEN json_object(
    'img_src', ${text(`${files}/`)} || uid || ${text(`/thumbnail?signature=${encodeURIComponent(signature)}`)},
    'href', ${text(`${files}/`)} || id, 'alt', filename, 'width', ${pictureWidthPixels}) END AS thumbnail`;
}

/** An SQL string. */
function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
