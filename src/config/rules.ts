import { trimEndOf } from "../trim-end.ts";
import type { ConfigKey, Settings } from "./keys.ts";
import { largestFileMb, memoryForFileMb } from "./size-limits.ts";

/** A rule about several keys that are each right by themselves. */
interface CrossRule {
  /** The key that the fault names first; `others` are those that the rule looks at as well. */
  key: ConfigKey;
  others: readonly ConfigKey[];
  /** The rule in words when it is broken, else null. */
  broken(settings: Settings, sourceOf: (key: ConfigKey) => string): string | null;
}

/** Keys that make no sense without a bucket: the bucket's name is probably misspelt, and files would stay here. */
const bucketKeys = [
  "s3_endpoint_url",
  "s3_public_endpoint_url",
  "s3_storage_class",
  "s3_server_side_encryption",
  "s3_kms_key_id",
] as const satisfies readonly ConfigKey[];

export const CROSS_RULES: readonly CrossRule[] = [
  ...bucketKeys.map((key): CrossRule => ({
    key,
    others: ["s3_bucket"],
    broken: (settings, sourceOf) =>
      // The AWS_… variables belong to every AWS tool on the machine.
      settings[key] !== null && settings.s3_bucket === null && !sourceOf(key).startsWith("variable AWS_")
        ? "is of no use without s3_bucket: set s3_bucket, or remove this"
        : null,
  })),
  {
    key: "aws_access_key_id",
    others: ["aws_secret_access_key"],
    broken: (settings) =>
      settings.aws_access_key_id !== null && settings.aws_secret_access_key === null
        ? "needs aws_secret_access_key beside it"
        : null,
  },
  {
    key: "aws_secret_access_key",
    others: ["aws_access_key_id"],
    broken: (settings) =>
      settings.aws_secret_access_key !== null && settings.aws_access_key_id === null
        ? "needs aws_access_key_id beside it"
        : null,
  },
  {
    key: "aws_session_token",
    others: ["aws_access_key_id", "aws_secret_access_key"],
    broken: (settings) =>
      settings.aws_session_token !== null &&
      settings.aws_access_key_id === null &&
      settings.aws_secret_access_key === null
        ? "needs aws_access_key_id and aws_secret_access_key beside it"
        : null,
  },
  {
    key: "s3_kms_key_id",
    others: ["s3_server_side_encryption"],
    broken: ({ s3_kms_key_id, s3_server_side_encryption }) =>
      s3_kms_key_id !== null && !s3_server_side_encryption?.startsWith("aws:kms")
        ? "needs s3_server_side_encryption to be aws:kms or aws:kms:dsse"
        : null,
  },
  {
    key: "max_file_size_mb",
    others: ["upload_memory_mb"],
    broken({ max_file_size_mb: fileMb, upload_memory_mb: memoryMb }) {
      let neededMb = memoryForFileMb(fileMb);
      if (neededMb <= memoryMb) return null;
      return (
        `a file of ${fileMb} MiB goes in parts of ${neededMb / 3} MiB, and three of them need ${neededMb} MiB of ` +
        `upload_memory_mb, which is ${memoryMb}: the largest value that works is ${largestFileMb(memoryMb)}`
      );
    },
  },
  {
    key: "public_url",
    others: ["base_path"],
    broken({ public_url, base_path }) {
      if (public_url === null) return null;
      let path = trimEndOf(new URL(public_url).pathname, "/");
      return path === "" || path === base_path
        ? null
        : `must have no path, or the path of base_path (${base_path || "/"}), because every link begins with that`;
    },
  },
  {
    key: "proxy_user_header",
    others: ["trusted_proxies"],
    broken: ({ proxy_user_header, trusted_proxies }) =>
      proxy_user_header !== null && trusted_proxies.length === 0
        ? "needs the address of the proxy in trusted_proxies: from anywhere else the header is not believed"
        : null,
  },
  {
    key: "proxy_user_header",
    others: ["proxy_users"],
    broken: ({ proxy_user_header, proxy_users }) =>
      proxy_user_header !== null && Object.keys(proxy_users).length === 0
        ? "needs proxy_users, which says what those people may do, for example *=upload+view"
        : null,
  },
  {
    key: "proxy_users",
    others: ["proxy_user_header"],
    broken: ({ proxy_user_header, proxy_users }) =>
      proxy_user_header === null && Object.keys(proxy_users).length > 0
        ? "is of no use without proxy_user_header"
        : null,
  },
  {
    key: "download",
    others: ["s3_bucket"],
    broken: ({ download, s3_bucket }) =>
      download === "redirect" && s3_bucket === null
        ? "redirect needs a bucket: set s3_bucket, or use auto"
        : null,
  },
];
