import type { z } from "zod";

import { parseAddressRange, parseBasePath, parseHost, parseHttpUrl, parsePrefix } from "./addresses.ts";
import { type PermissionMap, permissionMap } from "./permission-map.ts";
import { maxObjectMb, maxUploadMemoryMb, minUploadMemoryMb } from "./size-limits.ts";
import { listOf, matching, oneOf, text, wholeNumber, yesOrNo } from "./values.ts";

/** What the table of keys knows about one of them. */
export interface KeyFacts<T> {
  /** The heading under which `help settings` and README list it. */
  group: "Bucket" | "Credentials" | "Files" | "Catalog and data" | "Server" | "Access" | "Limits" | "Logs";
  /** One sentence without its full stop. */
  doc: string;
  schema: z.ZodType<NonNullable<T>>;
  /** Null: none, or it follows from other keys (config.ts). */
  default: T;
  /** How the documentation tells a default that is null or that needs words. */
  shownDefault?: string;
  unit?: "MiB" | "s" | "bytes/s" | "days";
  /** Variables that mean the same and are looked at after the key's own. */
  alsoEnvironment?: readonly string[];
  /** Never shown: not in a fault, not in a log. */
  secret?: true;
  /** Refused as a flag, because everybody on the machine can read a command line. */
  flag?: false;
  /** What an empty variable says; without this it says nothing. */
  emptyVariable?: string;
}

export const ANONYMOUS_RIGHTS = ["upload", "view", "delete"] as const;
export type AnonymousRight = (typeof ANONYMOUS_RIGHTS)[number];

const maxPort = 65_535;
const maxRateBytesPerSecond = 1_073_741_824;
const maxStallSeconds = 86_400;
const maxBucketSilenceSeconds = 600;
const maxAuditDays = 36_500;
const maxRequestsPerMinute = 10_000_000;
const maxTransfers = 100_000;
/** An exbibyte: its bytes are still far below what a number can count. */
const maxTotalMb = 1_099_511_627_776 / 128;

const bucketPattern =
  /^(?:[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]|arn:aws[a-z-]*:s3[a-z0-9-]*:[A-Za-z0-9:/._-]{1,200})$/;
const mediaTypePattern = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/(?:\*|[a-z0-9][a-z0-9!#$&^_.+-]*)$/;
const extensionPattern = /^[\p{L}\p{N}_+~-]+(?:\.[\p{L}\p{N}_+~-]+)*$/u;
const printablePattern = /^[\x21-\x7e]{1,4096}$/;
const urlRule = "must be an http:// or https:// address without user name, query or fragment";
const extensionRule = "must be a comma list of extensions like jpg, png, tar.gz";

/** Every key, in the order in which the documentation lists them. */
export const KEYS = {
  s3_bucket: key<string | null>({
    group: "Bucket",
    doc: "bucket that takes the files; without one they go to `data_dir/objects`",
    schema: matching("must be the name of a bucket, without s3:// and without a path", bucketPattern),
    default: null,
  }),
  s3_region: key<string>({
    group: "Bucket",
    doc: "region of the bucket",
    schema: matching("must be the name of a region like us-east-1", /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/),
    default: "us-east-1",
    alsoEnvironment: ["AWS_REGION", "AWS_DEFAULT_REGION"],
  }),
  s3_endpoint_url: key<string | null>({
    group: "Bucket",
    doc: "address of an S3 server other than AWS",
    schema: text(urlRule, parseHttpUrl),
    default: null,
    shownDefault: "AWS",
    alsoEnvironment: ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"],
  }),
  s3_prefix: key<string>({
    group: "Bucket",
    doc: "what the key of every object begins with; `/` for nothing",
    schema: text(
      "must be folders like uploads/ of letters, digits and ._=+@,- where no folder begins with a dot or is called folders, at most 512 characters",
      parsePrefix,
    ),
    default: "uploads/",
  }),
  s3_force_path_style: key<boolean | null>({
    group: "Bucket",
    doc: "put the bucket in the path of the address instead of in its host name",
    schema: yesOrNo(),
    default: null,
    shownDefault: "true with `s3_endpoint_url`, else false",
  }),
  s3_public_endpoint_url: key<string | null>({
    group: "Bucket",
    doc: "address at which browsers reach the same S3 server, when it is another one",
    schema: text(urlRule, parseHttpUrl),
    default: null,
  }),
  s3_storage_class: key<string | null>({
    group: "Bucket",
    doc: "storage class of new objects, such as `STANDARD_IA`",
    schema: matching("must be a storage class like STANDARD_IA", /^[A-Z][A-Z0-9_]{0,63}$/),
    default: null,
  }),
  s3_server_side_encryption: key<"AES256" | "aws:kms" | "aws:kms:dsse" | null>({
    group: "Bucket",
    doc: "encryption that the bucket is asked for: `AES256`, `aws:kms` or `aws:kms:dsse`",
    schema: text("must be AES256, aws:kms or aws:kms:dsse", parseEncryption),
    default: null,
  }),
  s3_kms_key_id: key<string | null>({
    group: "Bucket",
    doc: "KMS key for `aws:kms` encryption: id, alias or ARN",
    schema: matching("must be the id, alias or ARN of a KMS key", printablePattern),
    default: null,
  }),
  s3_timeout_s: key<number>({
    group: "Bucket",
    doc: "silence of the bucket after which a call counts as lost and is tried once more; a part of 8 MiB gets three times as long",
    schema: wholeNumber(1, maxBucketSilenceSeconds),
    default: 60,
    unit: "s",
  }),
  aws_access_key_id: key<string | null>({
    group: "Credentials",
    doc: "access key; without one the AWS default provider chain is asked (profile, container, instance role)",
    schema: matching("must be printable characters without spaces", printablePattern),
    default: null,
    shownDefault: "provider chain",
    secret: true,
  }),
  aws_secret_access_key: key<string | null>({
    group: "Credentials",
    doc: "secret of the access key; not accepted as a flag",
    schema: matching("must be printable characters without spaces", printablePattern),
    default: null,
    shownDefault: "provider chain",
    secret: true,
    flag: false,
  }),
  aws_session_token: key<string | null>({
    group: "Credentials",
    doc: "session token of temporary credentials; not accepted as a flag",
    schema: matching("must be printable characters without spaces", printablePattern),
    default: null,
    shownDefault: "provider chain",
    secret: true,
    flag: false,
  }),
  token: key<string | null>({
    group: "Credentials",
    doc: "access token that `put` sends to a server",
    schema: matching("must be printable characters without spaces", printablePattern),
    default: null,
    secret: true,
    flag: false,
  }),
  max_file_size_mb: key<number>({
    group: "Files",
    doc: "largest file that is accepted",
    schema: wholeNumber(1, maxObjectMb),
    default: 5120,
    unit: "MiB",
  }),
  allowed_mime_types: key<readonly string[]>({
    group: "Files",
    doc: "media types that are accepted, such as `image/*,application/pdf`",
    schema: listOf("must be a comma list of types like image/png or image/*", (entry) =>
      mediaTypePattern.test(entry.toLowerCase()) ? entry.toLowerCase() : null,
    ),
    default: [],
    shownDefault: "all",
  }),
  allowed_extensions: key<readonly string[]>({
    group: "Files",
    doc: "extensions that are accepted, such as `jpg,png,tar.gz`",
    schema: listOf(extensionRule, parseExtension),
    default: [],
    shownDefault: "all",
  }),
  blocked_extensions: key<readonly string[]>({
    group: "Files",
    doc: "extensions that are refused, also when they are allowed above",
    schema: listOf(extensionRule, parseExtension),
    default: [],
    shownDefault: "none",
  }),
  type_mismatch: key<"record" | "reject">({
    group: "Files",
    doc: "content that disagrees with the extension or the declared type: `record` it or `reject` the file",
    schema: oneOf(["record", "reject"]),
    default: "record",
  }),
  duplicates: key<"store" | "link" | "reject">({
    group: "Files",
    doc: "the same bytes again: `store` them, `link` a new row to the stored object, or `reject` the file",
    schema: oneOf(["store", "link", "reject"]),
    default: "store",
  }),
  gps: key<"keep" | "drop">({
    group: "Files",
    doc: "where a photo or film was taken, in the catalog: `keep` or `drop` (the stored file still has it)",
    schema: oneOf(["keep", "drop"]),
    default: "keep",
  }),
  db_table_name: key<string>({
    group: "Catalog and data",
    doc: "table of the catalog; not to be changed once it has rows",
    schema: matching(
      "must be letters, digits and underscores, not begin with a digit or sqlite_, and have at most 63 characters",
      /^(?!sqlite_)[A-Za-z_][A-Za-z0-9_]{0,62}$/i,
    ),
    default: "s3_uploads",
  }),
  data_dir: key<string>({
    group: "Catalog and data",
    doc: "folder of the catalog, the journal and local objects; made with mode 0700",
    schema: text("must be the path of a folder", (given) =>
      given === "" || given.includes("\0") ? null : given,
    ),
    default: "./data",
  }),
  host: key<string>({
    group: "Server",
    doc: "address to listen on; `0.0.0.0` or `::` for every one",
    schema: text("must be an IP address or a host name, without port", parseHost),
    default: "127.0.0.1",
  }),
  port: key<number>({
    group: "Server",
    doc: "port to listen on; 0 takes a free one",
    schema: wholeNumber(0, maxPort),
    default: 8080,
    alsoEnvironment: ["PORT"],
  }),
  base_path: key<string>({
    group: "Server",
    doc: "path that every route begins with; `/` for none",
    schema: text("must be a path like /files of letters, digits and ._~-", parseBasePath),
    default: "/-/s3-uploads",
  }),
  public_url: key<string | null>({
    group: "Server",
    doc: "address that others see, such as `https://files.example.org`; its host is believed in Host and Origin",
    schema: text(urlRule, parseHttpUrl),
    default: null,
    shownDefault: "none: links are relative",
  }),
  allow_anonymous: key<readonly AnonymousRight[] | null>({
    group: "Access",
    doc: "what nobody in particular may do: a list of `upload`, `view`, `delete`, or `none`",
    schema: anonymousRights(),
    default: null,
    shownDefault:
      "everything on loopback without a proxy (no `trusted_proxies`, no `public_url` of another name), nothing elsewhere",
    emptyVariable: "none",
  }),
  trusted_proxies: key<readonly string[]>({
    group: "Access",
    doc: "addresses or ranges of the proxies whose forwarded headers count",
    schema: listOf("must be a comma list of IP addresses or ranges like 10.0.0.0/8", parseAddressRange),
    default: [],
    shownDefault: "none",
  }),
  proxy_user_header: key<string | null>({
    group: "Access",
    doc: "header in which a trusted proxy names the person who has signed in there, such as `X-Forwarded-User`",
    schema: text("must be the name of a header like X-Forwarded-User that has no other meaning", parseHeader),
    default: null,
  }),
  proxy_users: key<PermissionMap>({
    group: "Access",
    doc: "what people of the proxy may do, such as `ann=admin, bob=upload+view, *=view`",
    schema: permissionMap(),
    default: {},
    shownDefault: "nothing",
  }),
  datasette_secret: key<string | null>({
    group: "Access",
    doc: "secret of a Datasette on the same host: who has signed in there is known here; not accepted as a flag",
    schema: matching("must have at least 16 characters", /^.{16,4096}$/s),
    default: null,
    alsoEnvironment: ["DATASETTE_SECRET"],
    secret: true,
    flag: false,
  }),
  datasette_actors: key<PermissionMap>({
    group: "Access",
    doc: "what actors of Datasette may do, by their id, such as `root=admin, *=view`",
    schema: permissionMap(),
    default: { root: ["admin"] },
    shownDefault: "root=admin",
  }),
  audit_days: key<number>({
    group: "Access",
    doc: "how long the audit log remembers who did what",
    schema: wholeNumber(1, maxAuditDays),
    default: 365,
    unit: "days",
  }),
  max_requests_per_minute: key<number | null>({
    group: "Limits",
    doc: "requests a minute of one client (whoever is known, else an address), all at once if it likes; 0 for no limit",
    schema: wholeNumber(0, maxRequestsPerMinute),
    default: null,
    shownDefault: "30000, and no limit for this machine itself",
  }),
  max_transfers_per_client: key<number | null>({
    group: "Limits",
    doc: "uploads and downloads of one client at the same time; 0 for no limit",
    schema: wholeNumber(0, maxTransfers),
    default: null,
    shownDefault: "100, and no limit for this machine itself",
  }),
  max_total_mb: key<number>({
    group: "Limits",
    doc: "room for all files together; what does not fit is refused with 507; 0 for no limit",
    schema: wholeNumber(0, maxTotalMb),
    default: 0,
    unit: "MiB",
  }),
  upload_memory_mb: key<number>({
    group: "Limits",
    doc: "memory for the bytes of all uploads together",
    schema: wholeNumber(minUploadMemoryMb, maxUploadMemoryMb),
    default: 256,
    unit: "MiB",
  }),
  resumable_from_mb: key<number>({
    group: "Limits",
    doc: "files from this size on are sent in pieces by the page and by `put`, so that they can go on after an interruption",
    schema: wholeNumber(1, maxObjectMb),
    default: 32,
    unit: "MiB",
  }),
  min_upload_rate: key<number>({
    group: "Limits",
    doc: "slowest sender that is kept, measured over a minute; 0 keeps every one",
    schema: wholeNumber(0, maxRateBytesPerSecond),
    default: 1024,
    unit: "bytes/s",
  }),
  stall_timeout_s: key<number>({
    group: "Limits",
    doc: "silence after which a sender is cut off",
    schema: wholeNumber(1, maxStallSeconds),
    default: 60,
    unit: "s",
  }),
  download: key<"redirect" | "proxy" | "auto">({
    group: "Server",
    doc: "how files are served: `redirect` to a presigned address of the bucket, `proxy` through this server, or `auto`",
    schema: oneOf(["auto", "redirect", "proxy"]),
    default: "auto",
    shownDefault: "auto: redirect on AWS or with `s3_public_endpoint_url`, proxy elsewhere",
  }),
  log_level: key<"trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent">({
    group: "Logs",
    doc: "least serious message that is logged: `trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`",
    schema: oneOf(["trace", "debug", "info", "warn", "error", "fatal", "silent"]),
    default: "info",
  }),
  log_format: key<"pretty" | "json" | "auto">({
    group: "Logs",
    doc: "`pretty` for people, `json` for programs, or `auto`",
    schema: oneOf(["auto", "pretty", "json"]),
    default: "auto",
    shownDefault: "auto: pretty on a terminal, json otherwise",
  }),
} as const;

export type ConfigKey = keyof typeof KEYS;
export const CONFIG_KEYS = Object.keys(KEYS) as ConfigKey[];

/** The values as they were given or are by default; what follows from other keys is still null or `auto`. */
export type Settings = {
  readonly [K in ConfigKey]: (typeof KEYS)[K] extends KeyFacts<infer T> ? T : never;
};

/** The variables of a key, the first that is set counts. */
export function environmentNames(name: ConfigKey): string[] {
  let facts: KeyFacts<unknown> = KEYS[name];
  let own = /^(?:s3|aws)_/.test(name) ? name.toUpperCase() : `S3_UPLOADS_${name.toUpperCase()}`;
  return [own, ...(facts.alsoEnvironment ?? [])];
}

/** The flag of a key without its dashes, or null for one that is not accepted on a command line. */
export function flagName(name: ConfigKey): string | null {
  let facts: KeyFacts<unknown> = KEYS[name];
  return facts.flag === false ? null : name.replaceAll("_", "-");
}

function key<T>(facts: KeyFacts<T>): KeyFacts<T> {
  return facts;
}

function anonymousRights(): z.ZodType<readonly AnonymousRight[]> {
  let words = [...ANONYMOUS_RIGHTS, "none"] as const;
  let error = "must be a comma list of upload, view and delete, or none alone";
  return listOf(error, (entry) => words.find((word) => word === entry.toLowerCase()) ?? null)
    .refine((list) => list.length <= 1 || !list.includes("none"), { error })
    .transform((list) => list.filter((word) => word !== "none"));
}

/** Null for headers that mean something already, to us or on the way. */
function parseHeader(given: string): string | null {
  let taken =
    /^(?:authorization|proxy-.*|cookie|host|origin|accept.*|content-.*|x-forwarded-(?:for|host|proto)|sec-.*|te|connection|idempotency-key|hx-.*|upload-.*|tus-.*)$/i;
  return /^[A-Za-z][A-Za-z0-9-]{0,63}$/.test(given) && !taken.test(given) ? given : null;
}

function parseEncryption(given: string): "AES256" | "aws:kms" | "aws:kms:dsse" | null {
  let known = ["AES256", "aws:kms", "aws:kms:dsse"] as const;
  return known.find((name) => name.toLowerCase() === given.toLowerCase()) ?? null;
}

function parseExtension(entry: string): string | null {
  let extension = entry.toLowerCase().replace(/^(?:\*)?\./, "");
  return extensionPattern.test(extension) ? extension : null;
}
