/**
 * The controller of one case: starts its sides on the two ends, forwards lines between them, and
 * combines their reports.
 *
 * @module
 */
import { type CaseInfo, deadlineOf, levelOf, type Role } from "../core/case.ts";
import { joinSides, type SideReport, type Verdict } from "../core/outcome.ts";
import type { Direction, Planned } from "../core/plan.ts";
import { seedFor } from "../core/random.ts";
import { NOTHING_LEFT } from "../core/parallel_leaks.ts";
import type { End } from "./end.ts";
import type { StartOrder } from "../control/wire.ts";
import { unlessAborted } from "../control/lines.ts";

/** How long after a case's deadline to wait for an end's report, in milliseconds. */
const REPORT_TIME = 5000;

/** How long to read reports that arrived in time after the deadline, in milliseconds. */
const LOOK_TIME = 200;

/** The two ends of a run; on loopback both are on one machine. */
export interface Ends {
  /** The end that accepts in the direction `host-server`. */
  readonly host: End;
  /** The end that accepts in the direction `guest-server`. */
  readonly guest: End;
}

/** The end for each role in a direction. */
export function rolesOf(direction: Direction, { host, guest }: Ends): Record<Role, End> {
  return direction === "guest-server"
    ? { client: host, server: guest }
    : { client: guest, server: host };
}

/** Options for running one case. */
export interface CaseOptions {
  /** The number of the case's run, which increases for all cases of a controller. */
  readonly run: number;
  /** The two ends. */
  readonly ends: Ends;
  /** The AF_VSOCK port of the server; the next one is used as well. */
  readonly port: number;
  /** A case's usual deadline, in milliseconds. */
  readonly timeout: number;
  /** The seed of the round. */
  readonly seed: number;
  /** Whether other cases may run at the same time. */
  readonly parallel?: boolean;
  /** Ends the case without a verdict if aborted. */
  readonly stop?: AbortSignal | undefined;
}

const OTHER: Readonly<Record<Role, Role>> = { client: "server", server: "client" };

/** The reports of both sides of a case. */
export type Sides = Readonly<Record<Role, SideReport>>;

/**
 * Runs one case of a plan on both ends. If an end is lost meanwhile, the case is broken.
 *
 * @throws the reason of `stop`, if that is aborted.
 */
export async function runSides(planned: Planned, options: CaseOptions): Promise<Sides> {
  const ends = rolesOf(planned.direction, options.ends);
  const { run, stop = new AbortController().signal } = options;
  const timeout = deadlineOf(planned.case, options.timeout);
  const late = new Lateness(ends, planned.case.id === NOTHING_LEFT.id);
  late.after(timeout + REPORT_TIME);
  const side = async (role: Role): Promise<SideReport> => {
    const other = ends[OTHER[role]];
    const stopOther = (why: string) => other.order({ type: "stop", run, why });
    const report = await ends[role].run(orderOf(planned, role, timeout, options), {
      onLine: (text) => other.order({ type: "line", run, text }),
      onLost: () => {
        late.after(ends[role].returnTime + REPORT_TIME);
        stopOther(`lost contact with the ${role}`);
      },
    });
    late.reported(role);
    if (report.state !== "pass") stopOther(`the ${role} reported ${report.state}`);
    return report;
  };
  try {
    const sides = Promise.all([side("client"), side("server")]);
    const [client, server] = await unlessAborted(sides, stop);
    return { client, server };
  } finally {
    late.forget();
  }
}

/** The verdict on a case of a plan, from both sides' reports. */
export function judgeSides(planned: Planned, ends: Ends, sides: Sides): Verdict {
  const names = namesOf(planned, rolesOf(planned.direction, ends));
  return joinSides(sides, levelOf(planned.case) ?? "must", names);
}

/** Abandons ends that do not report in time. */
class Lateness {
  readonly #left = new Set<Role>(["client", "server"]);
  readonly #ends: Readonly<Record<Role, End>>;
  readonly #checksLeaks: boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param checksLeaks whether the ends check for leaks. */
  constructor(ends: Readonly<Record<Role, End>>, checksLeaks: boolean) {
    this.#ends = ends;
    this.#checksLeaks = checksLeaks;
  }

  /** Sets the deadline, in milliseconds from now, plus the time of a leak check. */
  after(milliseconds: number): void {
    clearTimeout(this.#timer);
    const abandon = () => {
      for (const role of this.#left) this.#ends[role].abandon("no report before the deadline");
    };
    // If this process was delayed, reports that arrived in time are seen only now.
    const readOn = () => this.#timer = setTimeout(abandon, LOOK_TIME);
    this.#timer = setTimeout(readOn, milliseconds + (this.#checksLeaks ? this.#leakTime : 0));
  }

  /** How long the ends may check for leaks, in milliseconds. */
  get #leakTime(): number {
    return Math.max(
      ...Object.values(this.#ends).map(({ facts }) => facts.leaks?.milliseconds ?? 0),
    );
  }

  reported(role: Role): void {
    this.#left.delete(role);
  }

  /** The case is over. */
  forget(): void {
    clearTimeout(this.#timer);
  }
}

function orderOf(planned: Planned, role: Role, timeout: number, options: CaseOptions): StartOrder {
  const { id } = planned.case satisfies CaseInfo;
  const { run, port, seed } = options;
  return { type: "start", run, id, role, port, seed: seedFor(seed, id), timeout };
}

function namesOf({ direction }: Planned, ends: Readonly<Record<Role, End>>) {
  if (direction === "loopback") return undefined;
  return { client: `client (${ends.client.name})`, server: `server (${ends.server.name})` };
}

/** Closes the connections to the agents. */
export function closeEnds({ host, guest }: Ends): void {
  host.close();
  guest.close();
}
