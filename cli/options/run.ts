/**
 * The options that every command has that runs cases.
 *
 * @module
 */
import type { Command } from "@commander-js/extra-typings";
import { type Command as PlainCommand, Option } from "commander";
import { DIRECTION_CHOICES, type DirectionChoice, type Topology } from "../../core/plan.ts";
import { MAX_SIDES } from "../../agent/session.ts";
import { PORT_STRIDE } from "../../control/wire.ts";
import { REPORT_FORMATS } from "../../report/formats.ts";
import { VMADDR_PORT_ANY } from "../../sys/constants.ts";
import { secondsOption, seedOption, several, vsockPortOption, wholeNumber } from "./parse.ts";
import { UsageError } from "../../core/error.ts";
import { CASE_FILES, CASE_FILES_TEXT, type CaseFileOptions } from "./cases.ts";
import { reportOption, type ReportTarget } from "./report.ts";

/** The AF_VSOCK port of upstream's tests. */
export const DEFAULT_PORT = 1234;
/** What help says of the argument that chooses cases. */
export const CASES_TEXT = "ids or their beginnings, * and **; !id leaves it out";
/** What that option says in help. */
export const PORT_TEXT: string = `AF_VSOCK port; the next ${PORT_STRIDE - 1} are used, too`;
/** The time upstream gives to each wait, in milliseconds. */
export const DEFAULT_CASE_TIMEOUT = 10_000;

/** What every command that runs cases can be told. */
export interface ConductOptions extends CaseFileOptions {
  readonly direction: DirectionChoice;
  readonly peerPort: number;
  readonly caseTimeout: number;
  /** How many cases run at the same time. */
  readonly jobs?: number | undefined;
  readonly seed?: number | undefined;
  readonly shuffle?: boolean | undefined;
  readonly repeat?: number | undefined;
  readonly untilFailure?: boolean | undefined;
  /** Ends the run with the first verdict that makes it fail. */
  readonly failFast?: boolean | undefined;
  readonly strict?: boolean | undefined;
  /** Cases that are left out. */
  readonly exclude?: readonly string[] | undefined;
  /** Leaves out what takes long by the kernel's own times. */
  readonly quick?: boolean | undefined;
  /** A report of which only what failed is run. */
  readonly rerunFailed?: string | undefined;
  /** Shows only what did not do well. */
  readonly quiet?: boolean | undefined;
  /** The arguments that run cases on the same machines again. */
  readonly again?: readonly string[] | undefined;
  /** Runs the rest, too, when a kernel has gone wrong. */
  readonly keepGoing?: boolean | undefined;
  /** A file of what is known to fail. */
  readonly baseline?: string | undefined;
  readonly ktap?: boolean | undefined;
  /** As `ktap`, on one level. */
  readonly "ktap=flat"?: boolean | undefined;
  readonly report?: readonly ReportTarget[] | undefined;
}

const jobsOption = wholeNumber(1, MAX_SIDES);

/** An interface as the type of an object literal, which commander's types ask for. */
type Plain<T> = { [K in keyof T]: T[K] };

/**
 * Adds those options to a command.
 *
 * Their types are written down, not inferred: the compiler takes minutes over a chain of so many.
 */
export function withConductOptions<A extends unknown[], O extends Record<string, unknown>>(
  command: Command<A, O>,
  caseTimeout: number = DEFAULT_CASE_TIMEOUT,
): Command<[...A, string[]], O & Plain<ConductOptions>> {
  const plain = command as unknown as PlainCommand;
  plain.argument("[cases...]", CASES_TEXT)
    .option(CASE_FILES, CASE_FILES_TEXT, several(String))
    .addOption(
      new Option("--direction <which>", "who accepts").choices(DIRECTION_CHOICES).default("both"),
    )
    .option(
      "--peer-port <port>",
      `first AF_VSOCK port, of ${PORT_STRIDE} for each job`,
      vsockPortOption,
      DEFAULT_PORT,
    )
    .addOption(secondsOption("--case-timeout <seconds>", "deadline of a case", caseTimeout))
    .option("--jobs <number>", "run up to that many cases at the same time", jobsOption)
    .option("--exclude <cases>", "leave these out; may be given again", several(String))
    .option("--quick", "leave out cases that take more than 2 s")
    .option("--rerun-failed <file>", "only what failed, or did not run, in that JSON")
    .option("--seed <number>", "repeat the randomness of an earlier run", seedOption)
    .option("--shuffle", "run the cases in an order that the seed decides")
    .option("--repeat <times>", "run all that often; names what is flaky", wholeNumber(1, 1e6))
    .option("--until-failure", "repeat until something fails, or --repeat is over")
    .option("--fail-fast", "stop at the first failure")
    .option("--strict", "fail on warnings, retries and tainted kernels")
    .option("--keep-going", "go on after an Oops, a lockup or the like")
    .option("--baseline <file>", "what is known to fail (docs/outcomes.md)")
    .option("-q, --quiet", "show only what did not do well, and the end")
    .option("--ktap", "KTAP on standard output (--ktap=flat: on one level)")
    // An option of its own: one that may have a value would take the case behind it for that.
    .addOption(new Option("--ktap=flat").hideHelp())
    .option(
      "--report <format=file>",
      `write a report; may be given again (${Object.keys(REPORT_FORMATS).join("|")})`,
      several(reportOption),
    );
  return plain as unknown as Command<[...A, string[]], O & Plain<ConductOptions>>;
}

/** The form of KTAP on standard output, where there is to be one. */
export function ktapForm(options: ConductOptions): "ktap" | "ktap-flat" | undefined {
  return options["ktap=flat"] ? "ktap-flat" : options.ktap ? "ktap" : undefined;
}

/**
 * The first of the ports that cases use.
 *
 * @throws {UsageError} where so many jobs have no room behind it.
 */
export function firstPort({ peerPort, jobs = 1 }: ConductOptions): number {
  const last = peerPort + jobs * PORT_STRIDE - 1;
  if (last < VMADDR_PORT_ANY) return peerPort;
  throw new UsageError(`--peer-port ${peerPort} has no room behind it for ${jobs} jobs`);
}

/** @throws {UsageError} where a direction was chosen and there is one anyway. */
export function requireDirection(topology: Topology, direction: DirectionChoice): void {
  if (topology !== "loopback" || direction === "both") return;
  throw new UsageError(
    "--direction does nothing on loopback, where both sides are one machine: leave it out",
  );
}

/** How many rounds are asked for at most. */
export function roundsAsked({ repeat, untilFailure }: ConductOptions): number {
  return repeat ?? (untilFailure ? Infinity : 1);
}
