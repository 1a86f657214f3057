import { describeColumns } from "./columns.ts";
import type { DescribedView, ViewLinks } from "./views.ts";

const pictureWidthPixels = 160;
/** Files in the view of the largest. */
const maxLargest = 1_000;

const make = "json_extract(metadata_json, '$.make')";
const model = "json_extract(metadata_json, '$.model')";
/** Models often begin with the name of their maker. */
const cameraColumn = `CASE WHEN instr(lower(${model}), lower(coalesce(${make}, ''))) = 1 THEN ${model}
    ELSE nullif(trim(coalesce(${make}, '') || ' ' || coalesce(${model}, '')), '') END AS camera`;
const camera = { camera: "Maker and model of the camera" };
const page = { page: "The file's page on the server that takes the uploads" };

/** Every picture. */
export function images(table: string, links: ViewLinks | null): DescribedView {
  let thumbnail = thumbnailOf(links);
  return {
    name: `${table}_images`,
    title: "Images",
    description: "every picture with its size, camera, time and position, the newest first",
    columns: describeColumns(
      "id",
      thumbnail.described,
      "filename",
      "size_bytes",
      "width",
      "height",
      camera,
      "taken_at",
      "latitude",
      "longitude",
      "content_type",
      "created_at",
    ),
    sortable: ["id", "filename", "size_bytes", "taken_at"],
    sortDesc: "id",
    hasFiles: true,
    sql: `SELECT id,${thumbnail.column} filename, size_bytes, width, height,
  ${cameraColumn},
  taken_at, latitude, longitude, content_type, created_at
FROM "${table}" WHERE kind = 'image'`,
  };
}

/** What has a position: the table's own map would ask for every other row as well. */
export function places(table: string, links: ViewLinks | null): DescribedView {
  let thumbnail = thumbnailOf(links);
  return {
    name: `${table}_places`,
    title: "Places",
    description: "files that tell where they were made; datasette-cluster-map shows them on a map",
    columns: describeColumns(
      "id",
      thumbnail.described,
      "filename",
      "latitude",
      "longitude",
      "taken_at",
      camera,
      "content_type",
      "created_at",
    ),
    sortable: ["id", "filename", "taken_at"],
    sortDesc: "id",
    hasFiles: true,
    sql: `SELECT id,${thumbnail.column} filename, latitude, longitude, taken_at,
  ${cameraColumn},
  content_type, created_at
FROM "${table}" WHERE latitude IS NOT NULL`,
  };
}

export function largest(table: string, links: ViewLinks | null): DescribedView {
  let address = links === null ? "" : ` ${text(`${links.files}/`)} || id AS page,`;
  return {
    name: `${table}_largest`,
    title: "Largest files",
    description: `the ${maxLargest.toLocaleString("en-GB")} largest`,
    columns: describeColumns(
      "id",
      "filename",
      "size_bytes",
      links === null ? {} : page,
      "content_type",
      "kind",
      "created_at",
    ),
    sortable: ["id", "filename", "size_bytes", "content_type", "created_at"],
    sortDesc: null,
    hasFiles: true,
    sql: `SELECT id, filename, size_bytes,${address} content_type, kind, created_at
FROM "${table}" ORDER BY size_bytes DESC, id LIMIT ${maxLargest}`,
  };
}

/** Cells that are an address and nothing else, which Datasette makes a link of. */
export function addresses(table: string, { files }: ViewLinks): DescribedView {
  let base = text(`${files}/`);
  return {
    name: `${table}_links`,
    title: "Links",
    description: "where each file is to be had, for those who may, the newest first",
    columns: describeColumns(
      "id",
      "filename",
      page,
      { download: "The file itself" },
      "size_bytes",
      "content_type",
      "kind",
      "created_at",
    ),
    sortable: ["id", "filename", "size_bytes", "content_type", "created_at"],
    sortDesc: "id",
    hasFiles: true,
    sql: `SELECT id, filename, ${base} || id AS page, ${base} || id || '/download' AS download,
  size_bytes, content_type, kind, created_at
FROM "${table}"`,
  };
}

/** A cell that datasette-json-html draws; NULL for what has no thumbnail. By uid, which nobody can guess. */
function thumbnailOf(given: ViewLinks | null): { column: string; described: Record<string, string> } {
  if (!given?.thumbnailSignature) return { column: "", described: {} };
  let base = text(`${given.files}/`);
  let ending = text(`/thumbnail?signature=${encodeURIComponent(given.thumbnailSignature)}`);
  let types = [...given.drawnTypes].map(text).join(", ");
  return {
    column: ` CASE WHEN content_type IN (${types}) THEN json_object(
    'img_src', ${base} || uid || ${ending}, 'href', ${base} || id,
    'alt', filename, 'width', ${pictureWidthPixels}) END AS thumbnail,`,
    described: {
      thumbnail: "Small picture that leads to the file's page; datasette-json-html draws it",
    },
  };
}

/** An SQL string. */
function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
