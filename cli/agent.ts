/**
 * The command `agent`: waits for a controller and runs its side of the cases, in a process that is
 * started anew where a case costs its life.
 *
 * @module
 */
import { EXIT } from "../core/outcome.ts";
import type { AgentServices, Inherited } from "../agent/session.ts";
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
import { SupervisedAgent } from "../agent/supervisor.ts";
import { inherited, killedWhenLate, type Left, Testament } from "../agent/crash_journal.ts";
import { log, Waiter } from "../agent/waiter.ts";
import { UsageError } from "../core/error.ts";
import { Watches } from "../agent/watches.ts";
import { addCaseFiles } from "./case_files.ts";
import { caseFileArguments } from "./options/cases.ts";
import { interruptible } from "./signals.ts";
import type { SideSettings } from "../agent/settings.ts";

/** Options of `agent`. */
export interface AgentOptions extends SideSettings, AccessOptions {
  /** The AF_VSOCK ports that its cases may use. */
  readonly ports: PortRange;
  readonly once?: boolean | undefined;
  /** A file for what this process leaves; it is then one that another starts anew. */
  readonly testament?: string | undefined;
  /** With which status the process before this one ended, as a shell has it. */
  readonly after?: number | undefined;
}

/** Serves controllers, one after the other, until it is interrupted (or once). */
export function agent(options: AgentOptions): Promise<number> {
  return options.testament === undefined ? supervise(options) : serve(options, options.testament);
}

/** Arguments that make another process the same side. */
export function sideArguments(settings: SideSettings): string[] {
  const { peerCid, standIn, exclusive, guestMonitor } = settings;
  return [
    ...caseFileArguments(settings),
    ...["--peer-cid", `${peerCid}`],
    ...(standIn === undefined ? [] : ["--stand-in", standIn]),
    ...(exclusive ? ["--exclusive"] : []),
    ...(guestMonitor === undefined ? [] : ["--guest-monitor", guestMonitor]),
  ];
}

function supervise(options: AgentOptions): Promise<number> {
  return interruptible(async (stop) => {
    // What is wrong with them is said once, before there is an agent.
    await addCaseFiles(options.cases);
    // The guest may be started later than this.
    const trouble = await monitorTrouble(options);
    if (trouble !== undefined) log(`${trouble}; cases that need it are broken until there is`);
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
      if (isNew) log(`it serves whoever gives its token: run --token ${token}`);
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
    using testament = Testament.open(path);
    const { left } = testament;
    const settings = settingsOf(options, left);
    using watches = await Watches.open(options, left?.kernel);
    const offered = services(options, testament, watches, await machineDetails(), token);
    using listener = listenControl({ ...options.listen, port: left?.port ?? options.listen.port });
    stop.addEventListener("abort", () => listener.close());
    const { hostname, port } = listener.addr as Deno.NetAddr;
    requireToken(token, hostname, options);
    testament.note({ port, settings });
    Deno.stdout.writeSync(new TextEncoder().encode(`${showAddress({ host: hostname, port })}\n`));
    const waiter = new Waiter(offered, (when) => tell(watches.log, when), stop);
    await waiter.serveAll(listener, options.once === true);
    return EXIT.ok;
  });
}

/** The machine's settings as they were before the first case: what the last one left is undone. */
function settingsOf({ standIn }: SideSettings, left: Left | undefined): Settings {
  if (standIn !== undefined) return {};
  const before = left?.settings ?? settingsNow();
  for (const line of setBack(before)) log(line);
  return before;
}

/** For {@linkcode agentToken}: a process that another one starts makes no token of its own. */
const THIS_MACHINE = { host: "127.0.0.1", port: 0 };

/** @throws {UsageError} where others than this machine's users could use the agent. */
function requireToken(
  token: string | undefined,
  host: string,
  { allowAnyone }: AccessOptions,
): void {
  if (token !== undefined || allowAnyone || isLoopback(host)) return;
  throw new UsageError(`others can reach ${host}: give --token-file or --allow-anyone`);
}

/** What this process offers to a controller, and what it knows of the process before. */
function services(
  options: AgentOptions,
  testament: Testament,
  watches: Watches,
  machine: Machine,
  token: string | undefined,
): AgentServices {
  const { left } = testament;
  const facts = { ...ownFacts("agent", options, watches.watched), ...machine };
  let remembered = left === undefined ? undefined : inherit(left, options.after, watches.log);
  // Where this process dies, the next one must know what the kernel was like before.
  const note = () => testament.note({ kernel: watches.log.record });
  return {
    // A kernel may be tainted at any time, and what counts is how it is when a run begins.
    get facts() {
      return { ...facts, ...kernelStateHere(options, watches.log) };
    },
    token,
    ports: options.ports,
    // What is left behind is looked for beyond a case's deadline, so only the case itself is timed.
    runSide: testament.around(watches.around(killedWhenLate(sideRunner(options)), note)),
    begin(session): readonly Inherited[] | undefined {
      const mine = left?.session === session ? remembered : undefined;
      remembered = undefined;
      if (mine === undefined) watches.log.begin();
      testament.note({ session });
      note();
      return mine;
    },
  };
}

function inherit(left: Left, status: number | undefined, watch: KernelWatch): Inherited[] {
  const how = status === undefined ? "how is unknown" : howEnded(status);
  const splats = watch.look();
  const reports = inherited(left, how, { splats, harm: watch.harm });
  // Otherwise they are in those reports.
  for (const [first] of reports.length > 0 ? [] : splats) log(`its kernel reported: ${first}`);
  log(`the process before ended (${how}) with ${reports.length} cases under way`);
  return reports;
}

/** Signals by which a process may end, as a shell's status has them, above 128. */
const SIGNALS: Readonly<Record<number, Deno.Signal>> = {
  4: "SIGILL",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  15: "SIGTERM",
};

function howEnded(status: number): string {
  return status > 128 ? SIGNALS[status - 128] ?? `signal ${status - 128}` : `exit code ${status}`;
}

/** Says here what no case's report will. */
function tell(watch: KernelWatch, when: string): void {
  for (const [first] of watch.look()) log(`${when} the kernel reported: ${first}`);
}
