/** Receives bodies and drops them; with `sha256` as argument it hashes them. Prints its address. */
let hashes = process.argv[2] === "sha256";

let receiver = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  maxRequestBodySize: Number.MAX_SAFE_INTEGER,
  idleTimeout: 0,
  async fetch(request) {
    let hasher = new Bun.CryptoHasher("sha256");
    let sizeBytes = 0;
    for await (let chunk of request.body ?? new ReadableStream<Uint8Array>()) {
      sizeBytes += chunk.length;
      if (hashes) hasher.update(chunk);
    }
    return Response.json({ sizeBytes, sha256: hashes ? hasher.digest("hex") : null });
  },
});
console.log(receiver.url.origin);
