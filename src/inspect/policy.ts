import type { JsonObject, MediaType } from "../domain.ts";
import { AppError } from "../errors.ts";
import { extensionsOf } from "./extension.ts";
import { findMismatch } from "./mismatch.ts";

export interface PolicyRules {
  /** Most bytes of one file. */
  maxFileBytes: number;
  /** `image/png`, `image/*`; none: every type. */
  allowedMimeTypes: readonly string[];
  /** With or without a dot, any case; `tar.gz` means both together. None: every extension. */
  allowedExtensions: readonly string[];
  blockedExtensions: readonly string[];
  /** What happens when the content disagrees with name or declared type. */
  typeMismatch: "record" | "reject";
}

/** The facts of one file; give what is known so far. */
export interface FileToJudge {
  filename: string;
  /** Exact, or what has been counted so far: more can only be worse. */
  sizeBytes?: number;
  media?: MediaType;
  declaredType?: string | null;
}

/** What may be uploaded. Each check throws an AppError with code, limit and what was found. */
export interface Policy {
  /** @throws type_not_allowed with extension and the allowed or blocked ones */
  checkName(filename: string): void;
  /** @throws file_too_large with limit_bytes and actual_bytes */
  checkSize(sizeBytes: number, filename: string): void;
  /**
   * @param isEmpty a file without a byte disagrees with nothing
   * @returns `{ declared_type?, extension?, found_type }` for the metadata when content and claims disagree, else null
   * @throws type_not_allowed, or type_mismatch when mismatches are refused
   */
  checkType(
    media: MediaType,
    filename: string,
    declaredType: string | null,
    isEmpty?: boolean,
  ): JsonObject | null;
  /** All checks that the known facts allow; returns like checkType. */
  validateFile(file: FileToJudge): JsonObject | null;
}

export function createPolicy(rules: PolicyRules): Policy {
  let allowedTypes = rules.allowedMimeTypes.map((type) => type.trim().toLowerCase()).filter(Boolean);
  let allowed = normaliseAll(rules.allowedExtensions);
  let blocked = normaliseAll(rules.blockedExtensions);

  function checkName(filename: string): void {
    let extensions = extensionsOf(filename);
    // Any of them: servers and systems that look at the first extension run x.php.jpg.
    let bad = blocked.find((one) => hasExtension(extensions, one));
    if (bad !== undefined) {
      throw new AppError("type_not_allowed", `Files with the extension .${bad} are not accepted.`, {
        details: { filename, extension: bad, blocked },
      });
    }
    if (allowed.length > 0 && !allowed.some((one) => endsWithExtension(extensions, one))) {
      let extension = extensions.at(-1) ?? "";
      let what = extension ? `Files with the extension .${extension}` : "Files without an extension";
      throw new AppError("type_not_allowed", `${what} are not accepted.`, {
        details: { filename, extension, allowed },
      });
    }
  }

  function checkSize(sizeBytes: number, filename: string): void {
    if (sizeBytes <= rules.maxFileBytes) return;
    throw new AppError("file_too_large", undefined, {
      details: { filename, limit_bytes: rules.maxFileBytes, actual_bytes: sizeBytes },
    });
  }

  function checkType(
    media: MediaType,
    filename: string,
    declaredType: string | null,
    isEmpty = false,
  ): JsonObject | null {
    let found = media.contentType;
    if (allowedTypes.length > 0 && !allowedTypes.some((pattern) => matchesType(pattern, found))) {
      throw new AppError("type_not_allowed", `Files of the type ${found} are not accepted.`, {
        details: { filename, found_type: found, allowed: allowedTypes },
      });
    }
    let mismatch = isEmpty ? null : findMismatch(media, filename, declaredType);
    if (mismatch === null || rules.typeMismatch === "record") return mismatch && { ...mismatch };
    throw new AppError("type_mismatch", undefined, { details: { filename, ...mismatch } });
  }

  return {
    checkName,
    checkSize,
    checkType,
    validateFile({ filename, sizeBytes, media, declaredType }) {
      checkName(filename);
      if (sizeBytes !== undefined) checkSize(sizeBytes, filename);
      return media ? checkType(media, filename, declaredType ?? null, sizeBytes === 0) : null;
    },
  };
}

function normaliseAll(extensions: readonly string[]): string[] {
  return extensions.map((one) => one.trim().toLowerCase().replace(/^\.+/, "")).filter(Boolean);
}

function hasExtension(extensions: string[], wanted: string): boolean {
  return wanted.includes(".")
    ? `.${extensions.join(".")}.`.includes(`.${wanted}.`)
    : extensions.includes(wanted);
}

function endsWithExtension(extensions: string[], wanted: string): boolean {
  return `.${extensions.join(".")}`.endsWith(`.${wanted}`);
}

function matchesType(pattern: string, type: string): boolean {
  if (pattern === "*/*" || pattern === "*") return true;
  return pattern.endsWith("/*") ? type.startsWith(pattern.slice(0, -1)) : pattern === type;
}
