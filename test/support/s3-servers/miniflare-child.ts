/** Runs Miniflare until it is killed: argv[2] is the folder that it writes to; prints its address. */
import { Miniflare } from "miniflare";

import { testBucket, testCredentials } from "./s3-server.ts";

let miniflare = new Miniflare({
  modules: true,
  script: "export default { fetch: () => new Response(null, { status: 404 }) }",
  host: "127.0.0.1",
  port: 0,
  r2Persist: process.argv[2] ?? "",
  r2Buckets: { BUCKET: { id: testBucket, s3Credentials: testCredentials } },
});
console.log((await miniflare.ready).origin);
