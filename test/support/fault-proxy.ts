import { connect, createServer } from "node:net";
import type { Socket } from "node:net";

import { answer, type CallFacts, refusal, success } from "./fault-proxy/answers.ts";
import { createMessageReader, type Message } from "./fault-proxy/message-reader.ts";
import { createFaultScript, type FaultScript, type Operation } from "./s3-fake/faults.ts";
import { operationOf } from "./s3-fake/operations.ts";
import type { S3Server } from "./s3-servers/s3-server.ts";

/** What can happen to a call between a client and a real S3 server. "Done" means that it has reached the server. */
export type ProxyFault =
  /** Not done, answered with this status and S3 error code. */
  | { kind: "status"; status: number; code: string }
  /** Not done, answered 200 with an <Error> body, as S3 may do for Complete. */
  | { kind: "errorIn200"; code: string }
  /** The connection breaks before the call is done. */
  | { kind: "resetBefore" }
  /** Done; the connection breaks before the answer. */
  | { kind: "resetAfter" }
  /** Neither done nor answered. */
  | { kind: "stall" }
  /** Done and never answered. */
  | { kind: "stallAfter" }
  /** Done and answered, with half of the answer on the wire when the connection breaks. */
  | { kind: "cutAnswer" }
  /** Half of the request reaches the server, then both connections break. */
  | { kind: "cutRequest" }
  /** Done at once, answered later. */
  | { kind: "late"; ms: number }
  /** Done later, also when its client has given it up by then. */
  | { kind: "arrivesLate"; ms: number }
  /** Done two times, answered once. */
  | { kind: "twice" }
  /** Not done, answered like a success. */
  | { kind: "lie" }
  /** Answered 200 with nothing in it: neither ETag nor body. */
  | { kind: "blank"; done: boolean }
  /** Calls `call` before the call is done, or when it is done and before it is answered; the connection breaks. */
  | { kind: "call"; at: "before" | "after"; call: () => void };

export interface ProxiedCall extends CallFacts {
  uploadId: string | null;
  bodyBytes: number;
  fault: ProxyFault["kind"] | null;
}

export interface FaultProxy {
  /** For the client; the server's own with another host. */
  endpointUrl: string;
  script: FaultScript<ProxyFault>;
  /** Every call, in the order of arrival. */
  calls: ProxiedCall[];
  stop(): Promise<void>;
}

/**
 * Stands between an S3 client and a real S3 server, on the level of sockets so that it can break what HTTP servers keep
 * whole. Requests are held until they have come to their end. Signatures stay valid: the Host header is passed on.
 */
export async function startFaultProxy(
  upstream: Pick<S3Server, "endpointUrl" | "bucket">,
): Promise<FaultProxy> {
  let script = createFaultScript<ProxyFault>();
  let calls: ProxiedCall[] = [];
  let target = new URL(upstream.endpointUrl);
  let bucketPath = `${target.pathname.replace(/\/$/, "")}/${upstream.bucket}`;
  let sockets = new Set<Socket>();

  function track(socket: Socket): Socket {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // What it means is told by `close`.
    socket.on("error", () => {});
    return socket;
  }

  function accept(client: Socket): void {
    let server = createLink(() => track(connect(Number(target.port), target.hostname)));
    let queue = Promise.resolve();
    let reader = createMessageReader((request) => {
      queue = queue.then(() => handle(request, client, server)).catch(() => void client.destroy());
    });
    track(client);
    client.setNoDelay(true);
    client.on("data", (bytes: Buffer) => reader.push(bytes));
    client.on("close", () => void queue.finally(() => server.close()));
  }

  async function handle(request: Message, client: Socket, server: Link): Promise<void> {
    let call = describe(request, bucketPath, upstream.bucket);
    let fault = call && script.next(call.operation);
    if (call) calls.push({ ...call, bodyBytes: request.body.byteLength, fault: fault?.kind ?? null });
    if (!call || !fault) return reply(client, await server.ask(request));
    await misbehave(fault, { call, request, client, server });
  }

  let listener = createServer(accept);
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  let address = listener.address();
  let port = typeof address === "object" ? address?.port : 0;
  return {
    endpointUrl: `http://127.0.0.1:${port}${target.pathname.replace(/\/$/, "")}`,
    script,
    calls,
    async stop() {
      for (let socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

interface Exchange {
  call: CallFacts;
  request: Message;
  client: Socket;
  server: Link;
}

async function misbehave(fault: ProxyFault, { call, request, client, server }: Exchange): Promise<void> {
  switch (fault.kind) {
    case "status":
      return reply(client, refusal(fault.status, fault.code, call));
    case "errorIn200":
      return reply(client, refusal(200, fault.code, call));
    case "resetBefore":
      return void client.destroy();
    case "resetAfter":
      await server.ask(request);
      return void client.destroy();
    case "stall":
      return untilClosed(client);
    case "stallAfter":
      await server.ask(request);
      return untilClosed(client);
    case "cutAnswer": {
      let bytes = await server.ask(request);
      client.write(bytes.subarray(0, bytes.byteLength >> 1), () => void client.destroy());
      return untilClosed(client);
    }
    case "cutRequest":
      await server.askHalf(request);
      return void client.destroy();
    case "late": {
      let bytes = await server.ask(request);
      await Bun.sleep(fault.ms);
      return reply(client, bytes);
    }
    case "arrivesLate":
      await Bun.sleep(fault.ms);
      return reply(client, await server.ask(request));
    case "twice":
      await server.ask(request);
      return reply(client, await server.ask(request));
    case "lie":
      return reply(client, success(call));
    case "blank":
      if (fault.done) await server.ask(request);
      return reply(client, answer(200));
    case "call":
      if (fault.at === "after") await server.ask(request);
      fault.call();
      client.destroy();
  }
}

function reply(client: Socket, bytes: Buffer): void {
  if (!client.destroyed) client.write(bytes);
}

function untilClosed(client: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (client.destroyed) resolve();
    else client.once("close", () => resolve());
  });
}

/** The way to the server that belongs to one client's connection. */
interface Link {
  /** Passes a request on and resolves to the whole answer. */
  ask(request: Message): Promise<Buffer>;
  /** Passes on what comes before the middle of the request, and breaks the connection. */
  askHalf(request: Message): Promise<void>;
  close(): void;
}

function createLink(open: () => Socket): Link {
  let socket: Socket | null = null;
  let settle: { resolve: (bytes: Buffer) => void; reject: (error: Error) => void } | null = null;
  let asksHead = false;
  let reader = createMessageReader(
    ({ head, body }) => settle?.resolve(Buffer.concat([head, body])),
    (startLine) => !asksHead && !/^\S+ (204|304)/.test(startLine),
  );

  function opened(): Socket {
    if (socket && !socket.destroyed) return socket;
    let mine = open();
    mine.setNoDelay(true);
    mine.on("data", (bytes: Buffer) => reader.push(bytes));
    mine.on("close", () => {
      reader.end();
      settle?.reject(new Error("the S3 server has closed the connection"));
      if (socket === mine) socket = null;
    });
    return (socket = mine);
  }

  return {
    ask(request) {
      asksHead = request.startLine.startsWith("HEAD ");
      return new Promise((resolve, reject) => {
        settle = { resolve, reject };
        let server = opened();
        server.write(request.head);
        if (request.body.byteLength > 0) server.write(request.body);
      });
    },
    askHalf({ head, body }) {
      let bytes = Buffer.concat([head, body]);
      let server = opened();
      return new Promise((resolve) => {
        server.once("close", () => resolve());
        server.write(bytes.subarray(0, bytes.byteLength >> 1), () => server.end(() => server.destroy()));
      });
    },
    close() {
      socket?.destroy();
    },
  };
}

/** Null for what the proxy has no name for; that is passed on. */
function describe(
  { startLine }: Message,
  bucketPath: string,
  bucket: string,
): (CallFacts & { uploadId: string | null }) | null {
  let [method = "", path = ""] = startLine.split(" ");
  let url = new URL(path, "http://proxy");
  if (!url.pathname.startsWith(bucketPath)) return null;
  let key = decodeURIComponent(url.pathname.slice(bucketPath.length).replace(/^\//, ""));
  let operation: Operation | null = operationOf(method, key, url.searchParams);
  return operation && { operation, bucket, key, uploadId: url.searchParams.get("uploadId") };
}
