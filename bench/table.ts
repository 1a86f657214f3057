/** Rows of text with aligned columns: the first to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  let widths: number[] = [];
  for (let row of rows) {
    for (let [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  let line = (row: readonly string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ");
  let [head = [], ...body] = rows.map(line);
  return [head, "-".repeat(head.length), ...body].map((text) => `  ${text}\n`).join("");
}
