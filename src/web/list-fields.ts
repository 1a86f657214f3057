import { z } from "zod";

import { FILE_KINDS } from "../domain.ts";
import { SORT_COLUMNS } from "../record/file-repository.ts";
import { day, oneOf, pageSize, text } from "./query-fields.ts";
import { parseSize } from "./sizes.ts";

const maxSearchChars = 500;
const maxTokenChars = 2000;
const maxPageRows = 1000;
const usualPageRows = 100;
const maxSizeChars = 40;

function bytes(description: string) {
  return z
    .string()
    .max(maxSizeChars)
    .transform((written, check) => {
      let size = parseSize(written);
      if (size !== null) return size;
      check.addIssue({ code: "custom", message: "must be a size like 500 KB, 10 MB or 1.5 GB" });
      return z.NEVER;
    })
    .meta({ description, examples: ["500 KB", "1.5 GB"] });
}

/** What narrows and orders a list, for programs and for pages. */
export const LIST_FIELDS = {
  _search: text(maxSearchChars, "Any part of the name; several words must all be there."),
  _sort: oneOf(SORT_COLUMNS, "Column to sort by, ascending. Without it the newest come first."),
  _sort_desc: oneOf(SORT_COLUMNS, "Column to sort by, descending; not together with `_sort`."),
  kind: oneOf(FILE_KINDS, "What the files are."),
  content_type: z
    .string()
    .trim()
    .toLowerCase()
    .pipe(z.string().regex(/^[\w.+-]{1,100}\/([\w.+-]{1,100}|\*)$/, "must be like image/png or image/*"))
    .meta({ description: "Media type, or all of one kind.", examples: ["image/png", "image/*"] }),
  from: day("First day of `created_date`, in UTC."),
  to: day("Last day of `created_date`, in UTC."),
  min_size: bytes("Smallest size in bytes, or with a unit of 1,024."),
  max_size: bytes("Largest size, as `min_size`."),
};

/** What picks a page of it. */
export const PAGE_FIELDS = {
  _size: pageSize(maxPageRows, usualPageRows, "Rows of a page."),
  _next: text(maxTokenChars, "The `next` of the page before. It fits the list that gave it."),
  _prev: text(maxTokenChars, "The `previous` of the page after; not together with `_next`."),
};
