/**
 * The command `run`: this machine, with an agent of its own, is one end; an agent elsewhere is the
 * other.
 *
 * @module
 */
import { monitorTrouble } from "../agent/side.ts";
import type { SideSettings } from "../agent/settings.ts";
import { UsageError } from "../core/error.ts";
import { portsOf } from "./access.ts";
import { type AgentElsewhere, placeOf, withEnds } from "./both_ends.ts";
import type { CasesOptions } from "./options/run.ts";
import { Session } from "./session.ts";
import { interruptible } from "./signals.ts";

/** Options of `run`. */
export interface RunOptions extends CasesOptions, SideSettings, AgentElsewhere {}

/** Runs the chosen cases against an agent. */
export function run(selectors: readonly string[], options: RunOptions): Promise<number> {
  const { topology } = placeOf(options.peerCid);
  return interruptible((stop) =>
    Session.reported(options, topology, stop, async (session) => {
      await session.choose(selectors);
      session.place(topology);
      const trouble = await monitorTrouble(options);
      if (trouble !== undefined) throw new UsageError(trouble);
      const ports = portsOf(options);
      return await withEnds({ ...options, ports }, stop, (ends) => session.runCases({ ends }));
    })
  );
}
