/** How much work may be under way. */
export interface Width {
  /** Items at work at the same time. */
  atOnce: number;
  /** Items begun or done whose turn has not come. */
  ahead: number;
}

/**
 * Works on several items at once and gives the results in the items' order. When the source fails, the results of what it
 * gave before still come, and then its error.
 *
 * @param work must not reject
 */
export async function* inOrder<Item, Result>(
  source: AsyncIterable<Item>,
  work: (item: Item) => Promise<Result>,
  { atOnce, ahead }: Width,
): AsyncGenerator<Result> {
  let items = source[Symbol.asyncIterator]();
  let within = createLimit(atOnce);
  let begun: Promise<Result>[] = [];
  let failure: { error: unknown } | null = null;
  let ended = false;

  async function begin(): Promise<void> {
    try {
      let next = await items.next();
      if (next.done) ended = true;
      else begun.push(within(() => work(next.value)));
    } catch (error) {
      failure = { error };
      ended = true;
    }
  }

  try {
    for (;;) {
      while (!ended && begun.length < ahead) await begin();
      let first = begun.shift();
      if (!first) break;
      yield await first;
    }
  } finally {
    await items.return?.();
  }
  if (failure) throw (failure as { error: unknown }).error;
}

/** Lets `atOnce` pieces of work run at the same time; the others wait for their turn. */
export function createLimit(atOnce: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  let waiting: (() => void)[] = [];
  return async function limited(work) {
    if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await work();
    } finally {
      // The place goes to the next in line without being free in between.
      let next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
