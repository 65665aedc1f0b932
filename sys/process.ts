/**
 * This process among others.
 *
 * @module
 */
import { PR_SET_PDEATHSIG, SIGKILL } from "./constants.ts";
import { SysError } from "./errno.ts";
import { call } from "./libc.ts";

/**
 * Has this process killed when its parent ends, however that ends: prctl(PR_SET_PDEATHSIG).
 *
 * @throws {SysError}
 */
export function dieWithParent(): void {
  const result = call("prctl", PR_SET_PDEATHSIG, SIGKILL);
  if (result < 0) throw new SysError("prctl(PR_SET_PDEATHSIG)", -result);
}
