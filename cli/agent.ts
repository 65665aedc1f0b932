/**
 * The command `agent`: waits for a controller and runs its side of the cases, in a process that is
 * restarted when a case kills it.
 *
 * @module
 */
import { EXIT } from "../core/outcome.ts";
import { signalName } from "../core/signal_name.ts";
import { withCounters } from "../agent/counters_side.ts";
import { withPuppet } from "../agent/puppet_side.ts";
import type { AgentServices, RecoveredReport, SideRunner } from "../agent/session.ts";
import { listenControl, showAddress } from "../control/channel.ts";
import type { PortRange } from "../control/greeting.ts";
import type { Machine } from "../sys/machine.ts";
import { dieWithParent } from "../sys/process.ts";
import { type AccessOptions, agentToken, isLoopback } from "./access.ts";
import type { KernelWatch } from "../agent/kernel_log_watch.ts";
import { setBack, type Settings, settingsNow } from "../agent/left_settings.ts";
import {
  kernelStateHere,
  loadTimers,
  machineDetails,
  monitorTrouble,
  ownFacts,
  sideRunner,
} from "../agent/side.ts";
import { sideArguments, SupervisedAgent } from "../agent/supervisor.ts";
import {
  CrashJournal,
  killedWhenLate,
  type PreviousProcess,
  recoveredReports,
} from "../agent/crash_journal.ts";
import { log, Waiter } from "../agent/waiter.ts";
import { UsageError } from "../core/error.ts";
import { Watches } from "../agent/watches.ts";
import { addCaseFiles } from "./case_files.ts";
import { interruptible } from "./signals.ts";
import { familyOf, isOfVsock, type SideSettings } from "../agent/settings.ts";

/** Options of `agent`. */
export interface AgentOptions extends SideSettings, AccessOptions {
  /** The AF_VSOCK ports that its cases may use. */
  readonly ports: PortRange;
  readonly once?: boolean | undefined;
  /** The file of its crash journal, if this process is run by a supervisor. */
  readonly crashJournal?: string | undefined;
  /** The exit status of the previous process, as in a shell. */
  readonly after?: number | undefined;
}

/** Serves controllers, one after the other, until it is interrupted (or once). */
export function agent(options: AgentOptions): Promise<number> {
  return options.crashJournal === undefined
    ? supervise(options)
    : serve(options, options.crashJournal);
}

function supervise(options: AgentOptions): Promise<number> {
  return interruptible(async (stop) => {
    // Report errors in them once, before the agent starts.
    await addCaseFiles(options.cases);
    // The guest may be started later than this agent.
    const trouble = await monitorTrouble(options);
    if (trouble !== undefined) log(`${trouble}; until there is one, cases that need it are broken`);
    const { once, allowAnyone, ports: [first, last] } = options;
    const args = [
      ...sideArguments(options),
      ...["--ports", `${first}-${last}`],
      ...(once ? ["--once"] : []),
      ...(allowAnyone ? ["--allow-anyone"] : []),
    ];
    const { token, isNew } = await agentToken(options);
    const listen = showAddress(options.listen);
    await using agent = await SupervisedAgent.start({ args, listen, token });
    stop.addEventListener("abort", () => agent[Symbol.asyncDispose]());
    agent.listening.then((address) => {
      log(`listening on ${showAddress(address)}`);
      if (isNew) log(`it serves controllers that know its token: run --token ${token}`);
    }, () => {});
    return await agent.ended;
  });
}

function serve(options: AgentOptions, path: string): Promise<number> {
  return interruptible(async (stop) => {
    dieWithParent();
    loadTimers();
    await addCaseFiles(options.cases);
    const { token } = await agentToken({ ...options, listen: THIS_MACHINE });
    using journal = CrashJournal.open(path);
    const { previous } = journal;
    const settings = settingsOf(options, previous);
    using watches = await Watches.open(options, previous?.kernel);
    const offered = services(options, journal, watches, await machineDetails(), token);
    using listener = listenControl({
      ...options.listen,
      port: previous?.port ?? options.listen.port,
    });
    stop.addEventListener("abort", () => listener.close());
    const { hostname, port } = listener.addr as Deno.NetAddr;
    requireToken(token, hostname, options);
    journal.note({ port, settings });
    Deno.stdout.writeSync(new TextEncoder().encode(`${showAddress({ host: hostname, port })}\n`));
    const waiter = new Waiter(offered, (when) => logFaults(watches.log, when), stop);
    await waiter.serveAll(listener, options.once === true);
    return EXIT.ok;
  });
}

/** The machine's settings before the first case; restores those that the previous process left. */
function settingsOf(options: SideSettings, previous: PreviousProcess | undefined): Settings {
  if (!isOfVsock(options)) return {};
  const before = previous?.settings ?? settingsNow();
  for (const line of setBack(before)) log(line);
  return before;
}

/** For {@linkcode agentToken}: a supervised process does not generate a token. */
const THIS_MACHINE = { host: "127.0.0.1", port: 0 };

/** @throws {UsageError} if anyone but this machine's users could use the agent. */
function requireToken(
  token: string | undefined,
  host: string,
  { allowAnyone }: AccessOptions,
): void {
  if (token !== undefined || allowAnyone || isLoopback(host)) return;
  throw new UsageError(`others can reach ${host}: give --token-file or --allow-anyone`);
}

/** The services of this process, which continue those of the previous one. */
function services(
  options: AgentOptions,
  journal: CrashJournal,
  watches: Watches,
  machine: Machine,
  token: string | undefined,
): AgentServices {
  const { previous } = journal;
  const facts = { ...ownFacts("agent", options, watches.watched), ...machine };
  let remembered = previous === undefined
    ? undefined
    : recovered(previous, options.after, watches.log);
  // If this process dies, the next one must know the kernel's state before that.
  const note = () => journal.note({ kernel: watches.log.record });
  return {
    // Read when a run begins, since a kernel may be tainted at any time.
    get facts() {
      return { ...facts, ...kernelStateHere(options, watches.log) };
    },
    token,
    ports: options.ports,
    // Only the case has a deadline: the leak check may take longer.
    runSide: journal.around(watches.around(killedWhenLate(runnerOf(options)), note)),
    begin(session): readonly RecoveredReport[] | undefined {
      const mine = previous?.session === session ? remembered : undefined;
      remembered = undefined;
      if (mine === undefined) watches.log.begin();
      journal.note({ session });
      note();
      return mine;
    },
  };
}

/** Runs sides of cases and the calls that a controller draws, and reads the kernel's counters. */
function runnerOf(options: AgentOptions): SideRunner {
  const place = { family: familyOf(options), peerCid: options.peerCid };
  return withCounters(withPuppet(sideRunner(options), place));
}

function recovered(
  previous: PreviousProcess,
  status: number | undefined,
  watch: KernelWatch,
): RecoveredReport[] {
  const how = status === undefined ? "how is unknown" : howEnded(status);
  const splats = watch.look();
  const reports = recoveredReports(previous, how, { splats, harm: watch.harm });
  // If there are reports, they contain the faults.
  for (const [first] of reports.length > 0 ? [] : splats) log(`its kernel reported: ${first}`);
  log(`the previous process ended (${how}) with ${reports.length} cases under way`);
  return reports;
}

/** How a process ended, from its exit status as in a shell. */
function howEnded(status: number): string {
  const signal = status - 128;
  return signal > 0 ? signalName(signal) ?? `signal ${signal}` : `exit code ${status}`;
}

/** Logs faults that will not be in a case's report. */
function logFaults(watch: KernelWatch, when: string): void {
  for (const [first] of watch.look()) log(`${when} the kernel reported: ${first}`);
}
