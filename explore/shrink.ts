/**
 * Makes a program that fails small: calls are left out, and numbers and flags made simpler, as long
 * as it still fails.
 *
 * @module
 */
import { madeBy, type SocketCall } from "../core/socket_call.ts";

/** Sizes and values that are simpler than others, the simplest first. */
const SIMPLE = [0, 1, 100, 4096, 65_536, 262_144];

/**
 * The smallest program that was found to fail.
 *
 * @param fails plays some calls, and gives anything but undefined where they fail in the same way.
 * @param isOver whether there is no more time.
 */
export async function shrink(
  calls: readonly SocketCall[],
  fails: (calls: readonly SocketCall[]) => Promise<unknown>,
  isOver: () => boolean,
): Promise<SocketCall[]> {
  let best = [...calls];
  const tries = async (some: readonly SocketCall[]): Promise<boolean> => {
    const whole = withoutStrangers(some);
    if (isOver() || whole.length === 0 || await fails(whole) === undefined) return false;
    best = whole;
    return true;
  };
  for (let before = -1; before !== sizeOf(best) && !isOver();) {
    before = sizeOf(best);
    await leaveOut(() => best, tries, isOver);
    for (let at = 0; at < best.length && !isOver(); at++) await simplify(() => best, at, tries);
  }
  return best;
}

/** Something that becomes smaller with every step. */
function sizeOf(calls: readonly SocketCall[]): number {
  return JSON.stringify(calls).length;
}

/** Leaves out runs of calls, long ones first. */
async function leaveOut(
  best: () => SocketCall[],
  tries: (calls: readonly SocketCall[]) => Promise<boolean>,
  isOver: () => boolean,
): Promise<void> {
  for (let length = Math.ceil(best().length / 2); length >= 1; length = Math.floor(length / 2)) {
    for (let at = best().length - length; at >= 0 && !isOver(); at -= length) {
      await tries([...best().slice(0, at), ...best().slice(at + length)]);
    }
  }
}

/** Makes one call simpler. */
async function simplify(
  best: () => SocketCall[],
  at: number,
  tries: (calls: readonly SocketCall[]) => Promise<boolean>,
): Promise<void> {
  const call = best()[at];
  if (call === undefined) return;
  for (const simpler of simplerCalls(call)) {
    if (await tries(best().with(at, simpler))) return;
  }
}

function simplerCalls(call: SocketCall): SocketCall[] {
  const below = (value: number) => SIMPLE.filter((simple) => simple < value);
  switch (call.call) {
    case "send":
    case "recv":
      return [
        ...(call.flags.length > 0 ? [{ ...call, flags: [] }] : []),
        ...(call.wait ? [{ ...call, wait: false }] : []),
        ...(call.pieces === undefined ? [] : [withoutPieces(call)]),
        ...below(call.length).map((length) => ({ ...call, length })),
      ];
    case "setsockopt":
      return below(call.value).map((value) => ({ ...call, value }));
    case "listen":
      return below(call.backlog).map((backlog) => ({ ...call, backlog }));
    default:
      return [];
  }
}

function withoutPieces(call: SocketCall & { readonly pieces?: number }): SocketCall {
  const { pieces: _, ...whole } = call;
  return whole as SocketCall;
}

/** Without calls on sockets that no call makes any more. */
function withoutStrangers(calls: readonly SocketCall[]): SocketCall[] {
  const made = new Set<number>();
  return calls.filter((call) => {
    const isKnown = call.call === "socket" || made.has(call.socket);
    const one = madeBy(call);
    if (isKnown && one !== undefined) made.add(one);
    return isKnown;
  });
}
