/** What curl got; `status` is 0 when it got no answer. */
export interface Answer {
  status: number;
  body: {
    success?: boolean;
    file_id?: number;
    error?: { code: string };
    duplicate_of?: number;
    files?: { success: boolean; file_id?: number; duplicate_of?: number; error?: { code: string } }[];
    deleted?: number[];
  };
}

export interface Curl {
  /** Bytes for a body that curl takes from its standard input (`-T -`); null ends it. */
  feed(bytes: Uint8Array | null): Promise<void>;
  answer: Promise<Answer>;
  kill(): Promise<void>;
}

/** Starts curl, a client that is not ours. */
export function startCurl(...options: string[]): Curl {
  let client = Bun.spawn(["curl", "-s", "--noproxy", "*", "-w", "\n%{http_code}", ...options], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
  });
  async function answer(): Promise<Answer> {
    let text = await new Response(client.stdout).text();
    let end = text.lastIndexOf("\n");
    let body = text.slice(0, end);
    return {
      status: Number(text.slice(end + 1)),
      body: (body === "" ? {} : JSON.parse(body)) as Answer["body"],
    };
  }
  return {
    answer: answer(),
    async feed(bytes) {
      if (bytes) {
        client.stdin.write(bytes);
        await client.stdin.flush();
      } else await client.stdin.end();
    },
    async kill() {
      client.kill("SIGKILL");
      await client.exited;
    },
  };
}

/** One request from beginning to end. */
export async function curl(...options: string[]): Promise<Answer> {
  let { answer, feed } = startCurl(...options);
  await feed(null);
  return answer;
}
