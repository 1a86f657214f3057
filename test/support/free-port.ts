/**
 * A port for a program that can't take port 0 and tell what it got, or that is started anew where it was. It is below
 * those that the system gives away by itself (from 32768 on Linux, from 49152 elsewhere): no connection and no other
 * server comes to have it before the program, or between two starts.
 */
export function freePort(): number {
  for (;;) {
    let port = 10_000 + Math.floor(Math.random() * 10_000);
    try {
      Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } }).stop(true);
      return port;
    } catch {
      // Somebody has it.
    }
  }
}
