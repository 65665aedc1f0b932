/**
 * Failures of the lab itself. They say nothing about a kernel, and end with exit code 69.
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

/** The user asked for something that does not exist; exit code 2. */
export class LabUsageError extends LabError {
  override readonly exitCode = EXIT.broken;
}

/** A VM did not finish in time. */
export class LateError extends LabError {}

/** A VM ended or got stuck before it was done. */
export class VmLostError extends LabError {}

/** A VM makes no progress: its kernel reports an RCU stall, or nothing in it responds. */
export class VmStalledError extends VmLostError {}

/** A kernel died and logged why: a finding, not a failure of the lab; exit code 1. */
export class KernelDeathError extends ExpectedError {
  override readonly name = "KernelDeathError";
  override readonly exitCode = EXIT.failed;
}
