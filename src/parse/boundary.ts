import { AppError } from "../errors.ts";
import { parseHeaderParameters } from "./header-parameters.ts";

/** RFC 2046, 5.1.1: 1 to 70 of these, the last one no space. */
const validBoundary = /^[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]$/;

/**
 * The boundary of a `multipart/form-data` Content-Type.
 *
 * @throws AppError `malformed_multipart` when it has none, or one that can't be used.
 */
export function parseBoundary(contentType: string): string {
  let { parameters } = parseHeaderParameters(contentType);
  let boundaries = new Set(parameters.filter(({ name }) => name === "boundary").map(({ value }) => value));
  let [boundary] = boundaries;
  if (boundaries.size !== 1 || boundary === undefined || !validBoundary.test(boundary)) {
    throw new AppError("malformed_multipart", "The Content-Type header has no usable boundary.");
  }
  return boundary;
}
