/**
 * Tests that need io_uring, which many a machine forbids.
 *
 * @module
 */
import { SysError } from "../../sys/errno.ts";
import { IoUring } from "../../sys/io_uring.ts";

/** Why this machine has no io_uring; undefined where it has. */
function missing(): string | undefined {
  try {
    IoUring.open(1)[Symbol.dispose]();
    return undefined;
  } catch (error) {
    if (error instanceof SysError) return error.message;
    throw error;
  }
}

const why = missing();

/** A test that needs io_uring, and says in its name why it is ignored. */
export function testWithUring(name: string, fn: () => Promise<void> | void): void {
  Deno.test({ name: why === undefined ? name : `${name} (${why})`, ignore: why !== undefined, fn });
}
