import { readFile } from "node:fs/promises";

import { isMissing } from "./errors.ts";

/** What S3 would keep as headers of the object. */
export interface Sidecar {
  contentType: string;
  userMetadata: Record<string, string>;
}

export function sidecarText(sidecar: Sidecar): string {
  return `${JSON.stringify(sidecar)}\n`;
}

/** Null when there is none or when it isn't ours: the object itself stays readable. */
export async function readSidecar(file: string): Promise<Sidecar | null> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  return parseSidecar(text);
}

function parseSidecar(text: string): Sidecar | null {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(found) || typeof found["contentType"] !== "string" || !isObject(found["userMetadata"]))
    return null;
  let userMetadata: Record<string, string> = {};
  for (let [name, value] of Object.entries(found["userMetadata"])) {
    if (typeof value === "string") userMetadata[name] = value;
  }
  return { contentType: found["contentType"], userMetadata };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
