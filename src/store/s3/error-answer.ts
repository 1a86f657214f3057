import { KIB } from "../../units.ts";
import type { SdkResponse } from "./fetch-transport.ts";

/** S3's own errors have less than one; what stands between may send a page of any length. */
const maxErrorBytes = 64 * KIB;

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** An answer that is no success as an error such as the SDK throws, for faultOf and explain. */
export async function errorOf({ statusCode, headers, body }: SdkResponse): Promise<Error> {
  let xml = await beginningOf(body);
  let error = new Error(textOf("Message", xml) ?? "no reason given");
  error.name = textOf("Code", xml) ?? "UnknownError";
  let facts = { $metadata: { httpStatusCode: statusCode }, $response: { headers } };
  return Object.assign(error, facts, { Region: textOf("Region", xml) });
}

async function beginningOf(body: SdkResponse["body"]): Promise<string> {
  if (body instanceof Uint8Array) return "";
  let decoder = new TextDecoder();
  let text = "";
  for await (let chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length >= maxErrorBytes) break;
  }
  return text;
}

/** What stands in the first element of that name; all of them are flat. */
function textOf(element: string, xml: string): string | undefined {
  let start = xml.indexOf(`<${element}>`);
  let end = xml.indexOf(`</${element}>`, start);
  if (start < 0 || end < 0) return undefined;
  let text = xml.slice(start + element.length + 2, end);
  return text.replace(/&(\w+|#\d{1,6});/g, (entity, name: string) =>
    name.startsWith("#") ? String.fromCodePoint(Number(name.slice(1))) : (ENTITIES[name] ?? entity),
  );
}
