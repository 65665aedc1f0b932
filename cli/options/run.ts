/**
 * The options of every command that runs cases.
 *
 * @module
 */
import { argumentOf, optionOf } from "./value.ts";
import { type Command, InvalidArgumentError, Option } from "commander";
import { DIRECTION_CHOICES, type DirectionChoice, type Topology } from "../../core/plan.ts";
import { MAX_SIDES } from "../../agent/session.ts";
import { PORT_STRIDE } from "../../control/wire.ts";
import { VMADDR_PORT_ANY } from "../../sys/constants.ts";
import { secondsOption, seedOption, several, vsockPortOption, wholeNumber } from "./parse.ts";
import type { Shard } from "../../core/shard.ts";
import { UsageError } from "../../core/error.ts";
import { type CaseFileOptions, caseFilesOption } from "./cases.ts";
import { reportOption, type ReportTarget } from "./report.ts";

/** The AF_VSOCK port of upstream's tests. */
export const DEFAULT_PORT = 1234;
/** The description of that option. */
export const PORT_TEXT: string = `AF_VSOCK port; the next ${PORT_STRIDE - 1} are used as well`;
/** The timeout of every wait in upstream's tests, in milliseconds. */
export const DEFAULT_CASE_TIMEOUT = 10_000;
/** The deadline of a case in milliseconds; a VM in an emulated VM is slow. */
export const LAB_CASE_TIMEOUT = 60_000;

/** Values of the options of every command that runs cases. */
export interface CasesOptions extends CaseFileOptions {
  readonly direction: DirectionChoice;
  readonly peerPort: number;
  readonly caseTimeout: number;
  /** The number of cases that run at the same time. */
  readonly jobs?: number | undefined;
  readonly seed?: number | undefined;
  readonly shuffle?: boolean | undefined;
  readonly repeat?: number | undefined;
  readonly untilFailure?: boolean | undefined;
  /** Stop the run at the first verdict that makes it fail. */
  readonly failFast?: boolean | undefined;
  readonly strict?: boolean | undefined;
  /** Cases to leave out. */
  readonly exclude?: readonly string[] | undefined;
  /** Leave out cases that take long because of the kernel's timeouts. */
  readonly quick?: boolean | undefined;
  /** The part of the cases that this machine runs. */
  readonly shard?: Shard | undefined;
  /** A report: run only what failed in it. */
  readonly rerunFailed?: string | undefined;
  /** Show only problems. */
  readonly quiet?: boolean | undefined;
  /** The arguments that run cases on the same machines again. */
  readonly again?: readonly string[] | undefined;
  /** Continue after a fault from which the kernel does not recover. */
  readonly keepGoing?: boolean | undefined;
  /** A file of known failures. */
  readonly baseline?: string | undefined;
  readonly ktap?: boolean | undefined;
  /** Like `ktap`, but without nesting. */
  readonly "ktap=flat"?: boolean | undefined;
  readonly report?: readonly ReportTarget[] | undefined;
}

/** The value of `--shard`, for commander. */
function shardOption(text: string): Shard {
  const [, index = 0, count = 0] = (/^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? []).map(Number);
  if (index >= 1 && index <= count) return { index, count };
  throw new InvalidArgumentError("Write, for example, 2/5: the second of five parts.");
}

/** The value of `--jobs`, for commander. */
export const jobsOption: (text: string) => number = wholeNumber(1, MAX_SIDES);

/** The option `--direction`. */
export function directionOption(): Option {
  return new Option("--direction <which>", "who accepts").choices(DIRECTION_CHOICES).default(
    "both",
  );
}

/** The option `--exclude`. */
export function excludeOption(): Option {
  return optionOf("case", "--exclude <cases>", "leave these cases out; repeatable")
    .argParser(several(String));
}

/** The part of help about the argument that selects cases. */
export const CASES_HELP = "Cases are ids or prefixes of ids, with * and **; !id leaves a case out.";

/** The option of the ports that cases use; VMs have all of theirs free, so that few need it there. */
function peerPortOption(isLab: boolean): Option {
  const text = `first AF_VSOCK port, of ${PORT_STRIDE} per job`;
  return new Option("--peer-port <port>", text).argParser(vsockPortOption).default(DEFAULT_PORT)
    .hideHelp(isLab);
}

/** Adds those options to a command, for machines of the user's own or for the lab's. */
export function withCasesOptions(
  command: Command,
  where: "machines" | "lab" = "machines",
): Command {
  const isLab = where === "lab";
  const caseTimeout = isLab ? LAB_CASE_TIMEOUT : DEFAULT_CASE_TIMEOUT;
  // Not described here, which would take three lines of help; see CASES_HELP.
  return command.addArgument(argumentOf("case", "[cases...]"))
    .addOption(directionOption())
    .addOption(caseFilesOption())
    .addOption(peerPortOption(isLab))
    .addOption(secondsOption("--case-timeout <seconds>", "deadline of a case", caseTimeout))
    .option("--jobs <number>", "cases to run in parallel, except exclusive ones", jobsOption)
    .addOption(excludeOption())
    .option("--quick", "leave out slow cases (more than 2 s)")
    .addOption(
      optionOf(
        "file",
        "--rerun-failed <file>",
        "only what failed or did not run, by a JSON report",
      ),
    )
    .option("--shard <i/n>", "one of n parts, for as many machines", shardOption)
    .option("--seed <number>", "repeat the random choices of an earlier run", seedOption)
    .option("--shuffle", "run the cases in a random order (see --seed)")
    .option("--repeat <times>", "run everything this often; finds flaky cases", wholeNumber(1, 1e6))
    .option("--until-failure", "repeat until a case fails, or --repeat is reached")
    .option("--fail-fast", "stop at the first failure")
    .option("--strict", "fail on warnings, retries and tainted kernels")
    .option("--keep-going", "continue after an oops, a lockup or the like")
    .addOption(optionOf("file", "--baseline <file>", "known failures (docs/outcomes.md)"))
    .option("-q, --quiet", "show only problems and the summary")
    .option("--ktap", "KTAP on stdout (--ktap=flat: on one level)")
    // A separate option, because an option with an optional value would swallow a case after it.
    .addOption(new Option("--ktap=flat").hideHelp())
    .addOption(
      optionOf(
        "report",
        "--report <format=file>",
        'write a report; repeatable (see "report --help")',
      ).argParser(several(reportOption)),
    );
}

/** Which form of KTAP to write to standard output, if any. */
export function ktapForm(options: CasesOptions): "ktap" | "ktap-flat" | undefined {
  return options["ktap=flat"] ? "ktap-flat" : options.ktap ? "ktap" : undefined;
}

/**
 * The first of the ports that cases use.
 *
 * @throws {UsageError} if there are not enough ports after it for all jobs.
 */
export function firstPort({ peerPort, jobs = 1 }: CasesOptions): number {
  const last = peerPort + jobs * PORT_STRIDE - 1;
  if (last < VMADDR_PORT_ANY) return peerPort;
  throw new UsageError(`--peer-port ${peerPort} leaves too few ports after it for ${jobs} jobs`);
}

/** @throws {UsageError} if a direction was given although there is only one. */
export function requireDirection(topology: Topology, direction: DirectionChoice): void {
  if (topology !== "loopback" || direction === "both") return;
  throw new UsageError(
    "--direction does nothing on loopback, where both sides are one machine: leave it out",
  );
}

/** The maximum number of rounds. */
export function roundsAsked({ repeat, untilFailure }: CasesOptions): number {
  return repeat ?? (untilFailure ? Infinity : 1);
}
