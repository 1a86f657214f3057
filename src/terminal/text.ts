const minuteSeconds = 60;
const hourSeconds = 60 * minuteSeconds;

function two(n: number): string {
  return String(Math.trunc(n)).padStart(2, "0");
}

/** `0:07`, `12:40`, `3:05:00`; nothing for what nobody can tell. */
export function clockTime(seconds: number): string {
  if (!Number.isFinite(seconds)) return "";
  let whole = Math.ceil(seconds);
  let rest = `${two((whole % hourSeconds) / minuteSeconds)}:${two(whole % minuteSeconds)}`;
  return whole >= hourSeconds ? `${Math.trunc(whole / hourSeconds)}:${rest}` : rest.replace(/^0/, "");
}

/** At most so many columns, cut in the middle, where names differ least; control characters are shown as `?`. */
export function fitted(text: string, columns: number): string {
  let plain = text.replace(/\p{C}/gu, "?");
  if (Bun.stringWidth(plain) <= columns) return plain;
  let characters = [...new Intl.Segmenter().segment(plain)].map(({ segment }) => segment);
  while (characters.length > 1 && Bun.stringWidth(characters.join("")) > columns - 1) {
    characters.splice(Math.floor(characters.length / 2), 1);
  }
  characters.splice(Math.ceil(characters.length / 2), 0, "…");
  return characters.join("");
}

/** At most so many columns, cut at the end. */
export function clipped(text: string, columns: number): string {
  return Bun.stringWidth(text) <= columns ? text : Bun.sliceAnsi(text, 0, columns);
}

export function padded(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - Bun.stringWidth(text)));
}
