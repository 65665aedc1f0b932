/**
 * Data that moves within the kernel: pipes, files in memory, splice(2) and sendfile(2).
 *
 * @module
 */
import { O_CLOEXEC, SEEK_SET } from "./constants.ts";
import { type CallContext, Descriptor } from "./descriptor.ts";
import { SysError } from "./errno.ts";
import { call } from "./libc.ts";
import { type Bytes, bytes } from "./structs.ts";

const MFD_CLOEXEC = 1;

/** One end of a pipe, or a file; closed when disposed of. */
export class DataFile extends Descriptor {
  /** Both ends of a pipe: the one that is read, and the one that is written. */
  static pipe(context: CallContext = {}): { reader: DataFile; writer: DataFile } {
    const ends = bytes(8);
    context.trace?.("pipe2()");
    const result = call("pipe2", ends, O_CLOEXEC);
    if (result < 0) throw new SysError("pipe2()", -result);
    const [reader = -1, writer = -1] = new Int32Array(ends.buffer);
    return { reader: new DataFile(reader, context), writer: new DataFile(writer, context) };
  }

  /** A file that is nowhere but in memory, memfd_create(2), and is read from its beginning. */
  static async inMemory(content: Bytes, context: CallContext = {}): Promise<DataFile> {
    context.trace?.("memfd_create()");
    const fd = call("memfd_create", new TextEncoder().encode("vsock-conformance\0"), MFD_CLOEXEC);
    if (fd < 0) throw new SysError("memfd_create()", -fd);
    const file = new DataFile(fd, context);
    for (let at = 0; at < content.length;) at += await file.write(content.subarray(at));
    file.rewind();
    return file;
  }

  /** write(2). */
  async write(data: Bytes): Promise<number> {
    return (await this.callBlocking("write", `${data.length}`, data, data.length)).result;
  }

  /** read(2); 0 at the end. */
  async read(into: Bytes): Promise<number> {
    return (await this.callBlocking("read", `${into.length}`, into, into.length)).result;
  }

  /** Reads from the beginning again, lseek(2). */
  rewind(): void {
    this.call("lseek", "0, SEEK_SET", 0, SEEK_SET);
  }
}

/** splice(2): moves up to `length` bytes; one of the two is a pipe. 0 at the end. */
export async function splice(from: Descriptor, to: Descriptor, length: number): Promise<number> {
  const shown = `to ${to.fd}, ${length}`;
  return (await from.callBlocking("splice", shown, null, to.fd, null, length, 0)).result;
}

/** sendfile(2): sends up to `length` bytes of a file from where it is. 0 at its end. */
export async function sendfile(to: Descriptor, file: Descriptor, length: number): Promise<number> {
  const shown = `from ${file.fd}, ${length}`;
  return (await to.callBlocking("sendfile", shown, file.fd, null, length)).result;
}
