import { connect, createServer, type Socket } from "node:net";

/**
 * A TCP proxy in front of a server that may come and go; it cuts every connection after a random number of bytes.
 * @param bytesPerSecond of one connection, from the client; until the proxy is told to hurry
 */
export async function startCuttingProxy(
  target: () => number,
  cutAfterBytes: () => number,
  bytesPerSecond = Infinity,
) {
  let open = new Set<Socket>();
  let cuts = 0;
  let sentBytes = 0;
  let hurries = false;
  let server = createServer((client) => {
    let upstream = connect(target(), "127.0.0.1");
    let leftBytes = cutAfterBytes();
    let end = () => {
      client.destroy();
      upstream.destroy();
      open.delete(client);
    };
    open.add(client);
    client.on("data", (bytes) => {
      leftBytes -= bytes.length;
      sentBytes += bytes.length;
      if (leftBytes < 0) {
        cuts++;
        return end();
      }
      let waitMs = (bytes.length / bytesPerSecond) * 1000;
      if (waitMs > 0 && !hurries) {
        client.pause();
        setTimeout(() => client.resume(), waitMs);
      }
      if (!upstream.write(bytes)) {
        client.pause();
        upstream.once("drain", () => client.resume());
      }
    });
    upstream.on("data", (bytes) => client.write(bytes));
    for (let socket of [client, upstream]) socket.on("error", end).on("close", end);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  let address = server.address();
  return {
    port: typeof address === "object" ? (address?.port ?? 0) : 0,
    get cuts() {
      return cuts;
    },
    /** What clients have sent so far. */
    get sentBytes() {
      return sentBytes;
    },
    hurry(): void {
      hurries = true;
    },
    async stop() {
      for (let socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
