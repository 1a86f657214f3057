import { AppError } from "../../errors.ts";
import { faultOf, isRetryable } from "./retry.ts";

/** What the sentences name. */
export interface Where {
  bucket: string;
  region: string;
  /** As configured, or null for AWS. */
  endpointUrl: string | null;
}

/** What was tried, with the permission that it takes. */
const PERMISSIONS = {
  list: "s3:ListBucket",
  put: "s3:PutObject",
  get: "s3:GetObject",
  copy: "s3:GetObject and s3:PutObject",
  delete: "s3:DeleteObject",
  abort: "s3:AbortMultipartUpload",
  "list uploads": "s3:ListBucketMultipartUploads",
} as const;

export type Action = keyof typeof PERMISSIONS;

/**
 * Any fault of S3 as an AppError whose message is one plain sentence that says what to change: `storage_unavailable`
 * when a later try may work, `gone` for a missing object, else `storage_error`. The caller's own abort passes through.
 */
export function explain(error: unknown, action: Action, where: Where): AppError {
  if (error instanceof AppError) return error;
  let fault = faultOf(error);
  let server = where.endpointUrl ?? `AWS S3 in ${where.region}`;
  let sentence = definiteNo(fault.code, fault.message, fault.status, error, action, where, server);
  if (sentence)
    return new AppError(fault.code === "NoSuchKey" ? "gone" : "storage_error", sentence, { cause: error });
  // The SDK's own words for an answer that it can't read, with advice for programmers.
  let isUnreadable = fault.message.includes("Deserialization error");
  if (isUnreadable && !isRetryable(fault)) return noS3(where, error);
  if (fault.status === null) {
    let reason =
      fault.code === "TimeoutError"
        ? "no answer in time"
        : fault.message.replace(/ Is the computer able to access the url\?$/, "").replace(/\.$/, "");
    return new AppError(
      "storage_unavailable",
      `${server} can't be reached (${reason}): check s3_endpoint_url, s3_region and the network.`,
      { cause: error },
    );
  }
  let code = isRetryable(fault) ? ("storage_unavailable" as const) : ("storage_error" as const);
  return new AppError(
    code,
    `${server} answered ${fault.status} ${fault.code} to ${action}: ${isUnreadable ? "not as an S3 server does" : fault.message}`,
    {
      cause: error,
    },
  );
}

/** Of an answer that no S3 server gives: a web page, a console, a proxy. */
export function noS3({ endpointUrl, region }: Where, cause?: unknown): AppError {
  let server = endpointUrl ?? `AWS S3 in ${region}`;
  let sentence = `${server} does not answer as an S3 server does: check s3_endpoint_url.`;
  return new AppError("storage_error", sentence, { cause });
}

function definiteNo(
  code: string,
  message: string,
  status: number | null,
  error: unknown,
  action: Action,
  where: Where,
  server: string,
): string | null {
  switch (code) {
    case "NoSuchKey":
      return "The object is not in the bucket.";
    case "NoSuchBucket":
    case "NotFound":
      return `The bucket "${where.bucket}" does not exist at ${server}: create it or change s3_bucket.`;
    case "InvalidBucketName":
      return `"${where.bucket}" is not a valid bucket name: change s3_bucket.`;
    case "InvalidAccessKeyId":
    case "Unauthorized":
    // versitygw's word
    case "XAdminUserNotFound":
      return `${server} does not know this access key: check aws_access_key_id.`;
    case "SignatureDoesNotMatch":
      return `The secret key does not belong to this access key, or s3_region ("${where.region}") is wrong: check aws_secret_access_key.`;
    case "InvalidToken":
    case "ExpiredToken":
    case "TokenRefreshRequired":
      return "The session token is invalid or has expired: get new credentials (aws_session_token).";
    case "RequestTimeTooSkewed":
      return `This machine's clock differs too much from that of ${server}: set the clock (NTP).`;
    case "AccessDenied":
    case "AllAccessDisabled":
    case "Forbidden":
      return `The credentials may not ${action} in the bucket "${where.bucket}": allow ${PERMISSIONS[action]} in its policy.`;
    case "CredentialsProviderError":
      return "No AWS credentials were found: set aws_access_key_id and aws_secret_access_key, or give the machine a profile or role.";
    case "PermanentRedirect":
    case "TemporaryRedirect":
    case "IllegalLocationConstraintException":
    case "AuthorizationHeaderMalformed":
      return `The bucket "${where.bucket}" is in ${regionIn(error, message) ?? "another region"}, not in "${where.region}": change s3_region or s3_endpoint_url.`;
    case "QuotaExceeded":
    case "XMinioStorageFull":
    case "InsufficientStorage":
      return `${server} has no room left for the bucket "${where.bucket}".`;
    default:
      if (status === 301 || status === 307)
        return definiteNo("PermanentRedirect", message, null, error, action, where, server);
      if (status === 403) return definiteNo("AccessDenied", message, null, error, action, where, server);
      return null;
  }
}

/** The region that S3 names in the answer to a call that went to the wrong one. */
function regionIn(error: unknown, message: string): string | null {
  let { Region, $response } = (error ?? {}) as {
    Region?: string;
    $response?: { headers?: Record<string, string> };
  };
  let region =
    Region ?? $response?.headers?.["x-amz-bucket-region"] ?? /expecting '([a-z0-9-]+)'/.exec(message)?.[1];
  return region ? `region "${region}"` : null;
}
