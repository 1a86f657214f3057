/** Something between browser and server, with its own ideas: for tests of what the page says then. */
export interface Proxy {
  /** Address of the page by way of the proxy. */
  base: string;
  /** Answers uploads itself, this many times. */
  answerUploads(status: number, times: number): void;
  stop(): Promise<void>;
}

export function startProxy(upstreamBase: string): Proxy {
  let upstream = new URL(upstreamBase);
  let faults: number[] = [];
  let server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    async fetch(request) {
      let url = new URL(request.url);
      let fault = request.method === "PUT" ? faults.shift() : undefined;
      if (fault !== undefined) {
        return new Response("<html><h1>nginx</h1>", {
          status: fault,
          headers: { "Content-Type": "text/html" },
        });
      }
      let headers = new Headers(request.headers);
      headers.set("Host", upstream.host);
      headers.delete("Origin");
      let target = new URL(url.pathname + url.search, upstream);
      return fetch(target, {
        method: request.method,
        headers,
        body: request.body,
        redirect: "manual",
        decompress: false,
      });
    },
  });
  return {
    base: `http://127.0.0.1:${server.port}${upstream.pathname}`,
    answerUploads(status, times) {
      faults = Array.from({ length: times }, () => status);
    },
    stop: () => server.stop(true),
  };
}
