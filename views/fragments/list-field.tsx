/** @jsxImportSource hono/jsx */

/** Tells the server which list a form stands in, by its query alone: where to go is the server's business. */
export function ListField({ listHref }: { listHref: string }) {
  let at = listHref.indexOf("?");
  return <input type="hidden" name="list" value={at < 0 ? "" : listHref.slice(at + 1)} />;
}
