/** Hears of every chunk that is taken, and keeps what was wrong with the source apart from what is wrong with the line. */
export function watchBody(source: ReadableStream<Uint8Array>, onTaken: () => void) {
  let reader = source.getReader();

  async function read() {
    try {
      return await reader.read();
    } catch (error) {
      watched.fault = error;
      throw error;
    }
  }

  let watched = {
    fault: null as unknown,
    body: new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          let { done, value } = await read();
          onTaken();
          if (done) controller.close();
          else controller.enqueue(value);
        },
      },
      { highWaterMark: 0 },
    ),
    /** Nobody takes any more. A connection that breaks does not tell the source, which may be an open file. */
    leave: () => void reader.cancel().catch(() => {}),
  };
  return watched;
}
