import {
  chunked,
  everyBytes,
  outcome,
  readForm,
  readFormWithBun,
  realForms,
  type SentForm,
} from "../multipart.ts";
import { pick, type Random, seededRandom } from "./random.ts";
import { type Tally, timed } from "./tally.ts";

/** One change that breaks, or nearly breaks, a form. */
export function mutateForm(sent: SentForm, random: Random): Uint8Array {
  let { body, boundary } = sent;
  let at = random(body.length);
  let length = random(Math.min(64, body.length - at));
  let before = body.subarray(0, at);
  let after = body.subarray(at);
  let tokens = [
    "\r\n",
    "\r",
    "\n",
    "--",
    `--${boundary}`,
    `\r\n--${boundary}`,
    `\r\n--${boundary}--`,
    "\0",
    '"',
    "\\",
    ";",
    ":",
    " ",
    "\t",
    "é",
    "\xff",
    'filename="x"',
    "\r\n\r\n",
  ];
  switch (random(6)) {
    case 0:
      return before;
    case 1:
      return Buffer.concat([before, after.subarray(length)]);
    case 2:
      return Buffer.concat([before, Buffer.from(tokens[random(tokens.length)]!, "latin1"), after]);
    case 3:
      return Buffer.concat([before, after.subarray(0, length), after]);
    case 4: {
      let changed = Buffer.from(body);
      changed[at] = random(256);
      return changed;
    }
    default: {
      let from = random(body.length);
      return Buffer.concat([before, body.subarray(from, from + length), after]);
    }
  }
}

/**
 * Why Bun's own parser is no judge of a mutated form, or null when both must agree. Where it differs on purpose:
 * it ends a part at a delimiter line in the middle of a line, at the last of two closing delimiters, knows no padding and no
 * folded headers, drops parts that have no `name`, takes the last of repeated headers, and lets broken headers pass.
 */
export function whyBunIsNoJudge(sent: SentForm, body: Uint8Array): string | null {
  let text = `\r\n${Buffer.from(body).toString("latin1")}`;
  let dashed = `--${sent.boundary}`;
  let closings = 0;
  for (let at = text.indexOf(dashed); at >= 0; at = text.indexOf(dashed, at + 1)) {
    let startsLine = text.slice(at - 2, at) === "\r\n";
    let tail = text.slice(at + dashed.length);
    if (/^[ \t]+\r\n/.test(tail)) return "padding";
    if (tail.startsWith("--")) closings += 1;
    if (!startsLine && /^(--|\r\n)/.test(tail)) return "a delimiter within a line";
  }
  if (closings > 1) return "two closing delimiters";

  let blocks = new Set(headerBlocks(Buffer.from(sent.body).toString("latin1"), dashed));
  return headerBlocks(text, dashed).every((block) => blocks.has(block)) ? null : "changed headers";
}

function headerBlocks(text: string, dashed: string): string[] {
  return text
    .split(`${dashed}\r\n`)
    .slice(1)
    .map((part) => part.split("\r\n\r\n", 1)[0] ?? "");
}

export interface FormTally extends Tally {
  /** Cases in which both had to agree, and did. */
  judgedByBun: number;
  bothAccepted: number;
}

/**
 * Runs seeded mutations of the real forms through our parser, whole and in chunks, and through Bun's.
 *
 * @throws Error that names seed and case when chunking makes a difference, or the two parsers disagree without a known reason.
 */
export async function fuzzForms(seed: number, cases: number): Promise<FormTally> {
  let random = seededRandom(seed);
  let forms = realForms();
  let judgedByBun = 0;
  let bothAccepted = 0;
  let tally = await timed(seed, cases, async () => {
    let sent = pick(forms, random);
    let body = sent.body;
    for (let left = random(4); left > 0 && body.length > 0; left -= 1)
      body = mutateForm({ ...sent, body }, random);

    let ends = random(10) === 0 ? everyBytes(body, 1) : randomEnds(body.length, random);
    let whole = await outcome(readForm(chunked(body, []), sent.contentType));
    let inChunks = await outcome(readForm(chunked(body, ends), sent.contentType));
    if (whole !== inChunks) throw new Error(`${sent.client}: chunking matters: ${whole} / ${inChunks}`);

    if (whyBunIsNoJudge(sent, body) !== null) return;
    let bun = await outcome(readFormWithBun(body, sent.contentType));
    let agree = whole === bun || (whole.startsWith("refused") && bun.startsWith("refused"));
    if (!agree) throw new Error(`${sent.client}: we: ${whole} Bun: ${bun}`);
    judgedByBun += 1;
    if (!whole.startsWith("refused")) bothAccepted += 1;
  });
  return { ...tally, judgedByBun, bothAccepted };
}

function randomEnds(length: number, random: Random): number[] {
  let ends = Array.from({ length: 1 + random(8) }, () => random(length + 1));
  return ends.toSorted((a, b) => a - b);
}
