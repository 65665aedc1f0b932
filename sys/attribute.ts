/**
 * Attributes of the kernel, files below /proc/sys and /sys whose write(2) does something.
 *
 * @module
 */
import { O_WRONLY } from "./constants.ts";
import { Descriptor, openFile } from "./descriptor.ts";

class Attribute extends Descriptor {
  static open(path: string): Attribute {
    return new this(openFile(path, O_WRONLY), {});
  }

  write(text: string): void {
    const data = new TextEncoder().encode(text);
    this.call("write", JSON.stringify(text), data, data.length);
  }
}

/**
 * Writes an attribute in one write(2).
 *
 * @throws {SysError} with the errno of open(2), or with that with which the kernel refuses.
 */
export function writeAttribute(path: string, text: string): void {
  using attribute = Attribute.open(path);
  attribute.write(text);
}
