import { close, closeSync, constants, fstat, open, read } from "node:fs";
import { promisify } from "node:util";

const openFile = promisify(open);
const readFile = promisify(read);
const statFile = promisify(fstat);
const closeFile = promisify(close);
const openToRead = constants.O_RDONLY | constants.O_NOFOLLOW;

/** An open file that is safe to lose: Bun ends the process when a FileHandle is collected open, this one is closed. */
export interface ReadDescriptor {
  /** Size in bytes, or null when it is no plain file. */
  size(): Promise<number | null>;
  /** At most `length` bytes from `position`; none at the end. */
  read(position: number, length: number): Promise<Uint8Array>;
  /** Once is enough, more is no error. */
  close(): Promise<void>;
}

const lost = new FinalizationRegistry<number>((descriptor) => closeSync(descriptor));

/** Rejects as the file system does; a symbolic link is refused. */
export async function openDescriptor(file: string): Promise<ReadDescriptor> {
  let descriptor = await openFile(file, openToRead);
  let reading: Promise<unknown> = Promise.resolve();
  let closing: Promise<void> | null = null;
  let opened: ReadDescriptor = {
    async size() {
      let facts = await statFile(descriptor);
      return facts.isFile() ? facts.size : null;
    },
    async read(position, length) {
      let buffer = Buffer.allocUnsafeSlow(length);
      let work = readFile(descriptor, buffer, 0, length, position);
      reading = work.catch(() => {});
      return buffer.subarray(0, (await work).bytesRead);
    },
    close() {
      lost.unregister(opened);
      // not under a read: the number might be another file's by then
      return (closing ??= reading.then(() => closeFile(descriptor)));
    },
  };
  lost.register(opened, descriptor, opened);
  return opened;
}
