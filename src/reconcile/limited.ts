/** Does `work` for each item, at most `limit` at the same time. Rejects with the first failure when all under way have ended. */
export async function forEachLimited<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let queue = items[Symbol.iterator]();
  let failure: { error: unknown } | null = null;
  async function worker(): Promise<void> {
    for (let next = queue.next(); !next.done && !failure; next = queue.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failure ??= { error };
      }
    }
  }
  await Promise.all(Array.from({ length: limit }, worker));
  if (failure) throw (failure as { error: unknown }).error;
}

/** Does one piece of work after another, in the order of the calls. */
export function createQueue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    let mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };
}
