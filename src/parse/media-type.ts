const mediaType = /^[a-z0-9!#$%&'*+.^_`|~-]{1,64}\/[a-z0-9!#$%&'*+.^_`|~-]{1,127}$/;

/** A Content-Type's `type/subtype` in lower case; null when there is none or it is not one. */
export function parseMediaType(contentType: string | null | undefined): string | null {
  let type = contentType?.split(";")[0]?.trim().toLowerCase();
  return type && mediaType.test(type) ? type : null;
}
