/**
 * A stand-in for the kernel's vsock_test and its two siblings: their options, protocol, lists and
 * output.
 *
 * @module
 */
import { Command, Option } from "commander";
import { deadlineOf, type Role } from "../core/case.ts";
import { oneLine } from "../core/clean.ts";
import { EXIT } from "../core/outcome.ts";
import { seedFor } from "../core/random.ts";
import type { SideRunner } from "../agent/session.ts";
import { connectControl, LineChannel, listenControl, showAddress } from "../control/channel.ts";
import {
  type KnownList,
  runUpstream,
  type UpstreamEvents,
  type UpstreamStep,
} from "../control/vsock_test_protocol.ts";
import {
  NEWEST_VERSION,
  UPSTREAM_VERSIONS,
  type UpstreamEntry,
  upstreamList,
  type UpstreamVersion,
  versionsWithOther,
} from "../suites/upstream.ts";
import { type Program, PROGRAMS } from "../suites/upstream_programs.ts";
import { DEFAULT_CASE_TIMEOUT, DEFAULT_PORT, PORT_TEXT } from "./options/run.ts";
import { lackingHere, loadTimers, ownFacts, sideRunner } from "../agent/side.ts";
import {
  cidOption,
  COMMAND_OUTPUT,
  examples,
  secondsOption,
  several,
  tcpPortOption,
  vsockPortOption,
  wholeNumber,
} from "./options/parse.ts";
import { UsageError } from "../core/error.ts";
import { type Screen, screenOf } from "../report/screen.ts";
import { interruptible } from "./signals.ts";

const OPTIONS = [
  "program",
  "mode",
  "control-host",
  "control-port",
  "peer-cid",
  "peer-port",
  "list",
  "pick",
  "skip",
  "protocol",
];
const PROTOCOLS = UPSTREAM_VERSIONS.map((version) => `upstream:${version}` as const);
const EXAMPLES = [
  "--mode server --control-port 1234 --peer-cid 3",
  "--mode client --control-host 10.0.2.2 --control-port 1234 \\\n      --peer-cid 2",
  "--list --protocol upstream:6.1",
];
/** How long the peer may take to connect, in milliseconds. */
const CONNECT_TIME = 10_000;

/** Whether these are arguments of vsock_test: its options, and no command. */
export function isVsockTestCall(args: readonly string[]): boolean {
  return OPTIONS.some((option) => args[0]?.split("=")[0] === `--${option}`);
}

/** The command line of vsock_test. */
export function vsockTestCommand(act: (code: Promise<number>) => void): Command {
  const testId = several(wholeNumber(0, upstreamList().length - 1));
  const protocol = new Option("--protocol <protocol>", "which version's list of tests the peer has")
    .choices(PROTOCOLS)
    .default(`upstream:${NEWEST_VERSION}`);
  return new Command("vsock-conformance")
    .exitOverride()
    .configureOutput(COMMAND_OUTPUT)
    .description("Stands in for the kernel's vsock_test, as either side.")
    .addOption(
      new Option("--program <name>", "whose list").choices(PROGRAMS).default(PROGRAMS[0]),
    )
    .addOption(new Option("--mode <role>", "role").choices(["client", "server"]))
    .option(
      "--control-host <host>",
      "server: address to listen on (0.0.0.0); client: to connect to",
    )
    .option("--control-port <port>", "TCP port of the control channel", tcpPortOption)
    .option("--peer-cid <cid>", "CID of the other side", cidOption)
    .option("--peer-port <port>", PORT_TEXT, vsockPortOption, DEFAULT_PORT)
    .option("--list", "show the list and the test ids")
    .option("--pick <id>", "run only this test; repeatable", testId)
    .option("--skip <id>", "skip this test; repeatable", testId)
    .addOption(protocol)
    .addOption(
      secondsOption(
        "--case-timeout <seconds>",
        "deadline of a case, and of each line from the peer",
        DEFAULT_CASE_TIMEOUT,
      ),
    )
    .addOption(new Option("--stand-in <name>", "AF_UNIX in AF_VSOCK's place").hideHelp())
    .addHelpText("after", examples(...EXAMPLES))
    .action((options: VsockTestOptions) => act(vsockTest(options)));
}

interface VsockTestOptions {
  readonly program: Program;
  readonly mode?: Role | undefined;
  readonly controlHost?: string | undefined;
  readonly controlPort?: number | undefined;
  readonly peerCid?: number | undefined;
  readonly peerPort: number;
  readonly list?: true | undefined;
  readonly pick?: number[] | undefined;
  readonly skip?: number[] | undefined;
  readonly protocol: typeof PROTOCOLS[number];
  readonly caseTimeout: number;
  readonly standIn?: string | undefined;
}

async function vsockTest(options: VsockTestOptions): Promise<number> {
  const screen = screenOf(Deno.stdout);
  if (options.list) {
    screen.write("ID\tTest name\n");
    for (const { position, name } of listOf(options)) screen.write(`${position}\t${name}\n`);
    return EXIT.ok;
  }
  const { mode, controlPort: port, peerCid } = options;
  if (mode === undefined) throw new UsageError("give --mode client or --mode server");
  if (port === undefined) throw new UsageError("give --control-port");
  if (peerCid === undefined) throw new UsageError("give --peer-cid, the CID of the other side");
  const host = options.controlHost ?? (mode === "server" ? "0.0.0.0" : undefined);
  if (host === undefined) throw new UsageError("give --control-host, the server's address");
  const { program, protocol, pick = [], skip = [] } = options;
  const unknown = [...pick, ...skip].find((position) => position >= listOf(options).length);
  if (unknown !== undefined) {
    throw new UsageError(`${program} of ${protocol} has no test ${unknown}; see --list`);
  }
  ownFacts(mode, { peerCid, standIn: options.standIn });
  loadTimers();
  return await interruptible(async (stop) => {
    using channel = mode === "server"
      ? await acceptOne(host, port, stop)
      : await connectControl({ host, port }, CONNECT_TIME, stop);
    stop.addEventListener("abort", () => channel.close());
    const steps = await stepsOf({ ...options, peerCid }, mode, stop);
    let executed = 0;
    const passed = await runUpstream(channel, steps, {
      role: mode,
      lineTime: options.caseTimeout,
      lists: listsBeside(program, protocol),
      events: eventsOn(screen, options.program, () => executed++),
    });
    if (passed) screen.write(`${endText(executed, steps.length - executed)}\n`);
    return passed ? EXIT.ok : EXIT.failed;
  });
}

/** The summary of a session that has passed. */
function endText(executed: number, skipped: number): string {
  if (executed === 0) return `No test has been executed: all ${skipped} were skipped.`;
  if (skipped === 0) return "All tests have been executed, by both sides.";
  const tests = executed === 1 ? "1 test has" : `${executed} tests have`;
  return `${tests} been executed, by both sides; ${skipped} skipped.`;
}

/**
 * Shows a session as vsock_test does, and why a case was skipped or failed.
 *
 * @param onExecuted called for each case that neither side skipped.
 */
function eventsOn(screen: Screen, program: Program, onExecuted: () => void): UpstreamEvents {
  return {
    onStart: ({ position, name }) => screen.write(`${position} - ${name}...`),
    onEnd({ name, skip = [] }, result) {
      if (result.outcome === "skipped") {
        screen.write("skipped\n");
        for (const reason of skip) screen.write(`  ${oneLine(reason)}\n`);
        return;
      }
      onExecuted();
      const { state, reasons, step } = result.report;
      screen.write(state === "pass" ? "ok\n" : `${state}\n`);
      for (const reason of reasons) screen.write(`  ${oneLine(reason)}\n`);
      if (state === "pass") return;
      screen.write(`  last step: ${oneLine(step)}\n`);
      const others = versionsWithOther(program, name).map((version) => `upstream:${version}`);
      if (others.length === 0) return;
      screen.write(`  another case has that name in ${others}: is this the peer's --protocol?\n`);
    },
  };
}

/** The list of tests chosen by the options. */
function listOf({ program, protocol }: Pick<VsockTestOptions, "program" | "protocol">) {
  return upstreamList(program, protocol.slice("upstream:".length) as UpstreamVersion);
}

/** The lists that a peer may have: other versions of the program, other programs of the version. */
function listsBeside(program: Program, protocol: typeof PROTOCOLS[number]): KnownList[] {
  const others = PROGRAMS.filter((other) => other !== program);
  return [
    ...PROTOCOLS.map((name) => ({ name, list: listOf({ program, protocol: name }) })),
    ...others.map((other) => ({
      name: `${protocol} --program ${other}`,
      list: listOf({ program: other, protocol }),
    })),
  ].map(({ name, list }) => ({ name, length: list.length }));
}

async function stepsOf(
  options: VsockTestOptions & { readonly peerCid: number },
  role: Role,
  stop: AbortSignal,
): Promise<UpstreamStep[]> {
  const runSide = sideRunner(options);
  const picked = new Set(options.pick);
  const skipped = new Set(options.skip);
  const list = listOf(options);
  const steps: UpstreamStep[] = [];
  // One after the other, since checking a need may require that no socket is open.
  for (const entry of list) {
    const wanted = (picked.size === 0 || picked.has(entry.position)) &&
      !skipped.has(entry.position);
    steps.push(await stepOf(entry, wanted, options, role, runSide, stop));
  }
  return steps;
}

async function stepOf(
  { position, name, case: definition }: UpstreamEntry,
  wanted: boolean,
  options: VsockTestOptions & { readonly peerCid: number },
  role: Role,
  runSide: SideRunner,
  stop: AbortSignal,
): Promise<UpstreamStep> {
  if (!wanted) return { position, name, run: undefined };
  if (definition === undefined) {
    const skip = [`in ${options.protocol} a different case has that name`];
    return { position, name, run: undefined, skip };
  }
  // A case cannot be abandoned halfway, so check its needs before it begins.
  const skip = await lackingHere(definition, role, options, options.peerPort);
  if (skip.length > 0) return { position, name, run: undefined, skip };
  const run: UpstreamStep["run"] = (lines) =>
    runSide({
      run: position,
      id: definition.id,
      role,
      port: options.peerPort,
      // The C program draws its own numbers, so the two sides cannot agree on a seed.
      seed: seedFor(position, definition.id),
      timeout: deadlineOf(definition, options.caseTimeout),
      lines,
      stop,
      onStep: () => {},
    });
  return { position, name, run };
}

async function acceptOne(host: string, port: number, stop: AbortSignal): Promise<LineChannel> {
  using listener = listenControl({ host, port });
  stop.addEventListener("abort", () => listener.close());
  screenOf(Deno.stderr).write(`Control socket listening on ${showAddress({ host, port })}\n`);
  const connection = await listener.accept();
  connection.setNoDelay(true);
  return new LineChannel(connection);
}
