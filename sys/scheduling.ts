/**
 * How the kernel's scheduler treats this thread.
 *
 * @module
 */
import { SCHED_FIFO, SCHED_OTHER, SCHED_RESET_ON_FORK } from "./constants.ts";
import { call } from "./libc.ts";

/**
 * Lets the thread that made it run before all usual ones whenever it can, sched_setscheduler(2).
 * It needs CAP_SYS_NICE or RLIMIT_RTPRIO; without, nothing changes.
 */
export class Urgency implements Disposable {
  /** Whether the kernel granted it. */
  readonly granted: boolean = setScheduler(SCHED_FIFO | SCHED_RESET_ON_FORK, 1);

  /** Sets the usual scheduling again. */
  [Symbol.dispose](): void {
    if (this.granted) setScheduler(SCHED_OTHER, 0);
  }
}

/** Sets this thread's policy and struct sched_param, and says whether that was allowed. */
function setScheduler(policy: number, priority: number): boolean {
  return call("sched_setscheduler", 0, policy, new Int32Array([priority])) === 0;
}
