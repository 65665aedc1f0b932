/**
 * Plays a finding again, as often as it was played when it was found.
 *
 * @module
 */
import type { Played, Program } from "../control/puppet_wire.ts";
import { Excuses } from "../model/excuses.ts";
import { AGAIN, type Player } from "./explore.ts";
import { type Breach, judge } from "./judge.ts";

/** How to play a finding again. */
export interface ReplayOptions {
  readonly player: Player;
  readonly program: Program;
  /** `uname -r` of the kernels, by which deviations are known. */
  readonly kernels: readonly string[];
  /** Takes no deviation. */
  readonly strict?: boolean | undefined;
}

/** What came of it. */
export interface Replay {
  readonly program: Program;
  /** How often an answer was not allowed, of how many times. */
  readonly happened: number;
  readonly times: number;
  /** The last such answer; where there was none, what was answered at last. */
  readonly played: Played;
  readonly breach?: Breach;
}

/** Plays a finding again. */
export async function replay(options: ReplayOptions): Promise<Replay> {
  const { player, program, kernels, strict = false } = options;
  let happened = 0;
  let played: Played = { answers: [] };
  let last: { played: Played; breach: Breach } | undefined;
  for (let i = 0; i < AGAIN; i++) {
    played = await player.play(program);
    const excuses = strict ? new Excuses([]) : Excuses.of(kernels);
    const { breach } = judge(program.calls, played, { excuses });
    if (breach === undefined) continue;
    happened++;
    last = { played, breach };
  }
  return { program, happened, times: AGAIN, ...(last ?? { played }) };
}
