import type { MediaType } from "../domain.ts";
import { typesOfExtension } from "./extension-types.ts";
import { extensionOf } from "./extension.ts";
import { sameType } from "./type-aliases.ts";

export interface Mismatch {
  found_type: string;
  /** Only when it is what disagrees. */
  declared_type?: string;
  extension?: string;
}

/** How content disagrees with name and declared type; null when it does not, or when they claim nothing. */
export function findMismatch(
  media: MediaType,
  filename: string,
  declaredType: string | null,
): Mismatch | null {
  let found = media.contentType;
  let extension = extensionOf(filename);
  let claimed = typesOfExtension(extension);
  let byName = claimed.length > 0 && !claimed.some((type) => sameType(type, found));
  let byType = declaredType !== null && claims(declaredType) && !sameType(declaredType, found);
  if (!byName && !byType) return null;
  return {
    found_type: found,
    ...(byType && declaredType !== null ? { declared_type: declaredType } : {}),
    ...(byName ? { extension } : {}),
  };
}

/** What curl, forms and browsers send when they don't know is no claim. */
function claims(declaredType: string): boolean {
  return (
    declaredType !== "" &&
    !/^(?:application\/(?:octet-stream|x-www-form-urlencoded|x-download|force-download|unknown)|binary\/octet-stream|\*\/\*)$/.test(
      declaredType,
    )
  );
}
