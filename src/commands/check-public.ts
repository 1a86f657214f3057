import type { Storage } from "../store/storage.ts";
import { SECOND_MS } from "../units.ts";
import type { Report } from "./check.ts";

const askTimeoutMs = 10 * SECOND_MS;

/**
 * Asks for an object that is there, and for a list of the bucket, as a stranger would: by address, without a signature.
 * Says nothing where storage has no addresses, or none that answers.
 */
export async function inspectPublicity(
  storage: Pick<Storage, "presign">,
  key: string,
  report: Report,
): Promise<void> {
  let address = await addressOf(storage, key);
  if (address === null) return;
  let canRead = await answersStrangers(address);
  let canList = await answersStrangers(listAddress(address, key));
  if (canRead === null && canList === null) return;
  if (canList) {
    report(
      "warn",
      "public",
      "everybody may list the bucket, and so find every file: take s3:ListBucket away from strangers, or block public access",
    );
  }
  if (canRead) {
    report(
      "warn",
      "public",
      "everybody who has the address of an object may read it, whatever this server allows: take s3:GetObject away from strangers, or block public access",
    );
  }
  if (!canRead && !canList) report("ok", "public", "strangers can neither read nor list the bucket");
}

/** The address without what signs it; null where storage has none. */
async function addressOf(storage: Pick<Storage, "presign">, key: string): Promise<URL | null> {
  try {
    let signed = await storage.presign(key, {
      expiresSeconds: askTimeoutMs / SECOND_MS,
      contentType: "text/plain",
      contentDisposition: "attachment",
    });
    if (signed === null) return null;
    let url = new URL(signed);
    url.search = "";
    return url;
  } catch {
    return null;
  }
}

function listAddress(address: URL, key: string): URL {
  let url = new URL(address);
  url.pathname = decodeURI(url.pathname).slice(0, -key.length);
  url.search = "list-type=2&max-keys=1";
  return url;
}

/** Null when nobody answered. */
async function answersStrangers(url: URL): Promise<boolean | null> {
  try {
    let answer = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(askTimeoutMs) });
    await answer.body?.cancel();
    return answer.status === 200;
  } catch {
    return null;
  }
}
