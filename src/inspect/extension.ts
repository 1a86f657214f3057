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
    .map((part) => part.replace(/[\s\0]+$/, ""));
  return parts.filter((part) => part !== "");
}
