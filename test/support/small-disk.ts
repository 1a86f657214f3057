import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { KIB } from "../../src/units.ts";

/** Takes the disk away when this process has ended, were it by kill -9: then stdin closes. */
const watchdog = `trap "" TERM INT; read -r _; umount -l "$1"`;
const fillerName = ".filler";

/** A file system of a few bytes, in memory, on a folder. */
export interface SmallDisk {
  path: string;
  /** Leaves no more than this free. */
  fill(freeBytes?: number): void;
  /** Takes the filling away. */
  free(): void;
  /** Read-only, or writable again. */
  remount(mode: "ro" | "rw"): void;
  /** Takes it away, whoever uses it. */
  unmount(): void;
}

/** One line that says why no disk can be mounted here, or null. For `skipUnlessCi`. */
export function smallDiskMissing(): string | null {
  let probe = join(tmpdir(), `s3-uploads-mount-${process.pid}`);
  mkdirSync(probe);
  try {
    mountSmallDisk(probe, 64 * KIB).unmount();
    return null;
  } catch {
    return "file systems can't be mounted here (it takes root on Linux): full disks are not tested";
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
}

/** @param path a folder; made when it is not there */
export function mountSmallDisk(path: string, sizeBytes: number): SmallDisk {
  mkdirSync(path, { recursive: true });
  command("mount", "-t", "tmpfs", "-o", `size=${sizeBytes},mode=0700`, "tmpfs", path);
  let watch = Bun.spawn(["sh", "-c", watchdog, "sh", path], {
    stdin: "pipe",
    stderr: "ignore",
    detached: true,
  });
  let filler = join(path, fillerName);
  return {
    path,
    fill(freeBytes = 0) {
      rmSync(filler, { force: true });
      writeUntilFull(filler);
      if (freeBytes > 0) command("truncate", "-s", `-${freeBytes}`, filler);
    },
    free: () => rmSync(filler, { force: true }),
    remount: (mode) => command("mount", "-o", `remount,${mode}`, path),
    unmount() {
      watch.kill("SIGKILL");
      command("umount", "-l", path);
    },
  };
}

function writeUntilFull(path: string): void {
  let descriptor = openSync(path, "w");
  try {
    for (let bytes of [64 * KIB, KIB]) {
      try {
        for (;;) writeSync(descriptor, Buffer.alloc(bytes));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      }
    }
  } finally {
    closeSync(descriptor);
  }
}

function command(...words: string[]): void {
  let { exitCode, stderr } = Bun.spawnSync(words, { stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`${words.join(" ")}: ${stderr.toString()}`);
}
