/**
 * What a call most likely answers: by it programs are drawn ahead of being played, and a kernel is
 * played that does just what the model says.
 *
 * @module
 */
import type { CallAnswer, SocketCall } from "../core/socket_call.ts";
import type { Model } from "../model/model.ts";
import type { Outcome } from "../model/outcome.ts";
import { type Segment, split } from "../model/state.ts";

/**
 * Takes an answer of a call for given, and gives it.
 *
 * @param choose which of those that are allowed; the most likely, where this is missing.
 */
export function foresee(
  model: Model,
  call: SocketCall,
  digestOf: (segments: readonly Segment[]) => number = () => 0,
  choose: (outcomes: readonly Outcome[]) => Outcome | undefined = ([first]) => first,
): CallAnswer {
  const outcome = choose(model.outcomes(call));
  if (outcome === undefined) throw new Error(`the model has no answer to ${call.call}`);
  const answer = likely(outcome, digestOf);
  outcome.then?.(answer);
  return answer;
}

/** The port of all addresses that the kernel chooses. */
const SOME_PORT = 50_000;

function likely(outcome: Outcome, digestOf: (segments: readonly Segment[]) => number): CallAnswer {
  const { errno, most = 0, flags = [], data = [], room = 0, address } = outcome;
  if (errno !== undefined) return { result: -1, errno };
  if (address !== undefined) return named(address);
  const stored = split(data, Math.min(most, room))[0];
  const digest = stored.length === 0 ? {} : { digest: digestOf(stored) };
  const has = flags.filter(({ is }) => is === true).map(({ flag }) => flag);
  return { result: most, flags: has, ...digest };
}

/** An address that fits. */
function named(address: NonNullable<Outcome["address"]>): CallAnswer {
  const ports = [SOME_PORT, 0xffffffff];
  const port = ports.find((port) => address({ result: 0, port }) === undefined);
  const known = /^port (\d+)$/.exec(address({ result: 0, port: -1 }) ?? "")?.[1];
  return { result: 0, cid: 1, port: port ?? Number(known) };
}
