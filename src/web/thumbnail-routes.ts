import { type Context, Hono } from "hono";

import type { Access } from "../auth/access.ts";
import type { ThumbnailSignature } from "../auth/thumbnail-signature.ts";
import { AppError } from "../errors.ts";
import type { Thumbnails } from "../preview/thumbnails.ts";
import type { FileRepository } from "../record/file-repository.ts";
import { isNotModified } from "./conditional.ts";
import { withoutIdleTimeout } from "./env.ts";
import type { WebEnv } from "./env.ts";
import type { OwnFiles } from "./own-files.ts";
import { idParameter, noSuchFile } from "./parameters.ts";

const yearSeconds = 365 * 24 * 60 * 60;
const webp = { "Content-Type": "image/webp" };
/** One pixel that can't be seen. */
const nothing = Buffer.from("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==", "base64");

interface ThumbnailDeps {
  requires: Access["requires"];
  /** Everything, for those who have a signature. */
  repository: Pick<FileRepository, "get">;
  ownFiles: OwnFiles;
  thumbnails: Thumbnails;
  signature: Pick<ThumbnailSignature, "isGood">;
}

/**
 * `/files/:id/thumbnail`: a small WebP of a picture; 404 for what can't be drawn. `/files/{uid}/thumbnail?signature=…`
 * is open to whoever has the address, and to the pages of other sites: Datasette's views have such addresses.
 */
export function thumbnailRoutes({ requires, repository, ownFiles, thumbnails, signature }: ThumbnailDeps) {
  let routes = new Hono<WebEnv>();
  // Not by number: numbers can be counted up.
  let isSigned = ({ req }: Pick<Context, "req">) =>
    (req.param("id") ?? "").includes("-") && signature.isGood(req.query("signature"));
  let path = "/files/:id{[0-9A-Fa-f-]+}/thumbnail";
  routes.get(path, requires("view", isSigned), idParameter, async (context) => {
    // The signature is leave to see this one picture, whoever has it.
    let files = isSigned(context) ? repository : ownFiles.seenBy(context.var.identity);
    let record = await files.get(context.req.valid("param").id);
    if (record === null) throw new AppError("not_found", noSuchFile);
    let etag = `"thumbnail-${record.checksum_sha256.slice(0, 32)}"`;
    let forOthers = isSigned(context) ? { "Cross-Origin-Resource-Policy": "cross-origin" } : {};
    let headers = {
      ...forOthers,
      // Of this person alone; the bytes of a file never change.
      "Cache-Control": `private, max-age=${yearSeconds}, immutable`,
      "Content-Security-Policy": "default-src 'none'; sandbox",
      ETag: etag,
    };
    let { headers: asked, signal } = context.req.raw;
    if (isNotModified(asked, { etag, lastModified: "" })) return new Response(null, { status: 304, headers });
    let bytes = await withoutIdleTimeout(context, () => thumbnails.get(record, signal));
    if (bytes === null) {
      // A page would show the sign of a broken picture over the icon.
      if (asked.get("Sec-Fetch-Dest") === "image")
        return new Response(nothing, { status: 404, headers: { ...webp, ...forOthers } });
      throw new AppError("not_found", "There is no thumbnail of this file.");
    }
    return new Response(new Uint8Array(bytes), { headers: { ...headers, ...webp } });
  });
  return routes;
}
