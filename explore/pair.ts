/**
 * Plays programs on two machines: the calls that one makes in a row are sent to it together.
 *
 * @module
 */
import { type CallAnswer, type MachineName, MACHINES, machinesOf } from "../core/socket_call.ts";
import type { Played, Program } from "../control/puppet_wire.ts";
import type { Player } from "./explore.ts";

/** Who makes the calls of each machine. */
export type PairOfPlayers = Readonly<Record<MachineName, Player>>;

/** Plays programs on two machines, as many at once as it has pairs of players. */
export class PairPlayer implements Player {
  readonly #free: PairOfPlayers[];
  readonly #waiting: ((pair: PairOfPlayers) => void)[] = [];

  /** @param pairs each on ports of its own. */
  constructor(pairs: readonly PairOfPlayers[]) {
    this.#free = [...pairs];
  }

  /** @throws whatever a player throws. */
  async play(program: Program): Promise<Played> {
    const pair = this.#free.shift() ??
      await new Promise<PairOfPlayers>((resolve) => this.#waiting.push(resolve));
    try {
      return await playOn(pair, program);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(pair);
      else next(pair);
    }
  }
}

async function playOn(pair: PairOfPlayers, { calls }: Program): Promise<Played> {
  const machines = machinesOf(calls);
  const answers: CallAnswer[] = [];
  let stalled: string | undefined;
  for (let at = 0; at < calls.length && stalled === undefined;) {
    const machine = machines[at] ?? MACHINES[0];
    const rest = machines.slice(at).findIndex((name) => (name ?? MACHINES[0]) !== machine);
    const end = rest < 0 ? calls.length : at + rest;
    const played = await pair[machine].play({ calls: calls.slice(at, end), more: true });
    answers.push(...played.answers);
    stalled = played.stalled;
    at = end;
  }
  const closed = await Promise.all(MACHINES.map((name) => pair[name].play({ calls: [] })));
  stalled ??= closed.find((played) => played.stalled !== undefined)?.stalled;
  return stalled === undefined ? { answers } : { answers, stalled };
}
