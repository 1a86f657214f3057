/**
 * For tests that need something which not every machine has (a program, the corpus).
 *
 * @param missing null when it is there, else one line that names what is missing and how to get it
 * @returns true when the tests have to be skipped; the line has been printed then. Under CI it throws instead, so that
 *   nothing is skipped where everything should be there.
 */
export function skipUnlessCi(missing: string | null): boolean {
  if (missing === null) return false;
  if (process.env["CI"] === "true") throw new Error(missing);
  console.log(`skipped: ${missing}`);
  return true;
}
