import { afterAll, beforeAll, expect, test } from "bun:test";

import { withAbsoluteUrl } from "../../src/web/absolute-url.ts";
import { createTestApp, testBase } from "../support/app.ts";

let { app, close } = createTestApp();
let server: Bun.Server<undefined>;
beforeAll(() => {
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    development: false,
    fetch: (request, own) => app.fetch(withAbsoluteUrl(request), own),
  });
});
afterAll(async () => {
  await server.stop(true);
  close();
});

/** Sends the text as it is, and resolves with all that came once the body's end did. */
async function send(text: string): Promise<string> {
  let { promise, resolve } = Promise.withResolvers<void>();
  let answer = "";
  let socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: server.port ?? 0,
    socket: {
      data(_socket, bytes) {
        answer += bytes.toString();
        if (answer.endsWith("}\n")) resolve();
      },
      close: () => resolve(),
    },
  });
  socket.write(text);
  await promise;
  socket.end();
  return answer;
}

for (let path of ["healthz", "readyz"]) {
  test(`${path} answers HTTP/1.0 without a Host header`, async () => {
    let answer = await send(`GET ${testBase}/${path} HTTP/1.0\r\n\r\n`);
    expect(answer).toStartWith("HTTP/1.1 200 ");
    expect(answer).toContain('"success":true');
  });
}

for (let head of [
  `GET ${testBase}/files HTTP/1.0`,
  `GET ${testBase}/files HTTP/1.0\r\nHost:`,
  `GET ${testBase}/files HTTP/1.1\r\nHost: a b`,
  `GET // HTTP/1.0`,
  `TRACE ${testBase}/files HTTP/1.0`,
  `PUT ${testBase}/upload/a.txt HTTP/1.0\r\nContent-Length: 0`,
]) {
  test(`${JSON.stringify(head)} is told 400 in the error shape`, async () => {
    let answer = await send(`${head}\r\n\r\n`);
    expect(answer).toStartWith("HTTP/1.1 400 ");
    expect(answer).toContain('"code":"bad_request"');
    expect(answer).toContain('"request_id":');
  });
}

test("a request with a Host header stays what it was", () => {
  let request = new Request("http://127.0.0.1:8080/files");
  expect(withAbsoluteUrl(request)).toBe(request);
});
