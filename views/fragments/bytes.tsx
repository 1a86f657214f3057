/** @jsxImportSource hono/jsx */
import { exactBytes, shortBytes } from "../format.ts";

/** A size for people, the exact one in its title. */
export function Bytes({ value }: { value: number }) {
  return <span title={exactBytes(value)}>{shortBytes(value)}</span>;
}
