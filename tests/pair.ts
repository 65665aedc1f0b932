/**
 * Both sides of a case in one process, over AF_UNIX: either may be given something that errs.
 *
 * @module
 */
import { levelOf, type Role } from "../core/case.ts";
import { joinSides, type SideReport, type Verdict } from "../core/outcome.ts";
import { LineQueue } from "../peer/lines.ts";
import { executeSide, type SideOptions } from "../suites/execute.ts";
import type { ConformanceCase } from "../suites/kit.ts";
import { unixStandIn } from "../sys/structs.ts";

/** What a side is given beside or instead of what it usually has. */
export type Overrides = Partial<Record<Role, Partial<SideOptions>>>;

/** Deadline of a case, in milliseconds. */
const TIMEOUT = 5000;

let pairs = 0;

/** Runs both sides, ends the other when one does not pass, and gives the verdict. */
export async function runPair(
  definition: ConformanceCase,
  overrides: Overrides = {},
): Promise<Verdict> {
  const family = unixStandIn(`pair/${Deno.pid}/${pairs++}`);
  const queues = { client: new LineQueue(), server: new LineQueue() };
  const stops = { client: new AbortController(), server: new AbortController() };
  const side = async (role: Role, other: Role): Promise<SideReport> => {
    const report = await executeSide(definition, role, {
      family,
      peerCid: 1,
      port: 1234,
      seed: 1,
      timeout: TIMEOUT,
      lines: {
        write: (line) => Promise.resolve(queues[other].push(line)),
        read: (signal) => queues[role].read(signal),
      },
      stop: stops[role].signal,
      ...overrides[role],
    });
    if (report.state !== "pass") stops[other].abort(new Error(`the ${role}: ${report.state}`));
    return report;
  };
  const [client, server] = await Promise.all([side("client", "server"), side("server", "client")]);
  return joinSides({ client, server }, levelOf(definition) ?? "must");
}
