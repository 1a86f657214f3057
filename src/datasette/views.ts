import type { CatalogView } from "../record/views.ts";
import { byType, duplicates, perDay } from "./sums.ts";
import { addresses, images, largest, places } from "./views-of-files.ts";

/** Addresses for the cells of views. */
export interface ViewLinks {
  /** Address of the list of files, without a slash at its end: `https://files.example.org/-/s3-uploads/files`. */
  files: string;
  /** What lets the readers of the catalog see thumbnails, see auth/thumbnail-signature.ts; null: there are none. */
  thumbnailSignature: string | null;
  /** Media types that have thumbnails. */
  drawnTypes: Iterable<string>;
}

/** A view and what Datasette tells of it. */
export interface DescribedView extends CatalogView {
  title: string;
  description: string;
  /** Descriptions of its columns, in their order. */
  columns: Record<string, string>;
  sortable: string[];
  /**
   * What Datasette sorts it by, downwards; null: it has an order of its own. A view of very many rows must not have one:
   * SQLite would then make all of its rows to count them.
   */
  sortDesc: string | null;
  /** Whether its rows are files, which can be searched by name. */
  hasFiles: boolean;
}

/**
 * The views of a catalog, each answering a question that people ask. Their names begin with the table's. All of it is
 * SQL that SQLite 3.37 reads.
 *
 * @param table as the database spells it
 * @param links null where the server does not know the address that others see: then no cell holds an address
 */
export function catalogViews(table: string, links: ViewLinks | null): DescribedView[] {
  return [
    images(table, links),
    places(table, links),
    perDay(table),
    byType(table),
    duplicates(table),
    largest(table, links),
    ...(links ? [addresses(table, links)] : []),
  ];
}
