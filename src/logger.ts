import pino from "pino";
import pretty from "pino-pretty";

import type { Log } from "./log.ts";

export interface LoggerOptions {
  level: string;
  format: "pretty" | "json";
}

const stderr = 2;

/** Log lines go to stderr; stdout belongs to what a person or a script asked for. */
export function createLogger({ level, format }: LoggerOptions): Log {
  let destination =
    format === "pretty"
      ? pretty({ destination: stderr, sync: true, ignore: "pid,hostname", translateTime: "SYS:HH:MM:ss.l" })
      : pino.destination({ dest: stderr, sync: true });
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}
