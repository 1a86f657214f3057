import { hostname, networkInterfaces } from "node:os";

import { publicBase } from "../auth/first-token.ts";
import { silentLog } from "../log.ts";
import { createStorages } from "../storages.ts";
import { runCheck } from "./check.ts";
import type { RunCommand } from "./command.ts";
import { runHealth } from "./health.ts";
import { runImport } from "./import.ts";
import { runInvite } from "./invite.ts";
import { runPut } from "./put.ts";
import { runReconcile } from "./reconcile.ts";
import { runRedact } from "./redact.ts";
import { runServe } from "./serve.ts";
import { runSnapshot } from "./snapshot.ts";
import { runToken } from "./token.ts";
import { runUser } from "./user.ts";

/** What runs a command, by the command's first word. */
export const PROGRAMS = {
  serve: async ({ openLog, stdout, stopSignal, ...context }) => {
    await runServe({ ...context, log: openLog(), write: stdout, stopped: stopSignal() });
    return 0;
  },
  check: ({ config, stdout }) =>
    runCheck({ config, storage: createStorages(config, silentLog).current, write: stdout }),
  health: ({ config, stdout }) => runHealth({ config, write: stdout }),
  import: ({ stopSignal, terminal, ...context }) =>
    runImport({ ...context, isTerminal: terminal !== null, stopped: stopSignal() }),
  put: runPut,
  reconcile: (context) => runReconcile({ ...context, isTerminal: context.terminal !== null }),
  redact: async (context) => {
    runRedact(context);
    return 0;
  },
  snapshot: async (context) => {
    runSnapshot(context);
    return 0;
  },
  token: async (context) => {
    runToken({ ...context, dataDir: context.config.data_dir });
    return 0;
  },
  user: async (context) => {
    await runUser({ ...context, dataDir: context.config.data_dir });
    return 0;
  },
  invite: async (context) => {
    let { config } = context;
    let base = publicBase({
      publicUrl: config.public_url,
      host: config.host,
      port: config.port,
      addresses: Object.values(networkInterfaces()).flatMap((list) => list ?? []),
      hostname: hostname(),
    });
    await runInvite({ ...context, publicBase: base });
    return 0;
  },
} as const satisfies Record<string, RunCommand>;

export type ProgramName = keyof typeof PROGRAMS;
