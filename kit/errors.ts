/**
 * Errors that a case only looks at.
 *
 * @module
 */
import { SysError } from "../sys/errno.ts";

/** The name of the error with which a call fails; undefined where it does not. */
export function errorOf(call: () => void): string | undefined {
  try {
    call();
  } catch (error) {
    if (error instanceof SysError) return error.code;
    throw error;
  }
  return undefined;
}

/** The same of a call that may block. */
export async function errorOfBlocking(call: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await call();
  } catch (error) {
    if (error instanceof SysError) return error.code;
    throw error;
  }
  return undefined;
}
