/**
 * The kernel's log as /dev/kmsg gives it (Documentation/ABI/testing/dev-kmsg): every record that
 * it holds, and those that come.
 *
 * @module
 */
import { O_NONBLOCK, O_RDONLY, SEEK_SET } from "./constants.ts";
import { openFile } from "./descriptor.ts";
import { errnoNumber, SysError } from "./errno.ts";
import { call } from "./libc.ts";
import { bytes } from "./structs.ts";

/** The longest record that the kernel gives out, PRINTK_MESSAGE_MAX, with room to spare. */
const MAX_RECORD = 16 * 1024;
/** Most reads in a row, so that a log that grows faster than it is read ends the look at it. */
const MAX_READS = 20_000;

/** What was logged since the last look. */
export interface LogPart {
  /** The lines that the kernel itself logged, without what stands in front of them. */
  readonly lines: readonly string[];
  /** Whether records were overwritten before they were read, or it grew too fast to be read. */
  readonly overrun: boolean;
}

/** A reader of the kernel's log; closed when disposed of. */
export class KernelLog implements Disposable {
  readonly #fd: number;
  #newest: number;

  private constructor(fd: number, newest: number) {
    this.#fd = fd;
    this.#newest = newest;
  }

  /**
   * Opens the log at its beginning, or behind a record.
   *
   * @param after the number of that record, which {@linkcode newest} gave.
   * @param path of the log; tests give a file of theirs.
   * @throws {SysError} ENOENT, EACCES, EPERM (kernel.dmesg_restrict), ...
   */
  static open(after?: number, path = "/dev/kmsg"): KernelLog {
    const fd = openFile(path, O_RDONLY | O_NONBLOCK);
    const at = call("lseek", fd, 0, SEEK_SET);
    if (at >= 0) return new KernelLog(fd, after ?? -1);
    call("close", fd);
    throw new SysError(`lseek(${path})`, -at);
  }

  /** The number of the newest record that was read; undefined where none was. */
  get newest(): number | undefined {
    return this.#newest < 0 ? undefined : this.#newest;
  }

  /**
   * What was logged since the last look; at first, all that is there.
   *
   * @throws {SysError} where the log cannot be read.
   */
  read(): LogPart {
    const chunk = bytes(MAX_RECORD);
    const decoder = new TextDecoder();
    const lines: string[] = [];
    let overrun = false;
    for (let reads = 0; reads < MAX_READS; reads++) {
      const count = call("read", this.#fd, chunk, chunk.length);
      if (count === 0 || count === -errnoNumber("EAGAIN")) return { lines, overrun };
      // The record was overwritten; the next read goes on behind the gap.
      if (count === -errnoNumber("EPIPE")) overrun = true;
      else if (count < 0) throw new SysError("read(/dev/kmsg)", -count);
      else lines.push(...this.#unread(decoder.decode(chunk.subarray(0, count))));
    }
    return { lines, overrun: true };
  }

  /** The kernel's messages among records, without those of records that are known. */
  #unread(records: string): string[] {
    const number = sequenceOf(records);
    if (number !== undefined && number <= this.#newest) return [];
    this.#newest = number ?? this.#newest;
    return kernelLines(records);
  }

  [Symbol.dispose](): void {
    call("close", this.#fd);
  }
}

/** The number of a record: each read(2) of /dev/kmsg gives one. */
function sequenceOf(record: string): number | undefined {
  const match = /^\d+,(\d+),/.exec(record);
  return match === null ? undefined : Number(match[1]);
}

/**
 * The messages of the records that the kernel itself logged. A program may write to /dev/kmsg too,
 * and say there what it likes, but never under the kernel's facility, which is 0.
 */
export function kernelLines(records: string): string[] {
  return records.split("\n").flatMap((record) => {
    // A line that begins with a space is a key and a value of the record above it.
    const match = /^(\d+),[^;]*;(.*)$/.exec(record);
    if (match === null || Number(match[1]) >> 3 !== 0) return [];
    return unescaped(match[2] ?? "").split("\n");
  });
}

/** Control characters come as `\x1b`, and so does the backslash. */
function unescaped(text: string): string {
  return text.replace(/\\x([0-9a-f]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
}
