/**
 * The lab could not do its part: that says nothing about any kernel, and ends with exit code 69.
 *
 * @module
 */
import { ExpectedError } from "../core/error.ts";
import { EXIT } from "../core/outcome.ts";

/** A VM, or something it needs, is not available; the message says what to do. */
export class LabError extends ExpectedError {
  override readonly name = "LabError";
  override readonly exitCode: number = EXIT.unavailable;
}

/** No lab has what was asked for: wrong usage, which ends with exit code 2. */
export class LabUsageError extends LabError {
  override readonly exitCode = EXIT.broken;
}

/** A VM did not do its work in time. */
export class LateError extends LabError {}

/** A VM ended, or got stuck, before its work was done. */
export class VmLostError extends LabError {}

/** A VM no longer makes progress: its kernel's RCU says so, or nothing in it answers any more. */
export class VmStalledError extends VmLostError {}

/** A kernel died and said of what: a finding rather than a failure of the lab; exit code 1. */
export class KernelDeathError extends ExpectedError {
  override readonly name = "KernelDeathError";
  override readonly exitCode = EXIT.failed;
}
