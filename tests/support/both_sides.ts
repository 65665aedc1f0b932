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
import type { AddressFamily } from "../../sys/structs.ts";

/** The classes of the two sides' sockets, where these are, and how long each may take. */
export interface BothSides {
  readonly client: typeof Socket;
  readonly server: typeof Socket;
  readonly family: AddressFamily;
  /** The server's port; the next one is the case's as well. */
  readonly port: number;
  /** The deadline of each side, in milliseconds. */
  readonly timeout: Readonly<Record<Role, number>>;
}

/** The CID of loopback: both sides are in this process. */
const PEER_CID = 1;

/** Runs a case and joins what both sides report. */
export async function runBothSides(
  definition: ConformanceCase,
  { client, server, family, port, timeout }: BothSides,
): Promise<Verdict> {
  const queues = { client: new LineQueue(), server: new LineQueue() };
  const stops = { client: new AbortController(), server: new AbortController() };
  const side = async (
    role: Role,
    other: Role,
    socketClass: typeof Socket,
  ): Promise<SideReport> => {
    const report = await executeSide(definition, role, {
      family,
      peerCid: PEER_CID,
      port,
      seed: 1,
      timeout: timeout[role],
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
