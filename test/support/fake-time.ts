import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** A wall clock that a test sets while a program runs under it; time that only runs (CLOCK_MONOTONIC) is left alone. */
export interface FakeTime {
  /** For the environment of the program. */
  env: Record<string, string>;
  /** Moves the clock to this far from the true time. */
  shift(seconds: number): void;
}

function findLibrary(): string | null {
  let places = ["faketime/libfaketimeMT.so.1", "*/faketime/libfaketimeMT.so.1"];
  let found = ["/usr/lib", "/usr/local/lib"].flatMap((folder) =>
    places.flatMap((place) => [...new Bun.Glob(place).scanSync({ cwd: folder, absolute: true })]),
  );
  return found[0] ?? null;
}

/** One line that says what is missing, or null. For `skipUnlessCi`. */
export function fakeTimeMissing(): string | null {
  if (findLibrary()) return null;
  return "libfaketime is not installed: clocks that jump are not tested (apt-get install faketime)";
}

/** @param folder takes a small file that says the time */
export function createFakeTime(folder: string): FakeTime {
  let file = join(folder, "faketime");
  function shift(seconds: number): void {
    writeFileSync(file, `${seconds < 0 ? "-" : "+"}${Math.abs(seconds)}\n`);
  }
  shift(0);
  return {
    env: {
      LD_PRELOAD: findLibrary() ?? "",
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    },
    shift,
  };
}
