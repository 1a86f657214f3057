/**
 * Waits for work that may go on without its caller. Resolves to true when it has ended in time, well or not, and to false
 * when the patience has ended first. Never rejects.
 */
export async function endsWithin(work: Promise<unknown>, patienceMs: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), patienceMs)));
  let ended = work.then(
    () => true,
    () => true,
  );
  let inTime = await Promise.race([ended, late]);
  clearTimeout(timer);
  return inTime;
}
