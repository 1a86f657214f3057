/** @jsxImportSource hono/jsx */
import { shortDate } from "../format.ts";

/** A point in time of the catalog (UTC) for people, the exact one in its title. */
export function Moment({ iso }: { iso: string }) {
  return (
    <time datetime={iso} title={iso}>
      {shortDate(iso)} <abbr title="Coordinated Universal Time">UTC</abbr>
    </time>
  );
}
