/**
 * The lab could not do its part: that says nothing about any kernel, and ends with exit code 69.
 *
 * @module
 */

/** A VM, or what it needs, could not be had; the message says what to do. */
export class LabError extends Error {
  override readonly name = "LabError";
}

/** What was asked for is nothing that a lab has: wrong usage, which ends with exit code 2. */
export class LabUsageError extends LabError {}

/** A VM did not do its work in time. */
export class LateError extends LabError {}

/** A VM ended, or got stuck, before its work was done. */
export class MishapError extends LabError {}

/** A VM stands still: its kernel's RCU says so, or nothing in it answers any more. */
export class StandstillError extends MishapError {}

/** A kernel died, and said of what: no mishap of the lab, but a finding, which ends with exit code 1. */
export class KernelDeathError extends Error {
  override readonly name = "KernelDeathError";
}
