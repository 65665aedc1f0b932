/**
 * The cases in four pairings: vsock-conformance and the kernel's C programs, on either side, in the
 * kernel's protocol. If all four agree, a ported case means the same as the original.
 *
 * @module
 */
import type { Direction } from "../core/plan.ts";
import { C_FOLDER } from "../lab/c_programs/kernel_tests.ts";
import { judgeSession, type ProgramRun } from "./output.ts";
import { CaseClock } from "./times.ts";
import { runPair } from "../lab/script_pair.ts";
import type { Progress } from "../lab/progress.ts";
import { runScript } from "../lab/vm/shell.ts";
import type { LabAddress } from "../lab/types.ts";
import { CONTROL_PORT, GUEST_CID, GUEST_CONTROL_PORT, HOST_ADDRESS } from "../lab/layout.ts";
import { type InteropCase, type InteropCell, type Pairing, PAIRINGS } from "./cell.ts";

/** How long two programs may take for their list, in milliseconds: some C cases never end. */
const SESSION_TIME = 300_000;
/**
 * C programs without --skip. It is enough if the other side has it; two of them run everything
 * again, and the cases after one that fails again fail with it.
 */
const CANNOT_SKIP: readonly string[] = ["vsock_uring_test"];
/** The deadline of a case of vsock-conformance, in seconds. */
const CASE_SECONDS = 30;

/** What two programs run against each other. */
export interface InteropSession {
  readonly direction: Direction;
  readonly pairing: Pairing;
  /** The C program, which vsock-conformance may stand in for. */
  readonly program: string;
  /** Cases of its list, in that order. */
  readonly cases: readonly InteropCase[];
}

/**
 * All four pairings in each direction. The short lists come first: the first case of
 * vsock_diag_test expects that there is no socket on the machine, not even one that is closing.
 */
export function interopSessions(
  directions: readonly Direction[],
  cases: readonly InteropCase[],
): InteropSession[] {
  const lists = [...Map.groupBy(cases, ({ program }) => program)]
    .sort(([, [one]], [, [other]]) => (one?.listLength ?? 0) - (other?.listLength ?? 0));
  return directions.flatMap((direction) =>
    lists.flatMap(([program, list]) =>
      PAIRINGS.map((pairing) => ({ direction, pairing, program, cases: list }))
    )
  );
}

/** Runs a session in a lab. */
export async function runSession(
  address: LabAddress,
  { direction, pairing, program, cases }: InteropSession,
  progress: Progress,
  stop: AbortSignal,
): Promise<InteropCell[]> {
  const ends = endsOf(address, direction);
  const text = `${direction}, ${program}: ${pairing.server} accepts, ${pairing.client} connects`;
  const run: Session = (skipped) => session(program, pairing, ends, skipped, stop);
  const found = await progress.phase(program, text, () => verdicts(cases, run));
  return found.map((cell) => ({ ...cell, pairing, direction }));
}

/** Runs two programs that skip these positions: the server's run and the client's. */
type Session = (skipped: readonly number[]) => Promise<readonly [ProgramRun, ProgramRun]>;

/**
 * The verdicts on some cases of a list, which are given in the list's order. A failure ends both
 * programs, so later cases are run by two new ones.
 */
export async function verdicts(
  list: readonly InteropCase[],
  run: Session,
): Promise<Omit<InteropCell, "pairing" | "direction">[]> {
  const found: Omit<InteropCell, "pairing" | "direction">[] = [];
  let wanted = list;
  while (wanted.length > 0) {
    const positions = wanted.map(({ position }) => position);
    const all = Array.from({ length: list[0]?.listLength ?? 0 }, (_, position) => position);
    const [server, client] = await run(all.filter((position) => !positions.includes(position)));
    const { cells, left } = judgeSession(positions, server, client);
    for (const info of wanted) {
      const cell = cells.get(info.position);
      const milliseconds = client.times?.get(info.position);
      if (cell !== undefined) found.push({ ...cell, case: info, milliseconds });
    }
    wanted = wanted.filter(({ position }) => left.includes(position));
  }
  return found;
}

/** Where a program runs, and how it finds the other one. */
interface PlayerEnd {
  readonly shell: string;
  readonly peerCid: number;
  /** `--control-host` and `--control-port`. */
  readonly control: readonly [string, number];
}

function endsOf(
  { vms: [outer, inner = outer] }: LabAddress,
  direction: Direction,
): Readonly<Record<"server" | "client", PlayerEnd>> {
  const [host, guest] = [outer.shell, inner.shell];
  const listen = ["0.0.0.0", CONTROL_PORT] as const;
  switch (direction) {
    case "loopback":
      return {
        server: { shell: host, peerCid: 1, control: listen },
        client: { shell: host, peerCid: 1, control: ["127.0.0.1", CONTROL_PORT] },
      };
    case "host-server":
      return {
        server: { shell: host, peerCid: GUEST_CID, control: listen },
        client: { shell: guest, peerCid: 2, control: [HOST_ADDRESS, CONTROL_PORT] },
      };
    case "guest-server":
      return {
        server: { shell: guest, peerCid: 2, control: listen },
        client: { shell: host, peerCid: GUEST_CID, control: ["127.0.0.1", GUEST_CONTROL_PORT] },
      };
  }
}

async function session(
  program: string,
  pairing: Pairing,
  ends: Readonly<Record<"server" | "client", PlayerEnd>>,
  skipped: readonly number[],
  stop: AbortSignal,
): Promise<readonly [ProgramRun, ProgramRun]> {
  const command = (role: "server" | "client") => {
    const { peerCid, control: [host, port] } = ends[role];
    return [
      `timeout -s KILL ${SESSION_TIME / 1000}`,
      pairing[role] === "C"
        ? `/${C_FOLDER}/${program}`
        : `deno run -A /app/vsock-conformance.js --program ${program}`,
      `--mode=${role} --control-host=${host} --control-port=${port} --peer-cid=${peerCid}`,
      ...(pairing[role] === "ours" ? [`--case-timeout=${CASE_SECONDS}`] : []),
      ...(pairing[role] === "C" && CANNOT_SKIP.includes(program)
        ? []
        : skipped.map((position) => `--skip=${position}`)),
    ].join(" ");
  };
  const clock = new CaseClock();
  const { server, client } = await runPair(
    {
      server: (script) => runScript(ends.server.shell, script, stop),
      client: (script) => runScript(ends.client.shell, script, stop, (text) => clock.take(text)),
    },
    { server: command("server"), client: command("client") },
    { folder: "/tmp", isListening: "grep -q 'listening on' server.log" },
  );
  return [
    { name: `${pairing.server} server`, ...server },
    { name: `${pairing.client} client`, ...client, times: clock.times() },
  ];
}
