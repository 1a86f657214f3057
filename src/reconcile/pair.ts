/** What two ordered streams say about one key: it is in both, or in one of them alone. */
export type Paired<L, R> = { left: L; right: R } | { left: L; right: null } | { left: null; right: R };

/**
 * Merges two streams in the same order. A left item stands for all right items of its place; it comes once with each of them.
 *
 * @param compare negative when the left item's place comes first
 */
export function* pair<L, R>(
  lefts: Iterable<L>,
  rights: Iterable<R>,
  compare: (left: L, right: R) => number,
): Generator<Paired<L, R>> {
  let leftItems = lefts[Symbol.iterator]();
  let left = leftItems.next();
  let isMet = false;
  function* pass(right: R): Generator<Paired<L, R>> {
    while (!left.done && compare(left.value, right) < 0) {
      if (!isMet) yield { left: left.value, right: null };
      left = leftItems.next();
      isMet = false;
    }
  }
  for (let right of rights) {
    yield* pass(right);
    if (!left.done && compare(left.value, right) === 0) {
      isMet = true;
      yield { left: left.value, right };
    } else yield { left: null, right };
  }
  for (; !left.done; left = leftItems.next()) {
    if (!isMet) yield { left: left.value, right: null };
    isMet = false;
  }
}
