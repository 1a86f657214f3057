import { trimEndOf } from "../trim-end.ts";

/** What `trim` takes away, and NUL. */
const blanks =
  "\0\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff";

/** The last extension of a file name, lower-case and without the dot; "" when it has none. */
export function extensionOf(filename: string): string {
  return extensionsOf(filename).at(-1) ?? "";
}

/**
 * All extensions of a file name in order, lower-case: `x.PHP.jpg` gives php and jpg. Blanks and dots at the end count for
 * nothing, since Windows drops them (`shell.php. .` is opened as `shell.php`). `.htaccess` has the extension htaccess.
 */
export function extensionsOf(filename: string): string[] {
  let parts = filename
    .toLowerCase()
    .split(".")
    .map((part) => part.trim())
    .slice(1)
    .map((part) => trimEndOf(part, blanks));
  return parts.filter((part) => part !== "");
}
