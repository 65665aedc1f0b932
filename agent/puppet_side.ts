/**
 * A puppet's side of a run: receives programs as lines, and answers each with a line.
 *
 * @module
 */
import { reasonOf } from "../core/error.ts";
import type { SideReport } from "../core/outcome.ts";
import { callText } from "../core/socket_call.ts";
import { decodeProgram, encodePlayed, NO_MORE, PUPPET, READY } from "../control/puppet_wire.ts";
import { Puppet, type PuppetPlace } from "../kit/puppet.ts";
import type { SideOrder, SideRunner } from "./session.ts";
import { reporter } from "./side_report.ts";

/** Wraps a runner so that it also plays programs if a controller asks for that. */
export function withPuppet(
  runSide: SideRunner,
  place: Omit<PuppetPlace, "port">,
): SideRunner {
  return (order) => order.id === PUPPET ? puppetSide(order, place) : runSide(order);
}

async function puppetSide(order: SideOrder, place: Omit<PuppetPlace, "port">): Promise<SideReport> {
  const report = reporter();
  const late = new AbortController();
  const why = new Error(`it had not ended after ${order.timeout / 1000} s`);
  const timer = setTimeout(() => late.abort(why), order.timeout);
  using puppet = new Puppet({ ...place, port: order.port });
  try {
    await order.lines.write(READY);
    for (;;) {
      const line = await order.lines.read(AbortSignal.any([order.stop, late.signal]));
      if (line === NO_MORE) return report("pass", []);
      const program = decodeProgram(line);
      order.onStep(program.calls.map(callText).join("; "));
      await order.lines.write(encodePlayed(puppet.play(program)));
    }
  } catch (error) {
    if (order.stop.aborted) return report("stopped", [reasonOf(order.stop.reason)]);
    return report(late.signal.aborted ? "timeout" : "broken", [reasonOf(error)]);
  } finally {
    clearTimeout(timer);
  }
}
