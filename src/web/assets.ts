import { readFileSync } from "node:fs";

import { Hono } from "hono";
import htmxPath from "htmx.org/dist/htmx.min.js" with { type: "file" };

import faviconPath from "../../public/favicon.svg" with { type: "file" };
import copyTextPath from "../../public/js/copy-text.js" with { type: "file" };
import fileScriptPath from "../../public/js/file.js" with { type: "file" };
import filesScriptPath from "../../public/js/files.js" with { type: "file" };
import thumbsScriptPath from "../../public/js/thumbs.js" with { type: "file" };
import type { AssetLinks } from "../../views/props.ts";
import { AppError } from "../errors.ts";
import type { WebEnv } from "./env.ts";
import { stylesheetPaths } from "./stylesheet.ts";
import { uploadModulePaths } from "./upload-modules.ts";

const yearSeconds = 365 * 24 * 60 * 60;
const hashDigits = 12;
const javaScript = "text/javascript; charset=utf-8";

interface Asset {
  bytes: Uint8Array<ArrayBuffer>;
  gzipped: Uint8Array<ArrayBuffer>;
  contentType: string;
  etag: string;
}

/** The static files; they tell nothing about anybody. */
export function assetRoutes(assets: Assets) {
  let routes = new Hono<WebEnv>();
  routes.get("/static/:name{.+}", (context) => {
    let response = assets.respond(context.req.param("name"), context.req.raw);
    if (response === null) throw new AppError("not_found");
    return response;
  });
  return routes;
}

export interface Assets {
  links: AssetLinks;
  /** The asset of that name (`app-0f3c….css`) as a response, or null. */
  respond(name: string, request: Request): Response | null;
}

/**
 * The static files, each under a name that holds its hash, so that browsers may keep them for ever. Read once: in the
 * compiled binary they are part of it, and Bun.file() would add a content-disposition of its own.
 * @param directory address they are served below, without a slash at its end.
 */
export function createAssets(directory: string): Assets {
  let assets = new Map<string, Asset>();
  let keep = (name: string, hash: string, contentType: string, bytes: Uint8Array<ArrayBuffer>): string => {
    let gzipped = Bun.gzipSync(bytes, { level: 9 });
    assets.set(name, { bytes, gzipped, contentType, etag: `"${hash}"` });
    return `${directory}/${name}`;
  };
  let add = (name: string, extension: string, contentType: string, ...paths: string[]): string => {
    let bytes = readAll(paths);
    let hash = hashOf(bytes);
    return keep(`${name}-${hash}.${extension}`, hash, contentType, bytes);
  };
  /** Modules import each other by relative names, so they share a folder whose name holds the hash of all. */
  let addModules = (name: string, paths: Readonly<Record<string, string>>): string[] => {
    let hash = hashOf(readAll(Object.values(paths)));
    return Object.entries(paths).map(([module, path]) =>
      keep(`${name}-${hash}/${module}`, hash, javaScript, readAll([path])),
    );
  };
  let links: AssetLinks = {
    stylesheet: add("app", "css", "text/css; charset=utf-8", ...stylesheetPaths),
    // What every page has, in one file.
    htmx: add("htmx", "js", javaScript, thumbsScriptPath, htmxPath),
    uploadModules: addModules("upload", uploadModulePaths),
    filesScript: add("files", "js", javaScript, copyTextPath, filesScriptPath),
    fileScript: add("file", "js", javaScript, copyTextPath, fileScriptPath),
    favicon: add("favicon", "svg", "image/svg+xml", faviconPath),
  };
  return {
    links,
    respond: (name, request) => {
      let asset = assets.get(name);
      if (!asset) return null;
      let headers = {
        "Cache-Control": `public, max-age=${yearSeconds}, immutable`,
        "Content-Type": asset.contentType,
        ETag: asset.etag,
        Vary: "Accept-Encoding",
      };
      let known = request.headers.get("If-None-Match")?.includes(asset.etag) ?? false;
      if (known) return new Response(null, { status: 304, headers });
      if (acceptsGzip(request)) {
        let length = String(asset.gzipped.byteLength);
        return new Response(asset.gzipped, {
          headers: { ...headers, "Content-Encoding": "gzip", "Content-Length": length },
        });
      }
      return new Response(asset.bytes, {
        headers: { ...headers, "Content-Length": String(asset.bytes.byteLength) },
      });
    },
  };
}

function readAll(paths: string[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(paths.map((path) => readFileSync(path))));
}

function hashOf(bytes: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex").slice(0, hashDigits);
}

function acceptsGzip(request: Request): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/i.test(request.headers.get("Accept-Encoding") ?? "");
}
