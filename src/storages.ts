import { join } from "node:path";

import { type ByteBudget, createByteBudget } from "./byte-budget.ts";
import type { Config } from "./config/config.ts";
import type { StorageName } from "./domain.ts";
import type { Log } from "./log.ts";
import type { StorageOutcome } from "./metrics/metrics.ts";
import { createSpool } from "./spool.ts";
import { createLocalStorage, removeTemporaryFiles } from "./store/local.ts";
import { createS3Storage } from "./store/s3/s3-storage.ts";
import type { Storage } from "./store/storage.ts";
import { MIB, SECOND_MS } from "./units.ts";

/** Every storage that a row can name. */
export interface Storages {
  /** The memory of all uploads. */
  budget: ByteBudget;
  /** Removes what an earlier process may have left on disk. */
  removeLeftovers(): Promise<void>;
  /** Where new files go. */
  current: Storage;
  /** The storage of a row, also of one written under an earlier configuration. */
  of(place: { storage: StorageName; bucket: string }): Storage;
}

/**
 * Opens nothing.
 * @param onCall hears of every call to a bucket
 */
export function createStorages(
  config: Config,
  log: Log,
  onCall?: (action: string, outcome: StorageOutcome) => void,
): Storages {
  let budget = createByteBudget(config.upload_memory_mb * MIB);
  let spool = createSpool(join(config.data_dir, "internal", "spool"));
  let objects = join(config.data_dir, "objects");
  let local = createLocalStorage({ directory: objects });
  let buckets = new Map<string, Storage>();

  function s3(bucket: string): Storage {
    let storage =
      buckets.get(bucket) ?? createS3Storage({ ...s3Options(config), bucket, budget, spool, log, onCall });
    buckets.set(bucket, storage);
    return storage;
  }

  return {
    budget,
    async removeLeftovers() {
      spool.empty();
      await removeTemporaryFiles(objects);
    },
    current: config.s3_bucket === null ? local : s3(config.s3_bucket),
    of: ({ storage, bucket }) => (storage === "local" ? local : s3(bucket)),
  };
}

function s3Options(config: Config) {
  let { aws_access_key_id: accessKeyId, aws_secret_access_key: secretAccessKey } = config;
  let sessionToken = config.aws_session_token ?? undefined;
  return {
    prefix: config.s3_prefix,
    region: config.s3_region,
    endpointUrl: config.s3_endpoint_url ?? undefined,
    publicEndpointUrl: config.s3_public_endpoint_url ?? undefined,
    silenceMs: config.s3_timeout_s * SECOND_MS,
    forcePathStyle: config.s3_force_path_style,
    storageClass: config.s3_storage_class ?? undefined,
    serverSideEncryption: config.s3_server_side_encryption ?? undefined,
    kmsKeyId: config.s3_kms_key_id ?? undefined,
    credentials:
      accessKeyId !== null && secretAccessKey !== null
        ? { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) }
        : undefined,
  };
}
