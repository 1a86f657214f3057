import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";

import { PutObjectCommand, type S3Client, UploadPartCommand } from "@aws-sdk/client-s3";
import type { Server } from "bun";

import { createS3Client } from "../../src/store/s3/client.ts";
import { faultOf } from "../../src/store/s3/retry.ts";
import { createSendBySdk } from "../../src/store/s3/send-by-sdk.ts";
import { createSendBytes, unsignedPayload } from "../../src/store/s3/send-bytes.ts";

interface Seen {
  path: string;
  query: Record<string, string>;
  headers: Record<string, string>;
  body: string;
}

let server: Server<undefined>;
let seen: Seen[] = [];
let answer: () => Response;

beforeAll(() => {
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      let { pathname, searchParams } = new URL(request.url);
      let [query, headers] = [Object.fromEntries(searchParams), Object.fromEntries(request.headers)];
      seen.push({ path: pathname, query, headers, body: await request.text() });
      return answer();
    },
  });
});
afterAll(() => server.stop(true));
beforeEach(() => {
  seen = [];
  answer = stored;
});

function client(options: { accessKeyId?: string; sessionToken?: string } = {}): S3Client {
  return createS3Client({
    region: "eu-central-1",
    endpointUrl: `http://127.0.0.1:${server.port}/s3`,
    forcePathStyle: true,
    credentials: { accessKeyId: "key", secretAccessKey: "secret", ...options },
  });
}

const object = {
  Bucket: "bucket",
  Key: "a b/ü+(1)'*!/x.txt",
  ContentType: "text/plain",
  Metadata: { uid: "1", filename: "n%C3%A4me.txt" },
  StorageClass: "STANDARD_IA" as const,
  ServerSideEncryption: "aws:kms" as const,
  SSEKMSKeyId: "alias/key",
};
const part = { Bucket: "bucket", Key: "a/b", UploadId: "id+/=&x", PartNumber: 7, ChecksumCRC32: "AAAAAA==" };
let body = () => new TextEncoder().encode("hello");
let single = () => new PutObjectCommand({ ...object, ChecksumSHA256: "c3Vt", Body: body() });

function inCloud(): S3Client {
  let credentials = { accessKeyId: "key", secretAccessKey: "secret" };
  return createS3Client({ region: "eu-central-1", forcePathStyle: false, credentials });
}

let stored = () => new Response(null, { headers: { ETag: '"e"' } });

/** Answers in the place of the network while `work` goes on, and tells what it was asked. */
async function withFetch(reply: (url: string) => Response, work: () => Promise<unknown>) {
  let told: { url: string; headers: object }[] = [];
  let real = globalThis.fetch;
  globalThis.fetch = Object.assign(
    (url: unknown, init?: BunFetchRequestInit) => {
      told.push({ url: String(url), headers: { ...(init?.headers as object) } });
      return Promise.resolve(reply(String(url)));
    },
    { preconnect: real.preconnect },
  );
  try {
    await work();
  } finally {
    globalThis.fetch = real;
  }
  return told;
}

/** Without what says who has made the request and when, and what the SDK adds for itself. */
function comparable({ headers, query, ...rest }: Seen) {
  let { authorization = "", ...told } = headers;
  for (let name of Object.keys(told)) {
    if (/^(amz-sdk-|user-agent|x-amz-user-agent|x-amz-date|accept|connection)/.test(name)) delete told[name];
  }
  let { "x-id": _id, ...asked } = query;
  return { ...rest, query: asked, headers: told, scope: /Credential=\S+/.exec(authorization)?.[0] };
}

describe("says what the SDK says:", () => {
  let cases: [what: string, command: () => PutObjectCommand | UploadPartCommand, hash: string][] = [
    ["one object", single, "f".repeat(64)],
    ["a part", () => new UploadPartCommand({ ...part, Body: body() }), unsignedPayload],
  ];
  let accounts: [who: string, credentials: Parameters<typeof client>[0]][] = [
    ["", {}],
    [", with a session token", { sessionToken: "session" }],
    [", with an access key that has a slash", { accessKeyId: "team/key" }],
  ];
  for (let [what, command, hash] of cases) {
    for (let [who, credentials] of accounts) {
      test(`${what}${who}`, async () => {
        let { signal } = new AbortController();
        let told = await createSendBytes(client(credentials), "bucket")(command(), hash, signal);
        let bySdk = await createSendBySdk(client(credentials))(command(), hash, signal);
        expect(told.ETag).toBe(bySdk.ETag);
        expect(seen).toHaveLength(2);
        expect(comparable(seen[0]!)).toEqual(comparable(seen[1]!));
        expect(comparable(seen[0]!).scope).toContain("/eu-central-1/s3/aws4_request");
      });
    }
  }

  test("to a bucket whose name is in the host's", async () => {
    let told = await withFetch(stored, () =>
      createSendBytes(inCloud(), "bucket")(single(), "f".repeat(64), new AbortController().signal),
    );
    expect(told.map(({ url }) => url)).toEqual([
      "https://bucket.s3.eu-central-1.amazonaws.com/a%20b/%C3%BC%2B%281%29%27%2A%21/x.txt",
    ]);
  });

  test("and nothing that nobody has thought of", async () => {
    let command = new PutObjectCommand({ ...object, Body: body(), Tagging: "a=b" });
    let sent = createSendBytes(client(), "bucket")(command, "f".repeat(64), new AbortController().signal);
    expect(await sent.catch(String)).toContain("Tagging");
    expect(seen).toEqual([]);
  });
});

async function faultFor(made: () => Response) {
  answer = made;
  let sent = createSendBytes(client(), "bucket")(single(), "f".repeat(64), new AbortController().signal);
  return faultOf(await sent.catch((error: unknown) => error));
}
let xml = (text: string) => `<?xml version="1.0"?>\n<Error>${text}<RequestId>1</RequestId></Error>`;

describe("an answer that is no success", () => {
  test("is told in the words of S3", async () => {
    let text = xml(
      "<Code>SlowDown</Code><Message>Reduce &lt;your&gt; &#39;rate&#39; &amp; wait&none;</Message>",
    );
    expect(await faultFor(() => new Response(text, { status: 503 }))).toEqual({
      code: "SlowDown",
      status: 503,
      message: "Reduce <your> 'rate' & wait&none;",
    });
  });

  test("that names another region brings it along", async () => {
    answer = () =>
      new Response(xml("<Code>PermanentRedirect</Code><Region>eu-west-1</Region>"), { status: 301 });
    let sent = createSendBytes(client(), "bucket")(single(), "f".repeat(64), new AbortController().signal);
    expect(await sent.catch((error: unknown) => error)).toMatchObject({ Region: "eu-west-1" });
  });

  for (let [what, text] of [
    ["of a proxy", "<html><body>Bad gateway</body></html>"],
    ["without words", ""],
    ["that is cut off", "<Error><Code>SlowDo"],
  ] as const) {
    test(`${what} has its status`, async () => {
      expect(await faultFor(() => new Response(text, { status: 502 }))).toMatchObject({ status: 502 });
    });
  }

  test("of any length is read no further than an error goes", async () => {
    let sentChunks = 0;
    let endless = () =>
      new ReadableStream({
        pull(controller) {
          sentChunks++;
          controller.enqueue(new Uint8Array(16_384).fill(0x20));
        },
      });
    expect(await faultFor(() => new Response(endless(), { status: 500 }))).toMatchObject({ status: 500 });
    expect(sentChunks).toBeLessThan(1000);
  });

  test("over the clock makes the next one go by the server's", async () => {
    let ahead = new Date(Date.now() + 3_600_000);
    let send = createSendBytes(client(), "bucket");
    let { signal } = new AbortController();
    answer = () =>
      new Response(xml("<Code>RequestTimeTooSkewed</Code>"), {
        status: 403,
        headers: { Date: ahead.toUTCString() },
      });
    expect(faultOf(await send(single(), "f".repeat(64), signal).catch((error: unknown) => error)).code).toBe(
      "RequestTimeTooSkewed",
    );
    answer = stored;
    await send(single(), "f".repeat(64), signal);
    let hour = ahead.toISOString().replace(/[-:]/g, "").slice(0, 11);
    expect(seen.map(({ headers }) => headers["x-amz-date"]?.startsWith(hour))).toEqual([false, true]);
  });
});

let session = `<CreateSessionResult><Credentials><AccessKeyId>a</AccessKeyId><SecretAccessKey>b</SecretAccessKey>
<SessionToken>c</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></CreateSessionResult>`;

test.each([
  "bucket--use1-az4--x-s3",
  "point--use1-az4--xa-s3",
  "point-e0000075431d83bebde8xz5w8ijx1qzlbp3i3kuse10--op-s3",
])("what is meant for %s is left to the SDK", async (bucket) => {
  let told = await withFetch(
    (url) => (url.includes("?session") ? new Response(session) : stored()),
    () => {
      let command = new PutObjectCommand({ Bucket: bucket, Key: "a", Body: body() });
      return createSendBytes(inCloud(), bucket)(command, "f".repeat(64), new AbortController().signal);
    },
  );
  expect(told.at(-1)?.headers).toHaveProperty("amz-sdk-invocation-id");
});
