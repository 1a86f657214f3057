import type { FileRecord, Json } from "../src/domain.ts";

/** What pages are made from: plain data. Addresses come ready, so that views know no configuration. */

export interface SiteLinks {
  home: string;
  upload: string;
  files: string;
  filesJson: string;
  filesCsv: string;
  deleteMany: string;
  signIn: string;
  signOut: string;
}

export interface AssetLinks {
  stylesheet: string;
  htmx: string;
  favicon: string;
  /** The scripts of the upload page; the first is the one to begin with. */
  uploadModules: string[];
}

/** What the person looking at the page may do; nothing else is offered. */
export interface Permitted {
  upload: boolean;
  view: boolean;
  delete: boolean;
}

export interface Site {
  links: SiteLinks;
  assets: AssetLinks;
  may: Permitted;
  /** By a sign-in that can be ended. */
  isSignedIn: boolean;
}

export interface FileLinks {
  page: string;
  json: string;
  download: string;
  delete: string;
}

export interface FileView {
  record: FileRecord;
  links: FileLinks;
  /** What a page may show of the file itself without running anything. */
  preview: "image" | "video" | "audio" | null;
}

/** One failure in words; the same facts as in JSON. */
export interface ErrorView {
  status: number;
  title: string;
  message: string;
  /** Label and value: file, limit, found type, … */
  facts: { label: string; value: string; title?: string }[];
  requestId: string;
}

export interface ListView {
  files: FileView[];
  /** What the list is narrowed to; empty for nothing. */
  search: string;
  kind: string;
  contentType: string;
  sort: { column: string; descending: boolean };
  /** Address of the list sorted by a column. */
  sortHrefs: Record<string, string>;
  csvHref: string;
  nextHref: string | null;
  /** The first page, when this is a later one. */
  firstHref: string | null;
}

/** What is known to be refused before a byte is sent. */
export interface UploadRules {
  maxFileBytes: number;
  /** None: every extension. */
  allowedExtensions: readonly string[];
  blockedExtensions: readonly string[];
}

export interface DeletionView {
  deleted: number[];
  failed: { id: string; error: ErrorView }[];
}

export type UploadResultView =
  | { success: true; file: FileView; duplicateOf: { id: number; href: string } | null }
  | { success: false; filename: string; error: ErrorView };

export type { FileRecord, Json };
