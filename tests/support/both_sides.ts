/**
 * Runs both sides of a case in this process, as a controller would on two ends.
 *
 * @module
 */
import { levelOf, type Role } from "../../core/case.ts";
import { joinSides, type SideReport, type Verdict } from "../../core/outcome.ts";
import { LineQueue } from "../../control/lines.ts";
import { executeSide, type SideOptions } from "../../agent/execute.ts";
import type { ConformanceCase } from "../../kit/mod.ts";
import { freshFamily } from "./unix_pair.ts";

/** What each side is given beside or instead of what it usually has. */
export type BothSides = Partial<Record<Role, Partial<SideOptions>>>;

/** The deadline of a case whose test says nothing else, in milliseconds: one that hangs reaches it. */
const TIMEOUT = 60_000;

/** Runs a case over AF_UNIX and joins what both sides report. */
export async function runBothSides(
  definition: ConformanceCase,
  options: BothSides = {},
): Promise<Verdict> {
  const family = freshFamily();
  const queues = { client: new LineQueue(), server: new LineQueue() };
  const stops = { client: new AbortController(), server: new AbortController() };
  const side = async (role: Role, other: Role): Promise<SideReport> => {
    const report = await executeSide(definition, role, {
      family,
      peerCid: 1,
      port: 1,
      seed: 1,
      timeout: TIMEOUT,
      lines: {
        write: (line) => Promise.resolve(queues[other].push(line)),
        read: (signal) => queues[role].read(signal),
      },
      stop: stops[role].signal,
      ...options[role],
    });
    if (report.state !== "pass") stops[other].abort(new Error(`the ${role} ${report.state}`));
    return report;
  };
  const [client, server] = await Promise.all([side("client", "server"), side("server", "client")]);
  return joinSides({ client, server }, levelOf(definition) ?? "must");
}
