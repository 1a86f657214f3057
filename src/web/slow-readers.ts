import { AppError } from "../errors.ts";
import { setIdleTimeout } from "./env.ts";
import type { WebContext } from "./env.ts";

/** The longest that Bun knows: the last bytes, or an answer that there are none, may still be on their way at the end. */
const lastBytesSeconds = 255;

/**
 * The same bytes, for a response whose reader may be as slow as it likes: Bun's idle timer, which moves only when it can
 * write, is off while the body lasts. A body that breaks off is logged, and the connection with it: its reader must not
 * take the part for the whole.
 * @param expectedBytes a body that ends with another number of bytes counts as broken off
 */
export function forSlowReaders(
  context: WebContext,
  body: ReadableStream<Uint8Array>,
  expectedBytes?: number,
): ReadableStream<Uint8Array> {
  setIdleTimeout(context, 0);
  let end = context.var.endTransfer?.() ?? (() => {});
  let { log } = context.var;
  let reader = body.getReader();
  let path = context.req.path;
  let bytes = 0;

  function finish(): void {
    setIdleTimeout(context, lastBytesSeconds);
    end();
  }

  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        let { done, value } = await reader.read();
        if (!done && value) {
          bytes += value.byteLength;
          return controller.enqueue(value);
        }
        if (expectedBytes !== undefined && bytes !== expectedBytes) {
          throw new AppError("storage_error", `Storage gave ${bytes} bytes instead of ${expectedBytes}.`);
        }
        finish();
        controller.close();
      } catch (thrown) {
        if (!context.req.raw.signal.aborted) log.error({ err: thrown, path }, "answer broke off");
        finish();
        controller.error(thrown);
      }
    },
    cancel(reason) {
      end();
      return reader.cancel(reason);
    },
  });
}
