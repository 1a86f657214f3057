import { AppError } from "../errors.ts";
import { trimEndOf } from "../trim-end.ts";
import { SECOND_MS } from "../units.ts";
import { persist } from "./persist.ts";
import { RemoteError, unreachable } from "./remote-error.ts";

/** A server that is being restarted is there again by then; an address that is wrong need not be waited for longer. */
const mostTries = 5;
const answerTimeoutMs = 30 * SECOND_MS;

/**
 * The address of the server's page: the one that was given, or the one that a bare `https://host` leads to. What it is not
 * sure of, the first upload tells.
 *
 * @param onPause hears why it has to wait
 * @throws AppError storage_unavailable when nobody answers; the signal's reason
 */
export async function findPage(
  given: string,
  signal: AbortSignal,
  onPause: (reason: string, ms: number) => void,
): Promise<string> {
  async function ask(method: "OPTIONS" | "GET", url: string): Promise<Response> {
    try {
      let within = AbortSignal.any([signal, AbortSignal.timeout(answerTimeoutMs)]);
      return await fetch(url, { method, redirect: "manual", signal: within });
    } catch (error) {
      signal.throwIfAborted();
      throw unreachable(url, error);
    }
  }

  async function find(): Promise<string> {
    let answer = await ask("OPTIONS", `${given}/tus`);
    let { origin, pathname } = new URL(given);
    if (answer.headers.has("Tus-Version") || pathname !== "/") return given;
    let target = (await ask("GET", `${given}/`)).headers.get("Location");
    let page = target === null ? null : URL.parse(target, `${given}/`);
    // The token goes to no other server than the one that was named.
    return page?.origin === origin ? trimEndOf(origin + page.pathname, "/") : given;
  }

  try {
    return await persist(find, signal, onPause, mostTries);
  } catch (error) {
    if (error instanceof RemoteError) throw new AppError("storage_unavailable", error.message);
    throw error;
  }
}
