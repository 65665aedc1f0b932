/**
 * Runs both sides of a case in this process, as a controller would on two ends.
 *
 * @module
 */
import { levelOf, type Role } from "../../core/case.ts";
import { joinSides, type SideReport, type Verdict } from "../../core/outcome.ts";
import { LineQueue } from "../../peer/lines.ts";
import { executeSide } from "../../suites/execute.ts";
import type { ConformanceCase } from "../../suites/kit.ts";
import type { Socket } from "../../sys/socket.ts";
import { freshFamily } from "./unix_pair.ts";

/** The classes of the two sides' sockets, and the case's deadline in milliseconds. */
export interface BothSides {
  readonly client: typeof Socket;
  readonly server: typeof Socket;
  readonly timeout: number;
}

/** Runs a case over AF_UNIX and joins what both sides report. */
export async function runBothSides(
  definition: ConformanceCase,
  { client, server, timeout }: BothSides,
): Promise<Verdict> {
  const family = freshFamily();
  const queues = { client: new LineQueue(), server: new LineQueue() };
  const stops = { client: new AbortController(), server: new AbortController() };
  const side = async (
    role: Role,
    other: Role,
    socketClass: typeof Socket,
  ): Promise<SideReport> => {
    const report = await executeSide(definition, role, {
      family,
      peerCid: 1,
      port: 1,
      seed: 1,
      timeout,
      lines: {
        write: (line) => Promise.resolve(queues[other].push(line)),
        read: (signal) => queues[role].read(signal),
      },
      stop: stops[role].signal,
      socketClass,
    });
    if (report.state !== "pass") stops[other].abort(new Error(`the ${role} ${report.state}`));
    return report;
  };
  const [clientReport, serverReport] = await Promise.all([
    side("client", "server", client),
    side("server", "client", server),
  ]);
  const sides = { client: clientReport, server: serverReport };
  return joinSides(sides, levelOf(definition) ?? "must");
}
