/**
 * Standing in for the kernel's vsock_test and its two siblings: their options, their protocol,
 * their lists, their output.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import type { Role } from "../core/case.ts";
import { EXIT } from "../core/outcome.ts";
import { seedFor } from "../core/random.ts";
import { connectControl, LineChannel, listenControl, showAddress } from "../peer/channel.ts";
import { runUpstream, type UpstreamStep } from "../peer/upstream.ts";
import { screenOf } from "../report/terminal.ts";
import { upstreamList } from "../suites/upstream.ts";
import { type Program, PROGRAMS } from "../suites/upstream_programs.ts";
import { DEFAULT_CASE_TIMEOUT, DEFAULT_PORT, interruptible } from "./conduct.ts";
import { ownFacts, sideRunner } from "./side.ts";
import {
  cidOption,
  secondsOption,
  several,
  tcpPortOption,
  UsageError,
  vsockPortOption,
  wholeNumber,
} from "./usage.ts";

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
];
/** How long the peer may take to show up, in milliseconds. */
const CONNECT_TIME = 10_000;

/** Whether arguments are those of vsock_test: its options, and no command. */
export function isVsockTestCall(args: readonly string[]): boolean {
  return OPTIONS.some((option) => args[0]?.split("=")[0] === `--${option}`);
}

/** The command line of vsock_test. */
export function vsockTestCommand(act: (code: Promise<number>) => void) {
  const testId = several(wholeNumber(0, upstreamList().length - 1));
  return new Command("vsock-conformance")
    .description("Stands in for the kernel's vsock_test, on either side, opposite it or another.")
    .addOption(
      new Option("--program <name>", "whose list").choices(PROGRAMS).default(PROGRAMS[0]),
    )
    .addOption(new Option("--mode <role>", "role").choices(["client", "server"] as const))
    .option(
      "--control-host <host>",
      "server: address to listen on (0.0.0.0); client: to connect to",
    )
    .option("--control-port <port>", "TCP port of the control channel", tcpPortOption)
    .option("--peer-cid <cid>", "CID of the other side", cidOption)
    .option(
      "--peer-port <port>",
      "AF_VSOCK port; the next is used, too",
      vsockPortOption,
      DEFAULT_PORT,
    )
    .option("--list", "show the list and the test ids")
    .option("--pick <id>", "run this test only; may be given again", testId)
    .option("--skip <id>", "do not run this test; may be given again", testId)
    .option(
      "--case-timeout <seconds>",
      "deadline of a case, and of a line of the peer's",
      secondsOption,
      DEFAULT_CASE_TIMEOUT,
    )
    .addOption(new Option("--stand-in <name>", "AF_UNIX in AF_VSOCK's place").hideHelp())
    .action((options) => act(vsockTest(options)));
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
  readonly caseTimeout: number;
  readonly standIn?: string | undefined;
}

async function vsockTest(options: VsockTestOptions): Promise<number> {
  const screen = screenOf(Deno.stdout);
  if (options.list) {
    screen.write("ID\tTest name\n");
    for (const { position, name } of upstreamList(options.program)) {
      screen.write(`${position}\t${name}\n`);
    }
    return EXIT.ok;
  }
  const { mode, controlPort: port, peerCid } = options;
  if (mode === undefined) throw new UsageError("give --mode client or --mode server");
  if (port === undefined) throw new UsageError("give --control-port");
  if (peerCid === undefined) throw new UsageError("give --peer-cid, the CID of the other side");
  const host = options.controlHost ?? (mode === "server" ? "0.0.0.0" : undefined);
  if (host === undefined) throw new UsageError("give --control-host, the server's address");
  ownFacts(mode, { peerCid, standIn: options.standIn });
  const steps = stepsOf({ ...options, peerCid }, mode);
  return await interruptible(async (stop) => {
    using channel = mode === "server"
      ? await acceptOne(host, port, stop)
      : await connectControl({ host, port }, CONNECT_TIME, stop);
    stop.addEventListener("abort", () => channel.close());
    const passed = await runUpstream(channel, steps, {
      role: mode,
      lineTime: options.caseTimeout,
      events: {
        onStart: ({ position, name }) => screen.write(`${position} - ${name}...`),
        onEnd(_, result) {
          if (result.outcome === "skipped") return screen.write("skipped\n");
          const { state, reasons, step } = result.report;
          screen.write(state === "pass" ? "ok\n" : `${state}\n`);
          for (const reason of reasons) screen.write(`  ${reason}\n`);
          if (state !== "pass") screen.write(`  last step: ${step}\n`);
        },
      },
    });
    if (passed) screen.write("All tests have been executed, by both sides.\n");
    return passed ? EXIT.ok : EXIT.failed;
  });
}

function stepsOf(
  options: VsockTestOptions & { readonly peerCid: number },
  role: Role,
): UpstreamStep[] {
  const runSide = sideRunner(options);
  const picked = new Set(options.pick);
  const skipped = new Set(options.skip);
  const entries = upstreamList(options.program);
  const unknown = [...picked, ...skipped].find((id) => entries[id] === undefined);
  if (unknown !== undefined) {
    throw new UsageError(`${options.program} has no test ${unknown}; see --list`);
  }
  return entries.map(({ position, name, case: definition }) => {
    const wanted = (picked.size === 0 || picked.has(position)) && !skipped.has(position);
    if (definition === undefined || !wanted) return { position, name, run: undefined };
    return {
      position,
      name,
      run: (lines) =>
        runSide({
          id: definition.id,
          role,
          port: options.peerPort,
          // The C program draws its own numbers, so the two sides need not agree here.
          seed: seedFor(position, definition.id),
          timeout: options.caseTimeout,
          lines,
          stop: new AbortController().signal,
        }),
    };
  });
}

async function acceptOne(host: string, port: number, stop: AbortSignal): Promise<LineChannel> {
  using listener = listenControl({ host, port });
  stop.addEventListener("abort", () => listener.close());
  screenOf(Deno.stderr).write(`Control socket listening on ${showAddress({ host, port })}\n`);
  const connection = await listener.accept();
  connection.setNoDelay(true);
  return new LineChannel(connection);
}
