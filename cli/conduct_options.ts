/**
 * The options that every command has that runs cases.
 *
 * @module
 */
import type { Command } from "@commander-js/extra-typings";
import { type Command as PlainCommand, Option } from "commander";
import { DIRECTION_CHOICES, type DirectionChoice } from "../core/plan.ts";
import { MAX_SIDES } from "../peer/agent.ts";
import { PORT_STRIDE } from "../peer/wire.ts";
import { REPORT_FORMATS } from "../report/formats.ts";
import { reportOption, type ReportTarget } from "./report_files.ts";
import { VMADDR_PORT_ANY } from "../sys/constants.ts";
import {
  secondsOption,
  seedOption,
  several,
  UsageError,
  vsockPortOption,
  wholeNumber,
} from "./usage.ts";

/** The AF_VSOCK port of upstream's tests. */
export const DEFAULT_PORT = 1234;
/** What that option says in help. */
export const PORT_TEXT: string = `AF_VSOCK port; the next ${PORT_STRIDE - 1} are used, too`;
/** The time upstream gives to each wait, in milliseconds. */
export const DEFAULT_CASE_TIMEOUT = 10_000;

/** What every command that runs cases can be told. */
export interface ConductOptions {
  readonly direction: DirectionChoice;
  readonly peerPort: number;
  readonly caseTimeout: number;
  /** How many cases run at the same time. */
  readonly jobs?: number | undefined;
  readonly seed?: number | undefined;
  readonly shuffle?: boolean | undefined;
  readonly repeat?: number | undefined;
  readonly untilFailure?: boolean | undefined;
  readonly strict?: boolean | undefined;
  /** A file of what is known to fail. */
  readonly baseline?: string | undefined;
  readonly ktap?: boolean | undefined;
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
  plain.argument("[cases...]", "ids, with * for a part and ** for several; all cases without")
    .addOption(
      new Option("--direction <which>", "who accepts").choices(DIRECTION_CHOICES).default("both"),
    )
    .option(
      "--peer-port <port>",
      `${PORT_TEXT}, and with --jobs more`,
      vsockPortOption,
      DEFAULT_PORT,
    )
    .addOption(secondsOption("--case-timeout <seconds>", "deadline of a case", caseTimeout))
    .option("--jobs <number>", "cases side by side, but for those that must be alone", jobsOption)
    .option("--seed <number>", "repeat the randomness of an earlier run", seedOption)
    .option("--shuffle", "run the cases in an order that the seed decides")
    .option("--repeat <times>", "run all that often; names what is flaky", wholeNumber(1, 1e6))
    .option("--until-failure", "repeat until something fails, or as often as --repeat says")
    .option("--strict", "a warning, too, makes the run fail")
    .option("--baseline <file>", "what is known to fail: selector [direction] [kernels] # why")
    .option("--ktap", "KTAP on standard output; progress goes to standard error")
    .option(
      "--report <format=file>",
      `write a report; may be given again (${Object.keys(REPORT_FORMATS).join(", ")})`,
      several(reportOption),
    );
  return plain as unknown as Command<[...A, string[]], O & Plain<ConductOptions>>;
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

/** How many rounds are asked for at most. */
export function roundsAsked({ repeat, untilFailure }: ConductOptions): number {
  return repeat ?? (untilFailure ? Infinity : 1);
}
