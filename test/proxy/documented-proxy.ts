import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { skipUnlessCi } from "../support/needs.ts";
import { eventually } from "../support/server.ts";

export const proxyNames = ["Caddy", "nginx"] as const;
export type ProxyName = (typeof proxyNames)[number];

const missing = ["caddy", "nginx", "openssl"].filter((name) => Bun.which(name) === null);

/** For `describe.skipIf`. */
export const noProxies = skipUnlessCi(
  missing.length === 0
    ? null
    : `${missing.join(", ")} not installed: the documented proxies are not tried (apt-get install ${missing.join(" ")})`,
);

export interface ProxyPorts {
  /** Where the proxy listens, with TLS. */
  front: number;
  uploads: number;
  datasette: number;
}

/** A block of docs/behind-a-proxy.md. */
function documented(language: string): string {
  let text = readFileSync(join(import.meta.dir, "../../docs/behind-a-proxy.md"), "utf8");
  let [, block] = new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, "s").exec(text) ?? [];
  if (block === undefined) throw new Error(`the document has no ${language}`);
  return block;
}

/** Replaces what has to be there. */
function replaced(text: string, found: string, by: string): string {
  if (!text.includes(found)) throw new Error(`the document has no ${found}`);
  return text.replace(found, by);
}

/** Runs a proxy as the document says, but for names, ports and the certificate, which is one of its own. */
export async function startProxy(name: ProxyName, ports: ProxyPorts): Promise<AsyncDisposable> {
  let folder = mkdtempSync(join(tmpdir(), "s3-uploads-proxy-"));
  let [certificate, key] = makeCertificate(folder);
  let command: string[];
  if (name === "Caddy") {
    let site = replaced(
      documented("caddyfile"),
      "files.example.org {",
      `https://localhost:${ports.front} {\n\ttls ${certificate} ${key}`,
    );
    site = replaced(site, "127.0.0.1:8080", `127.0.0.1:${ports.uploads}`);
    site = replaced(site, "127.0.0.1:8001", `127.0.0.1:${ports.datasette}`);
    let config = join(folder, "Caddyfile");
    writeFileSync(config, `{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n${site}`);
    command = ["caddy", "run", "--config", config, "--adapter", "caddyfile"];
  } else {
    let site = replaced(documented("nginx"), "listen 443 ssl;", `listen 127.0.0.1:${ports.front} ssl;`);
    site = replaced(site, "server_name files.example.org;", "server_name localhost;");
    site = replaced(site, "/etc/ssl/files.example.org.pem", certificate);
    site = replaced(site, "/etc/ssl/files.example.org.key", key);
    site = replaced(site, "127.0.0.1:8080", `127.0.0.1:${ports.uploads}`);
    site = replaced(site, "127.0.0.1:8001", `127.0.0.1:${ports.datasette}`);
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => {
      mkdirSync(join(folder, kind));
      return `${kind}_temp_path ${join(folder, kind)};`;
    });
    let user = process.getuid?.() === 0 ? "user root;" : "";
    let config = join(folder, "nginx.conf");
    writeFileSync(
      config,
      `${user} daemon off; pid ${join(folder, "pid")}; error_log stderr; events {}\nhttp { access_log off; ${temporary.join(" ")}\n${site}}`,
    );
    command = ["nginx", "-e", "stderr", "-c", config];
  }
  let proxy = Bun.spawn(command, {
    env: { PATH: process.env["PATH"] ?? "", HOME: folder },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  let log = "";
  void (async () => {
    let decoder = new TextDecoder();
    for await (let chunk of proxy.stderr) log += decoder.decode(chunk, { stream: true });
  })();
  async function end(): Promise<void> {
    proxy.kill("SIGTERM");
    let late = setTimeout(() => proxy.kill("SIGKILL"), 5_000);
    await proxy.exited;
    clearTimeout(late);
    rmSync(folder, { recursive: true, force: true });
  }
  try {
    let listens = () =>
      fetch(`https://localhost:${ports.front}/`, { tls: { rejectUnauthorized: false } }).then(
        () => true,
        () => false,
      );
    await eventually(
      async () => (proxy.exitCode === null ? await listens() : Promise.reject(new Error(log))),
      (good) => good,
    );
  } catch (error) {
    await end();
    throw error;
  }
  return { [Symbol.asyncDispose]: end };
}

function makeCertificate(folder: string): [certificate: string, key: string] {
  let [certificate, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  let what =
    "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost";
  let { exitCode, stderr } = Bun.spawnSync([
    "openssl",
    ...what.split(" "),
    "-keyout",
    key,
    "-out",
    certificate,
  ]);
  if (exitCode !== 0) throw new Error(stderr.toString());
  return [certificate, key];
}
