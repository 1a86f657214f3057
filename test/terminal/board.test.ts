import { expect, test } from "bun:test";

import { createBoard } from "../../src/terminal/board.ts";

test("lines are taken away from the first column on, wherever the cursor was put meanwhile", () => {
  let written: string[] = [];
  let terminal = { write: (text: string) => void written.push(text), columns: () => 80 };
  let board = createBoard(terminal, () => ["one", "two"]);
  board.print("stays\n");
  // The terminal shows ^C here when somebody presses Ctrl-C.
  board.close();
  expect(written).toEqual(["stays\none\ntwo\n", "\r\u001b[2A\u001b[J"]);
});
