import { exactBytes, shortBytes } from "../../views/format.ts";
import type { ErrorView } from "../../views/props.ts";
import type { PublicError } from "./error-response.ts";

/** An error's facts in the words of a page. */
export function errorView(error: PublicError, status: number, requestId: string): ErrorView {
  let facts: ErrorView["facts"] = [];
  let tell = (label: string, value: string | undefined, title?: string) => {
    if (value !== undefined) facts.push(title === undefined ? { label, value } : { label, value, title });
  };
  let bytes = (label: string, value: number | undefined) => {
    if (value !== undefined) tell(label, shortBytes(value), exactBytes(value));
  };
  tell("File", error.filename);
  tell("Parameter", error.parameter);
  bytes("Limit", error.limit_bytes);
  bytes("Size", error.actual_bytes);
  tell("Found type", error.found_type);
  tell("Declared type", error.declared_type);
  tell("Extension", error.extension);
  tell("Accepted", error.allowed?.join(", "));
  tell("Refused", error.blocked?.join(", "));
  tell("Same content as file", error.duplicate_of?.toString());
  return { status, title: titles[status] ?? "That did not work", message: error.message, facts, requestId };
}

const titles: Record<number, string> = {
  401: "Please sign in",
  403: "Not allowed",
  404: "Not found",
  405: "Not possible here",
  408: "The upload stood still",
  409: "Here already",
  410: "No longer here",
  413: "Too large",
  415: "Not accepted",
  429: "Too many requests",
  500: "Something went wrong",
  502: "The storage said no",
  503: "Please try again in a moment",
  507: "Out of space",
};
