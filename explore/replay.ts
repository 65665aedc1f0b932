/**
 * Plays a finding again, as often as it was played when it was found.
 *
 * @module
 */
import type { Played, Program } from "../control/puppet_wire.ts";
import { UsageError } from "../core/error.ts";
import { machinesOf } from "../core/socket_call.ts";
import { Excuses } from "../model/excuses.ts";
import { AGAIN, type Player } from "./explore.ts";
import { type Breach, judge } from "./judge.ts";
import { parseStory } from "./parse_story.ts";
import { breachText } from "./calls_text.ts";

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

/**
 * Plays a story once.
 *
 * @returns it with its answers, where one of them is not allowed.
 * @throws {UsageError} where its calls are made on other machines than these.
 */
export async function playStory(
  { player, story, isPair, kernels, strict }: Omit<ReplayOptions, "program"> & {
    readonly story: string;
    readonly isPair: boolean;
  },
): Promise<string | undefined> {
  const calls = parseStory(story);
  requireMachines(isPair, { calls });
  const played = await player.play({ calls });
  const excuses = strict ? new Excuses([]) : Excuses.of(kernels);
  const { breach } = judge(calls, played, { excuses });
  return breach === undefined ? undefined : breachText(calls, played, breach);
}

/** @throws {UsageError} where a program is one of other machines than these. */
export function requireMachines(isPair: boolean, { calls }: Program): void {
  const isPairs = machinesOf(calls).some((name) => name !== undefined);
  if (calls.length === 0 || isPair === isPairs) return;
  throw new UsageError(
    isPairs
      ? "These calls are made on two machines: give --topology guest-host, or the --peer-cid of " +
        "another machine"
      : "These calls are made on one machine: give --topology loopback, or --peer-cid 1",
  );
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
