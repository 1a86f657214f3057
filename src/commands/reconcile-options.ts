import { AppError } from "../errors.ts";
import type { OptionFacts } from "./command-table.ts";
import { parseDuration } from "./duration.ts";
import { type CommandOptions, valueOf } from "./options.ts";

const defaultMinAge = "24h";
const defaultKeep = "30d";

/** The command's own options, as `--help` shows them. */
export const reconcileOptions: readonly OptionFacts[] = [
  {
    name: "repair",
    value: null,
    doc: "put right what can be put right; the server must be stopped",
  },
  { name: "deep", value: null, doc: "read every object and compare its SHA-256" },
  { name: "json", value: null, doc: "print one JSON object a line: each finding, then a summary" },
  {
    name: "min-age",
    value: "AGE",
    doc: `leave alone what is younger: 24h, 30m, 7d, 0; default: ${defaultMinAge}`,
  },
  {
    name: "keep",
    value: "AGE",
    doc: `with --repair: remove what has been in quarantine for longer; default: ${defaultKeep}`,
  },
  {
    name: "force",
    value: null,
    doc: "with --repair: act also when there is suspiciously much to do",
  },
];

export interface ReconcileOptions {
  repair: boolean;
  force: boolean;
  deep: boolean;
  json: boolean;
  minAgeMs: number;
  /** As it was written. */
  minAge: string;
  keepMs: number;
  keep: string;
}

/** Throws AppError `invalid_parameter`. */
export function readReconcileOptions(options: CommandOptions): ReconcileOptions {
  let repair = options["repair"] === true;
  for (let name of ["force", "keep"]) {
    if (options[name] !== undefined && !repair) {
      throw new AppError("invalid_parameter", `--${name} only means something with --repair.`, {
        details: { parameter: `--${name}` },
      });
    }
  }
  let minAge = valueOf(options, "min-age") ?? defaultMinAge;
  let keep = valueOf(options, "keep") ?? defaultKeep;
  return {
    repair,
    force: options["force"] === true,
    deep: options["deep"] === true,
    json: options["json"] === true,
    minAgeMs: parseDuration(minAge, "--min-age"),
    minAge,
    keepMs: parseDuration(keep, "--keep"),
    keep,
  };
}
