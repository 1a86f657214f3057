import { join } from "node:path";

import type { Config } from "../config/config.ts";
import { drawnTypes } from "../preview/drawing.ts";
import { catalogViews, type DescribedView } from "./views.ts";

/** Where the secret is kept that thumbnail addresses are signed with. */
export function thumbnailSecretPath(dataDir: string): string {
  return join(dataDir, "internal", "thumbnail-secret");
}

/**
 * The views that a catalog has under a configuration.
 *
 * @param signature of thumbnail addresses; null: no thumbnails
 */
export function viewsOf(
  { public_url: publicUrl, base_path: basePath }: Pick<Config, "public_url" | "base_path">,
  table: string,
  signature: string | null,
): DescribedView[] {
  if (publicUrl === null) return catalogViews(table, null);
  let files = `${publicUrl}${basePath}/files`;
  return catalogViews(table, { files, thumbnailSignature: signature, drawnTypes });
}
