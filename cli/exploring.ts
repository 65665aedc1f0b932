/**
 * Where exploring goes on: one machine with its loopback, or two with connections between them.
 *
 * @module
 */
import type { EndFacts } from "../core/event.ts";
import type { Topology } from "../core/plan.ts";
import type { Splat } from "../core/splat.ts";
import type { PortRange } from "../control/greeting.ts";
import { PORT_STRIDE } from "../control/wire.ts";
import type { Played, Program } from "../control/puppet_wire.ts";
import type { Player } from "../explore/explore.ts";
import { PairPlayer } from "../explore/pair.ts";
import type { Ends } from "../runner/case.ts";
import type { End } from "../runner/end.ts";
import { requirePorts } from "./access.ts";
import { PuppetLostError, PuppetPlayer } from "./puppet_player.ts";

/** How many programs two machines play at once: while one waits for the other, it plays another. */
const LANES = 3;

/** The machines, whose agents make calls until they are told that there are no more. */
export class Exploring implements Player, Disposable {
  readonly topology: Topology;
  /** Whether connections go from one machine to another. */
  readonly isPair: boolean;
  /** What the machines say of themselves. */
  readonly facts: readonly EndFacts[];
  /** `uname -r` of the kernels, each once. */
  readonly kernels: readonly string[];
  readonly #puppets: readonly PuppetPlayer[];
  readonly #player: Player;

  /**
   * Has the agents take programs.
   *
   * @param port the first of the AF_VSOCK ports that they use.
   * @param milliseconds how long that may last at most.
   * @throws {UsageError} where an agent does not let the ports be used.
   */
  constructor({ host, guest }: Ends, topology: Topology, port: number, milliseconds: number) {
    this.topology = topology;
    this.isPair = topology !== "loopback";
    const ends = this.isPair ? [host, guest] : [host];
    const lanes = this.isPair ? LANES : 1;
    const ports = exploringPorts(port, this.isPair);
    for (const end of ends) requirePorts(ports, end.ports);
    this.facts = ends.map(({ facts }) => facts);
    this.kernels = [...new Set(this.facts.map(({ kernel }) => kernel))];
    const own = (end: End, lane: number) =>
      new PuppetPlayer(end, port + lane * PORT_STRIDE, milliseconds, lane + 1);
    const pairs = Array.from({ length: lanes }, (_, lane) => ends.map((end) => own(end, lane)));
    this.#puppets = pairs.flat();
    const [first] = this.#puppets;
    if (first === undefined) throw new Error("there is no machine");
    this.#player = this.isPair
      ? new PairPlayer(pairs.map(([a = first, b = first]) => ({ host: a, guest: b })))
      : first;
  }

  /** @throws {PuppetLostError} with the calls of the whole program. */
  async play(program: Program): Promise<Played> {
    try {
      return await this.#player.play(program);
    } catch (error) {
      if (!(error instanceof PuppetLostError) || !this.isPair) throw error;
      throw new PuppetLostError(error.report, program.calls);
    }
  }

  /** Has no more programs; gives the faults that the kernels reported meanwhile. */
  async end(): Promise<Splat[]> {
    const reports = await Promise.all(this.#puppets.map((puppet) => puppet.end()));
    const splats = reports.flatMap((report) => report.splats ?? []);
    return [...new Map(splats.map((splat) => [splat.join("\n"), splat])).values()];
  }

  [Symbol.dispose](): void {
    for (const puppet of this.#puppets) puppet[Symbol.dispose]();
  }
}

/** The AF_VSOCK ports that are used, from the first one on. */
export function exploringPorts(first: number, isPair: boolean): PortRange {
  return [first, first + (isPair ? LANES : 1) * PORT_STRIDE - 1];
}
