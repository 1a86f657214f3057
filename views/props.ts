import type { FileRecord, Json } from "../src/domain.ts";

/** What pages are made from: plain data. Addresses come ready, so that views know no configuration. */

export interface SiteLinks {
  home: string;
  upload: string;
  /** Where uploads in pieces begin. */
  tus: string;
  files: string;
  filesCsv: string;
  deleteMany: string;
  restore: string;
  audit: string;
  signIn: string;
  signOut: string;
  account: string;
  admin: { tokens: string; users: string; invitations: string };
}

export interface AssetLinks {
  stylesheet: string;
  htmx: string;
  favicon: string;
  /** The scripts of the upload page; the first is the one to begin with. */
  uploadModules: string[];
  /** Of the list of files alone. */
  filesScript: string;
  /** Of the page of one file alone. */
  fileScript: string;
}

/** What the person looking at the page may do; nothing else is offered. */
export interface Permitted {
  upload: boolean;
  view: boolean;
  delete: boolean;
  /** Tokens, users and invitations, and who did what. */
  admin: boolean;
}

export interface Site {
  links: SiteLinks;
  assets: AssetLinks;
  may: Permitted;
  /** By a sign-in that can be ended. */
  isSignedIn: boolean;
  /** By an invitation's link, which can be left. */
  isInvited: boolean;
  /** Whether to offer a sign-in: there is more to do than nobody in particular may. */
  offersSignIn: boolean;
}

export interface FileLinks {
  page: string;
  json: string;
  download: string;
  thumbnail: string;
  /** The file for a frame: always from here, with the headers that keep it in its sandbox. */
  frame: string;
  delete: string;
}

export interface FileView {
  record: FileRecord;
  links: FileLinks;
  /** What a page may show of the file itself without running anything. */
  /** Whether there is a thumbnail, unless the picture turns out to be broken. */
  hasThumbnail: boolean;
  preview: "image" | "video" | "audio" | "pdf" | null;
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

/** What somebody may still send who has a limit. */
export interface AllowanceView {
  /** Null for a token. */
  invitation: {
    /** Lines of plain text; may be empty. */
    note: string;
    /** ISO 8601. */
    until: string;
  } | null;
  /** Null for no limit. */
  leftBytes: number | null;
  leftFiles: number | null;
}

export interface ListView {
  files: FileView[];
  look: "table" | "grid";
  /** What the list is narrowed to, as the fields of its form have it; empty for nothing. */
  fields: ListFields;
  isNarrowed: boolean;
  sort: { column: string; descending: boolean };
  /** What the form of the filters has to send along: order, page size, look. */
  kept: { name: string; value: string }[];
  /** Address of this very page of the list. */
  hereHref: string;
  /** Address of the list sorted by a column. */
  sortHrefs: Record<string, string>;
  /** Address of the list as a table and as a grid. */
  lookHrefs: Record<"table" | "grid", string>;
  /** Address of the same list with nothing left out. */
  wholeHref: string;
  csvHref: string;
  nextHref: string | null;
  previousHref: string | null;
  /** The first page, when this is a later one. */
  firstHref: string | null;
}

/** What is known to be refused before a byte is sent. */
export interface UploadRules {
  maxFileBytes: number;
  /** Files from this size on go in pieces. */
  resumableBytes: number;
  /** None: every extension. */
  allowedExtensions: readonly string[];
  blockedExtensions: readonly string[];
}

export interface ListFields {
  search: string;
  kind: string;
  contentType: string;
  from: string;
  to: string;
  minSize: string;
  maxSize: string;
}

/** A deletion that can still be undone. */
export interface UndoView {
  fileIds: number[];
  secondsLeft: number;
  /** Address of the list to go back to. */
  listHref: string;
}

/** What became of files that were asked to go, or to come back. */
export interface OutcomeView {
  done: number[];
  failed: { id: string; error: ErrorView }[];
}

/** A secret that was just made: on no later page. */
export interface MadeView {
  /** `The token “backup”`. */
  what: string;
  label: string;
  secret: string;
  /** What to do with it. */
  hint: string;
}

/** What every page of the administration has. */
export interface AdminView {
  formToken: string;
  /** Why the last form was not taken, and what was typed into it. */
  problem: string | null;
  typed: Record<string, string>;
  typedScopes: readonly string[];
  made: MadeView | null;
}

export interface TokenView {
  id: number;
  name: string;
  scopes: readonly string[];
  created: string;
  expires: string | null;
  isExpired: boolean;
  lastUsed: string | null;
  folder: string | null;
  maxBytes: number | null;
  usedBytes: number;
  revokeHref: string;
}

export interface UserView {
  id: number;
  name: string;
  scopes: readonly string[];
  created: string;
  signedIn: string | null;
  /** The one who looks at the page. */
  isSelf: boolean;
  passwordHref: string;
  scopesHref: string;
  removeHref: string;
}

export interface InvitationView {
  id: number;
  note: string;
  createdBy: string;
  created: string;
  expires: string;
  state: "open" | "expired" | "used up";
  maxFiles: number | null;
  maxBytes: number | null;
  usedFiles: number;
  usedBytes: number;
  lastUsed: string | null;
  revokeHref: string;
}

/** A page of the audit log. */
export interface AuditView {
  entries: {
    iso: string;
    event: string;
    actor: string;
    address: string | null;
    requestId: string | null;
    detail: string;
    /** The list of this actor alone. */
    actorHref: string;
  }[];
  /** What can be chosen. */
  events: readonly string[];
  /** What the list is narrowed to; empty for nothing. */
  fields: { event: string; actor: string; day: string };
  jsonHref: string;
  /** Older entries. */
  nextHref: string | null;
}

export type UploadResultView =
  | { success: true; file: FileView; duplicateOf: { id: number; href: string } | null }
  | { success: false; filename: string; error: ErrorView };

export type { FileRecord, Json };
