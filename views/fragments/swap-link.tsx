/** @jsxImportSource hono/jsx */

/** For a link to another page or order of the list: htmx swaps the list alone, and the address says what is shown. */
export function swapsList(href: string) {
  return {
    href,
    "hx-get": href,
    "hx-target": "#files",
    "hx-swap": "outerHTML",
    "hx-push-url": "true",
    "hx-sync": "#filters:replace",
  };
}
