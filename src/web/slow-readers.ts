import { setIdleTimeout } from "./env.ts";
import type { WebContext } from "./env.ts";

/** The longest that Bun knows: the last bytes may still be on their way when the stream has ended. */
const lastBytesSeconds = 255;

/**
 * The same bytes, for a response whose reader may be as slow as it likes: Bun's idle timer, which moves only when it can
 * write, is off while the body lasts. A body that breaks off is logged, and the connection with it: its reader must not
 * take the part for the whole.
 */
export function forSlowReaders(
  context: WebContext,
  body: ReadableStream<Uint8Array>,
): ReadableStream<Uint8Array> {
  setIdleTimeout(context, 0);
  let { log } = context.var;
  let reader = body.getReader();
  let path = context.req.path;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        let { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        setIdleTimeout(context, lastBytesSeconds);
        controller.close();
      } catch (thrown) {
        if (!context.req.raw.signal.aborted) log.error({ err: thrown, path }, "answer broke off");
        controller.error(thrown);
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
