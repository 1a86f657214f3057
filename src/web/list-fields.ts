import { z } from "zod";

import { FILE_KINDS } from "../domain.ts";
import { SORT_COLUMNS } from "../record/file-repository.ts";
import { choiceField, dayField, pageSizeField, textField } from "./query-fields.ts";
import { parseSize, sizePattern } from "./sizes.ts";

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
    .meta({ description, pattern: sizePattern.source, examples: ["500 KB", "1.5 GB"] });
}

/** What narrows and orders a list, for programs and for pages. */
export const LIST_FIELDS = {
  _search: textField(maxSearchChars, "Any part of the name; several words must all be there."),
  _sort: choiceField(SORT_COLUMNS, "Column to sort by, ascending. Without it the newest come first."),
  _sort_desc: choiceField(SORT_COLUMNS, "Column to sort by, descending; not together with `_sort`."),
  kind: choiceField(FILE_KINDS, "What the files are."),
  content_type: z
    .string()
    .trim()
    .toLowerCase()
    .pipe(z.string().regex(/^[\w.+-]{1,100}\/([\w.+-]{1,100}|\*)$/, "must be like image/png or image/*"))
    .meta({ description: "Media type, or all of one kind.", examples: ["image/png", "image/*"] }),
  from: dayField("First day of `created_date`, in UTC."),
  to: dayField("Last day of `created_date`, in UTC."),
  min_size: bytes("Smallest size in bytes, or with a unit of 1,024."),
  max_size: bytes("Largest size, as `min_size`."),
};

/** What picks a page of it. */
export const PAGE_FIELDS = {
  _size: pageSizeField(maxPageRows, usualPageRows, "Rows of a page."),
  _next: textField(maxTokenChars, "The `next` of the page before. It fits the list that gave it."),
  _prev: textField(maxTokenChars, "The `previous` of the page after; not together with `_next`."),
};
