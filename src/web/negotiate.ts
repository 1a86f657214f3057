import type { Context } from "hono";

/** JSON for programs, a whole page for browsers, a piece of one for htmx. */
export type Form = "json" | "page" | "fragment";

/** Answers whose form was negotiated depend on these. */
export const negotiatedBy = "Accept, HX-Request";

/**
 * The form that the client wants. curl's accept-anything header decides nothing, so the route's own default stands.
 * @param whenEqual pages say "page"; what programs call (upload, delete, errors) says "json".
 */
export function formOf(context: Context, whenEqual: "json" | "page"): Form {
  context.header("Vary", negotiatedBy);
  if (context.req.header("HX-Request") === "true") {
    // htmx asks for "full" when it is going to replace the body or to pick a part out of a whole page.
    return context.req.header("HX-Request-Type") === "full" ? "page" : "fragment";
  }
  let accept = context.req.header("Accept") ?? "*/*";
  let json = quality(accept, "application", "json");
  let html = quality(accept, "text", "html");
  if (json === html) return whenEqual;
  return html > json ? "page" : "json";
}

/** The client's weight for a media type, 0 to 1, by its most specific range (RFC 9110, 12.5.1). */
function quality(accept: string, type: string, subtype: string): number {
  let best = { specificity: -1, weight: 0 };
  for (let range of accept.toLowerCase().split(",")) {
    let [name = "", ...parameters] = range.split(";").map((part) => part.trim());
    let specificity = [`*/*`, `${type}/*`, `${type}/${subtype}`].indexOf(name);
    if (specificity <= best.specificity) continue;
    let weight = parameters.find((parameter) => parameter.startsWith("q="));
    best = { specificity, weight: weight === undefined ? 1 : Number(weight.slice(2)) || 0 };
  }
  return best.weight;
}
