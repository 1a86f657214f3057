import type { ReadStream } from "node:tty";

import { AppError } from "../errors.ts";
import { KIB } from "../units.ts";

/** Where a command gets text from that must not stand on a command line. */
export interface Prompt {
  /** Whether a person is there to be asked. */
  isInteractive: boolean;
  /** Asks and shows nothing of the answer. Rejects with AppError when it is given up by Ctrl-C or Ctrl-D. */
  askSecret(question: string): Promise<string>;
  /** Everything on standard input, without the newline at its end. */
  readAll(): Promise<string>;
}

const maxInputBytes = 64 * KIB;
const ctrlC = "\u0003";
const ctrlD = "\u0004";
const erasing = new Set(["\u007f", "\b"]);

/** @param input standard input; it is touched only when it is asked for */
export function createPrompt(input: () => ReadStream, write: (text: string) => void): Prompt {
  /** Keys of the next answer that came together with the end of the last one: two lines may be pasted at once. */
  let early: string[] = [];

  async function askSecret(question: string): Promise<string> {
    let stream = input();
    // First: what is typed as soon as the question stands there must not be shown.
    stream.setRawMode(true);
    write(question);
    let typed: string[] = [];
    /** True at the end of the answer. */
    function take(keys: string[]): boolean {
      for (let [nth, key] of keys.entries()) {
        if (key === "\r" || key === "\n") {
          early = keys.slice(nth + 1);
          return true;
        }
        if (key === ctrlC || (key === ctrlD && typed.length === 0)) throw givenUp();
        if (erasing.has(key)) typed.pop();
        else if (key >= " ") typed.push(key);
      }
      return false;
    }
    try {
      if (take(early.splice(0))) return typed.join("");
      for await (let chunk of stream.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
        if (take([...String(chunk)])) return typed.join("");
      }
    } finally {
      stream.setRawMode(false);
      stream.pause();
      write("\n");
    }
    throw givenUp();
  }

  async function readAll(): Promise<string> {
    let text = "";
    for await (let chunk of input().setEncoding("utf8")) {
      text += String(chunk);
      if (text.length > maxInputBytes)
        throw new AppError("invalid_parameter", "Standard input holds too much.");
    }
    return text.replace(/\r?\n$/, "");
  }

  return {
    get isInteractive() {
      return input().isTTY;
    },
    askSecret,
    readAll,
  };
}

function givenUp(): AppError {
  return new AppError("invalid_parameter", "Given up: nothing was changed.");
}
