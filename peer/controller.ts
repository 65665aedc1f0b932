/**
 * The controller of one case: starts its two sides on the two ends, carries their lines from one to
 * the other, and joins what they report. An end is an agent, here or over TCP.
 *
 * @module
 */
import { reasonOf } from "../core/reason.ts";
import { deadlineOf, levelOf, type Role } from "../core/case.ts";
import type { CaseInfo } from "../core/case.ts";
import type { EndFacts } from "../core/event.ts";
import { joinSides, type SideReport, type Verdict } from "../core/outcome.ts";
import type { Direction, Planned } from "../core/plan.ts";
import { seedFor } from "../core/random.ts";
import type { LineChannel } from "./channel.ts";
import { unlessAborted } from "./lines.ts";
import { decodeAnswer, decodeHello, encodeHello, encodeMessage, type Order } from "./wire.ts";

/** How long an end may take to introduce itself, in milliseconds. */
const HELLO_TIME = 30_000;
/** How long after a case's deadline an end's report is waited for, in milliseconds. */
const REPORT_TIME = 5000;

/** One end of a run, as its controller sees it. */
export class End {
  /** What it is called in reports: "host", "guest" or "loopback". */
  readonly name: string;
  /** What it says of itself. */
  readonly facts: EndFacts;
  readonly #channel: LineChannel;

  private constructor(name: string, facts: EndFacts, channel: LineChannel) {
    this.name = name;
    this.facts = facts;
    this.#channel = channel;
  }

  /**
   * Introduces the controller to an agent.
   *
   * @param name what to call this end: "host", "guest" or "loopback".
   * @param milliseconds how long it may take to answer.
   */
  static async open(
    name: string,
    channel: LineChannel,
    own: EndFacts,
    milliseconds: number = HELLO_TIME,
  ): Promise<End> {
    await channel.writeLine(encodeHello(own));
    const facts = decodeHello(await channel.readLine(milliseconds));
    return new End(name, { ...facts, name }, channel);
  }

  /** Tells the agent something. */
  order(order: Order): Promise<void> {
    return this.#channel.writeLine(encodeMessage(order));
  }

  /** Follows a case on this end to its report, giving away its lines as they come. */
  async follow(run: number, onLine: (text: string) => Promise<void>): Promise<SideReport> {
    for (;;) {
      const answer = decodeAnswer(await this.#channel.readLine());
      if (answer.run !== run) continue;
      if (answer.type === "done") return answer.report;
      await onLine(answer.text);
    }
  }

  /** Ends the connection. */
  close(): void {
    this.#channel.close();
  }
}

/** The two ends of a run; on loopback both are on one machine. */
export interface Ends {
  /** The end that accepts in the direction `host-server`. */
  readonly host: End;
  /** The end that accepts in the direction `guest-server`. */
  readonly guest: End;
}

/** A case cannot go on, nor any other: an end is lost. */
export class LostEndError extends Error {}

/** Which end plays which role in a direction. */
export function rolesOf(direction: Direction, { host, guest }: Ends): Record<Role, End> {
  return direction === "guest-server"
    ? { client: host, server: guest }
    : { client: guest, server: host };
}

/** How one case is run. */
export interface CaseOptions {
  /** Counts up over all cases that the ends are told to run. */
  readonly run: number;
  /** The two ends. */
  readonly ends: Ends;
  /** The AF_VSOCK port of the server; the next one is used as well. */
  readonly port: number;
  /** A case's usual deadline, in milliseconds. */
  readonly timeout: number;
  /** The seed of the round. */
  readonly seed: number;
  /** Ends the case without a verdict. */
  readonly stop?: AbortSignal | undefined;
}

/**
 * Runs one case of a plan on both ends.
 *
 * @throws {LostEndError} where an end is lost; the reason of `stop`, when that is aborted.
 */
export async function runCase(planned: Planned, options: CaseOptions): Promise<Verdict> {
  const { run } = options;
  if (planned.skip.length > 0) {
    return { outcome: "skip", reasons: planned.skip, milliseconds: 0 };
  }
  const ends = rolesOf(planned.direction, options.ends);
  const timeout = deadlineOf(planned.case, options.timeout);
  const leakTime = Math.max(
    ...Object.values(ends).map(({ facts }) => facts.leaks?.milliseconds ?? 0),
  );
  const order = (role: Role): Order => ({
    type: "start",
    run,
    id: planned.case.id,
    role,
    port: options.port,
    seed: seedFor(options.seed, planned.case.id),
    timeout,
  });
  const limit = new AbortController();
  const timer = setTimeout(
    () => limit.abort(new LostEndError("an end did not report in time")),
    timeout + leakTime + REPORT_TIME,
  );
  const interrupt = () => limit.abort(options.stop?.reason);
  options.stop?.addEventListener("abort", interrupt, { once: true });
  try {
    const side = async (role: Role, other: Role): Promise<SideReport> => {
      await reach(ends[role], ends[role].order(order(role)));
      const forward = (text: string) =>
        reach(ends[other], ends[other].order({ type: "line", run, text }));
      const report = await reach(ends[role], ends[role].follow(run, forward));
      if (report.state !== "pass") {
        const why = `the ${other === "client" ? "server" : "client"} reported ${report.state}`;
        await reach(ends[other], ends[other].order({ type: "stop", run, why }));
      }
      return report;
    };
    // One lost end ends the case at once; the other's rejection is then expected.
    const [client, server] = await unlessAborted(
      Promise.all([side("client", "server"), side("server", "client")]),
      limit.signal,
    );
    const names = planned.direction === "loopback"
      ? undefined
      : { client: `client (${ends.client.name})`, server: `server (${ends.server.name})` };
    return joinSides({ client, server }, levelOf(planned.case as CaseInfo) ?? "must", names);
  } finally {
    clearTimeout(timer);
    options.stop?.removeEventListener("abort", interrupt);
  }
}

/** Names the end with which something went wrong. */
async function reach<T>(end: End, promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof LostEndError) throw error;
    throw new LostEndError(`the ${end.name} is lost: ${reasonOf(error)}`, { cause: error });
  }
}
