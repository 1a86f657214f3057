/** Any shape of text, numbers, lists and objects; a list repeats its element. */
export type Xml = string | number | boolean | Xml[] | { [element: string]: Xml };

/** A whole document. */
export function xmlDocument(root: string, content: Xml): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element(root, content)}`;
}

function element(name: string, content: Xml): string {
  if (Array.isArray(content)) return content.map((one) => element(name, one)).join("");
  let inside =
    typeof content === "object"
      ? Object.entries(content)
          .map(([child, value]) => element(child, value))
          .join("")
      : escape(String(content));
  return `<${name}>${inside}</${name}>`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** The text of the first such element, or null; enough for what an S3 client sends. */
export function textIn(xml: string, name: string): string | null {
  let found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  return found?.replaceAll("&quot;", '"').replaceAll("&#34;", '"').replaceAll("&amp;", "&") ?? null;
}
