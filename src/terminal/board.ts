/** Lines at the foot of a terminal that are drawn again and again. */
export interface Board {
  /** Writes lines that stay, above the others. */
  print(text: string): void;
  /** Takes the lines away. */
  close(): void;
}

export interface Terminal {
  write: (text: string) => void;
  columns: () => number;
}

const redrawMs = 100;

/** @param lines what stands there now, each no wider than the columns */
export function createBoard(terminal: Terminal, lines: (columns: number) => string[]): Board {
  let drawn = 0;
  /** Up to the first line that was drawn, and everything from it on away, also what the terminal shows of a Ctrl-C. */
  let erase = () => (drawn === 0 ? "" : `\r\u001b[${drawn}A\u001b[J`);

  function draw(): string {
    let now = lines(Math.max(20, terminal.columns() - 1));
    drawn = now.length;
    return now.map((line) => `${line}\n`).join("");
  }

  let timer = setInterval(() => terminal.write(erase() + draw()), redrawMs);
  return {
    print: (text) => terminal.write(erase() + text + draw()),
    close() {
      clearInterval(timer);
      terminal.write(erase());
      drawn = 0;
    },
  };
}
