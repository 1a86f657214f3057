/** One thing that is wrong with the configuration; fit to be shown, nothing secret is in it. */
export interface Fault {
  /** The key, or what stands where a key should be. */
  key: string;
  /** Where it came from: `flag --port`, `variable PORT`, `file s3-uploads.yaml`. */
  source: string;
  /** What holds for the key, or what is to be done. */
  rule: string;
  /** The value as it may be shown, or null when there is none to show. */
  value: string | null;
}

export const mask = "****";

/** Real secrets are longer; to mask a shorter text wherever it stands would tear words apart, and so tell it. */
const minHiddenLength = 8;

/** A text in which none of the secrets is left. */
export function hideSecrets(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= minHiddenLength)
    .reduce((hidden, secret) => hidden.replaceAll(secret, mask), text);
}

const maxShownLength = 80;

/** One line for one fault. */
export function formatFault({ key, source, rule, value }: Fault): string {
  return `${key}${value === null ? "" : ` = ${value}`} (${source}): ${rule}`;
}

/** What the program prints before it exits: all faults, a line each; ends in a newline. */
export function formatFaults(faults: readonly Fault[]): string {
  let count = faults.length === 1 ? "a fault" : `${faults.length} faults`;
  return [`The configuration has ${count}:`, ...faults.map((fault) => `  ${formatFault(fault)}`), ""].join(
    "\n",
  );
}

/** A value on one line; credentials and query of an address are masked. */
export function showValue(raw: unknown): string {
  if (typeof raw === "object" && raw !== null && !isPlainList(raw)) return Array.isArray(raw) ? "[…]" : "{…}";
  return (JSON.stringify(raw) ?? String(raw))
    .replace(/(\/\/)[^/"]*@/g, `$1${mask}@`)
    .replace(/(:\/\/[^"]*?[?#])[^"]*/g, `$1${mask}`);
}

/** The same fault, its value of bounded length, and every one of the secrets masked wherever it strayed to. */
export function madeSafe(fault: Fault, secrets: readonly string[]): Fault {
  let hide = (text: string): string => hideSecrets(text, secrets);
  return {
    ...fault,
    key: hide(fault.key),
    rule: hide(fault.rule),
    value: fault.value === null ? null : shorten(hide(fault.value)),
  };
}

function shorten(shown: string): string {
  return shown.length > maxShownLength ? `${shown.slice(0, maxShownLength)}…` : shown;
}

function isPlainList(raw: object): boolean {
  return Array.isArray(raw) && raw.every((entry) => typeof entry !== "object");
}
