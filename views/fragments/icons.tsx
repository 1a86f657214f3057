/** @jsxImportSource hono/jsx */

/** Small pictures on buttons, in the colour of the text; the button itself says what it does. */
const shapes = {
  download: "M8 2v8m0 0 3.2-3.2M8 10 4.8 6.8M2.5 13.5h11",
  link: "M6.6 9.4 9.4 6.6M7 4.6l1.6-1.6a2.9 2.9 0 0 1 4.1 4.1L11 8.8M9 11.4 7.4 13a2.9 2.9 0 0 1-4.1-4.1L5 7.2",
  bin: "M2.5 4.2h11M6.2 4V2.6h3.6V4M4 4.4l.6 9h6.8l.6-9M6.7 7v4M9.3 7v4",
  table: "M2.5 3.5h11M2.5 8h11M2.5 12.5h11",
  grid: "M2.8 2.8h4v4h-4zM9.2 2.8h4v4h-4zM2.8 9.2h4v4h-4zM9.2 9.2h4v4h-4z",
} as const;

/** Drawn once in a page, outside of what is swapped; a list shows each of them many times. */
export function IconShapes() {
  return (
    <svg class="unseen" width="0" height="0" aria-hidden="true">
      {Object.entries(shapes).map(([name, path]) => (
        <symbol id={`icon-${name}`} viewBox="0 0 16 16">
          <path d={path} fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round" />
        </symbol>
      ))}
    </svg>
  );
}

export function Icon({ name }: { name: keyof typeof shapes }) {
  return (
    <svg class="icon" width="16" height="16" aria-hidden="true">
      <use href={`#icon-${name}`} />
    </svg>
  );
}
