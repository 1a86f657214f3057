import { describeColumns } from "./columns.ts";
import type { DescribedView } from "./views.ts";

/** Views that sum up; all but the duplicates read an index alone. */

const sums = "count(*) AS files, sum(size_bytes) AS total_bytes, max(size_bytes) AS largest_bytes";
const sumColumns = {
  files: "Number of files",
  total_bytes: "Size of all of them together, in bytes",
  largest_bytes: "Size of the largest, in bytes",
};

export function perDay(table: string): DescribedView {
  return {
    name: `${table}_per_day`,
    title: "Uploads per day",
    description: "how much arrived on each day (UTC), the latest first",
    columns: describeColumns("created_date", sumColumns),
    sortable: ["created_date", ...Object.keys(sumColumns)],
    sortDesc: null,
    hasFiles: false,
    sql: `SELECT created_date, ${sums}
FROM "${table}" GROUP BY created_date ORDER BY created_date DESC`,
  };
}

export function byType(table: string): DescribedView {
  return {
    name: `${table}_by_type`,
    title: "By type",
    description: "how much there is of each type, the type with the most bytes first",
    columns: describeColumns("content_type", "kind", sumColumns),
    sortable: ["content_type", "kind", ...Object.keys(sumColumns)],
    sortDesc: null,
    hasFiles: false,
    sql: `SELECT content_type, kind, ${sums}
FROM "${table}" GROUP BY content_type, kind ORDER BY total_bytes DESC`,
  };
}

export function duplicates(table: string): DescribedView {
  return {
    name: `${table}_duplicates`,
    title: "Duplicates",
    description: "contents that are there more than once, those that waste the most room first",
    columns: describeColumns(
      {
        first_filename: "Name of the file that came first",
        files: "Number of files with this content",
        objects: "How often it is stored: less than there are files where they share an object",
      },
      "size_bytes",
      { wasted_bytes: "What storing it once would save, in bytes" },
      "content_type",
      { ids: "Numbers of the files, as a JSON list" },
      "checksum_sha256",
    ),
    sortable: ["files", "objects", "size_bytes", "wasted_bytes", "first_filename"],
    sortDesc: null,
    hasFiles: false,
    sql: `SELECT max(CASE WHEN f.id = d.first_id THEN f.filename END) AS first_filename, d.files,
  count(DISTINCT f.s3_key) AS objects, f.size_bytes,
  f.size_bytes * (count(DISTINCT f.s3_key) - 1) AS wasted_bytes,
  f.content_type, json_group_array(f.id) AS ids, d.checksum_sha256
FROM (SELECT checksum_sha256, count(*) AS files, min(id) AS first_id
  FROM "${table}" GROUP BY checksum_sha256 HAVING count(*) > 1) AS d
CROSS JOIN "${table}" AS f ON f.checksum_sha256 = d.checksum_sha256
GROUP BY d.checksum_sha256 ORDER BY wasted_bytes DESC`,
  };
}
