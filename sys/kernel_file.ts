/**
 * Attributes of the kernel, files below /proc/sys and /sys whose write(2) does something.
 *
 * @module
 */
import { O_WRONLY } from "./constants.ts";
import { Descriptor, openFile } from "./descriptor.ts";
import { SysError } from "./errno.ts";

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

/** With what a file of the kernel's cannot be opened that is not there, or not for this user. */
export const UNAVAILABLE: readonly string[] = ["ENOENT", "EACCES", "EPERM", "EROFS"];

/** Whether something failed since a file of the kernel's is not there, or not for this user. */
export function isUnavailable(error: unknown, codes: readonly string[] = UNAVAILABLE): boolean {
  if (error instanceof SysError) return codes.includes(error.code);
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotCapable;
}
