/** Shorter ones are in too many names. */
const minWordsLength = 4;

/**
 * The candidate that a mistyped name was probably meant to be, or null when none is close: a few letters added, lost,
 * changed or swapped, or else words of a longer name (`bucket` for `s3_bucket`). Case, dashes and underscores don't count.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | null {
  let wanted = plain(name);
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (let candidate of candidates) {
    let distance = editDistance(wanted, plain(candidate));
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best ?? shortestWith(wanted, candidates);
}

function shortestWith(wanted: string, candidates: Iterable<string>): string | null {
  if (wanted.length < minWordsLength) return null;
  let words = wanted.split("_");
  let holding = [...candidates].filter((candidate) => {
    let its = new Set(plain(candidate).split("_"));
    return words.every((word) => its.has(word));
  });
  return holding.toSorted((a, b) => a.length - b.length)[0] ?? null;
}

/** ` Did you mean x?`, or nothing. */
export function didYouMean(name: string, candidates: Iterable<string>, prefix = ""): string {
  let nearest = nearestName(name, candidates);
  return nearest === null ? "" : ` Did you mean ${prefix}${nearest}?`;
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll("-", "_");
}

/** Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours cost one each. */
function editDistance(a: string, b: string): number {
  let previous: number[] = [];
  let current = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    let next = [row];
    for (let column = 1; column <= b.length; column++) {
      let changed = a[row - 1] === b[column - 1] ? 0 : 1;
      let cost = Math.min(
        (current[column] ?? 0) + 1,
        (next[column - 1] ?? 0) + 1,
        (current[column - 1] ?? 0) + changed,
      );
      let swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      next.push(swapped ? Math.min(cost, (previous[column - 2] ?? 0) + 1) : cost);
    }
    [previous, current] = [current, next];
  }
  return current[b.length] ?? 0;
}
