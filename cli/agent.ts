/**
 * The command `agent`: waits for a controller and runs its side of the cases, in a process that is
 * started anew where a case costs its life.
 *
 * @module
 */
import { reasonOf } from "../core/reason.ts";
import { EXIT } from "../core/outcome.ts";
import { type AgentServices, type Inherited, serveController } from "../peer/agent.ts";
import { type ControlAddress, LineChannel, listenControl, showAddress } from "../peer/channel.ts";
import { mention } from "../report/terminal.ts";
import type { Machine } from "../sys/machine.ts";
import { dieWithParent } from "../sys/process.ts";
import { interruptible } from "./conduct.ts";
import type { KernelWatch } from "./kernel_watch.ts";
import {
  kernelStateHere,
  loadTimers,
  machineDetails,
  monitorTrouble,
  ownFacts,
  sideRunner,
  type SideSettings,
  Watches,
} from "./side.ts";
import { SupervisedAgent } from "./supervisor.ts";
import { inherited, killedWhenLate, type Left, Testament } from "./testament.ts";

/** How long a refused controller may take to introduce itself, in milliseconds. */
const REFUSAL_TIME = 1000;
/** How long a controller may take to leave when another is there already, in milliseconds. */
const LEAVE_TIME = 300;

/** Options of `agent`. */
export interface AgentOptions extends SideSettings {
  readonly listen: ControlAddress;
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
    ...["--peer-cid", `${peerCid}`],
    ...(standIn === undefined ? [] : ["--stand-in", standIn]),
    ...(exclusive ? ["--exclusive"] : []),
    ...(guestMonitor === undefined ? [] : ["--guest-monitor", guestMonitor]),
  ];
}

function supervise(options: AgentOptions): Promise<number> {
  return interruptible(async (stop) => {
    // The guest may be started later than this.
    const trouble = await monitorTrouble(options);
    if (trouble !== undefined) log(`${trouble}; cases that need it are broken until there is`);
    const args = [...sideArguments(options), ...(options.once ? ["--once"] : [])];
    await using agent = await SupervisedAgent.start({ args, listen: showAddress(options.listen) });
    stop.addEventListener("abort", () => agent[Symbol.asyncDispose]());
    agent.listening.then((address) => log(`listening on ${showAddress(address)}`), () => {});
    return await agent.ended;
  });
}

function serve(options: AgentOptions, path: string): Promise<number> {
  return interruptible(async (stop) => {
    dieWithParent();
    loadTimers();
    using testament = Testament.open(path);
    const { left } = testament;
    using watches = await Watches.open(options, left?.kernel);
    const offered = services(options, testament, watches, await machineDetails());
    using listener = listenControl({ ...options.listen, port: left?.port ?? options.listen.port });
    stop.addEventListener("abort", () => listener.close());
    const { hostname, port } = listener.addr as Deno.NetAddr;
    testament.note({ port });
    Deno.stdout.writeSync(new TextEncoder().encode(`${showAddress({ host: hostname, port })}\n`));
    return await new Waiter(offered, watches.log, stop).serveAll(listener, options.once === true);
  });
}

/** What this process offers to a controller, and what it knows of the process before. */
function services(
  options: AgentOptions,
  testament: Testament,
  watches: Watches,
  machine: Machine,
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

/** Takes controllers, one at a time. */
class Waiter {
  readonly #services: AgentServices;
  readonly #watch: KernelWatch;
  readonly #stop: AbortSignal;
  /** Settles when the controller has left that is being served; undefined where there is none. */
  #busy: Promise<void> | undefined;

  constructor(services: AgentServices, watch: KernelWatch, stop: AbortSignal) {
    this.#services = services;
    this.#watch = watch;
    this.#stop = stop;
  }

  /** Serves whoever comes; the first one only where that is said. */
  async serveAll(listener: Deno.TcpListener, once: boolean): Promise<number> {
    for (;;) {
      const connection = await listener.accept();
      const admitted = this.#admit(connection);
      if (once) {
        await admitted;
        return EXIT.ok;
      }
    }
  }

  /**
   * Serves a controller, or refuses it while there is another. One that comes right behind another
   * may be seen before the other's leaving is.
   */
  async #admit(connection: Deno.TcpConn): Promise<void> {
    const { promise: moment, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LEAVE_TIME);
    await Promise.race([this.#busy, moment]);
    clearTimeout(timer);
    if (this.#busy !== undefined) return await refuse(connection);
    this.#tell("before this controller came");
    await (this.#busy = this.#serve(connection).finally(() => {
      this.#busy = undefined;
      this.#tell("after the last case");
    }));
  }

  async #serve(connection: Deno.TcpConn): Promise<void> {
    const { hostname, port } = connection.remoteAddr;
    const from = showAddress({ host: hostname, port });
    log(`${from} connected`);
    connection.setNoDelay(true);
    // A controller whose machine vanished must not keep others away for ever.
    connection.setKeepAlive(true);
    using channel = new LineChannel(connection);
    const onStop = () => channel.close();
    this.#stop.addEventListener("abort", onStop, { once: true });
    try {
      await serveController(channel, this.#services);
      log(`${from} left`);
    } catch (error) {
      log(`${from}: ${reasonOf(error)}`);
    } finally {
      this.#stop.removeEventListener("abort", onStop);
    }
  }

  /** Says here what no case's report will. */
  #tell(when: string): void {
    for (const [first] of this.#watch.look()) log(`${when} the kernel reported: ${first}`);
  }
}

async function refuse(connection: Deno.TcpConn): Promise<void> {
  using channel = new LineChannel(connection);
  try {
    await channel.writeLine("REFUSED another controller is using this agent");
    // Closed while its greeting is unread, the connection would be reset, and the line lost.
    await channel.readLine(REFUSAL_TIME);
  } catch {
    // It left or said nothing: there is nobody to be told.
  }
}

function log(text: string): void {
  mention(`agent: ${text}\n`);
}
