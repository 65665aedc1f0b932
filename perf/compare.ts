/**
 * What `perf compare` measures: ours and C in turn, with the same buffers, and how their commands
 * are written.
 *
 * @module
 */
import type { Row } from "./comparison.ts";

/** Whose program plays a side. */
export type Player = "ours" | "C";

/** Where the programs are and how they meet. */
export interface Setting {
  /** The command that starts the tool. */
  readonly ours: string;
  /** Command lines of C's programs. */
  readonly c: CPrograms;
  /** The CID of the machine that accepts, or the name of a stand-in over AF_UNIX. */
  readonly where: { readonly cid: number } | { readonly standIn: string };
}

/** C's programs as commands. */
export interface CPrograms {
  /** Throughput: vsock_perf, or the one over AF_UNIX, which takes other arguments. */
  readonly stream: string;
  readonly pingpong: string;
}

/** How much is measured. */
export interface Amounts {
  /** How often each is measured. */
  readonly rounds: number;
  /** Bytes sent in a measurement of throughput. */
  readonly bytes: number;
  /** Round trips in a measurement of them, and how many come before. */
  readonly requests: number;
  readonly warmup: number;
}

/** Runs a waiting command and one that connects, and gives what both wrote. */
export type RunPrograms = (
  commands: { readonly server: string; readonly client: string },
) => Promise<{ readonly server: string; readonly client: string }>;

/** A buffer's size and the socket's own, in bytes. */
const BUFFERS = [[64 * 1024, 256 * 1024], [1024 * 1024, 1024 * 1024]] as const;
/** The size of a request, in bytes. */
const REQUEST = 64;

/** One thing that is measured of ours and of C. */
interface Measurement extends Omit<Row, "ours" | "c"> {
  readonly commands: (
    player: Player,
    port: number,
  ) => { readonly server: string; readonly client: string };
  /** Finds the figure in what the two wrote. */
  readonly read: (
    output: { readonly server: string; readonly client: string },
  ) => string | undefined;
}

/** What was measured, and what ended that too early, if anything did. */
export interface Measured {
  /** Those with a figure of ours and one of C, as many of either. */
  readonly rows: readonly Row[];
  readonly failure?: unknown;
}

/**
 * Measures all, ours and C in turn. What was measured before a failure is not lost.
 *
 * @param say told of each measurement before it is made.
 */
export async function compare(
  setting: Setting,
  amounts: Amounts,
  maxRoundTrip: number,
  run: RunPrograms,
  log: (text: string) => void,
): Promise<Measured> {
  const measurements = [
    ...throughputs(setting, amounts),
    roundTrip(setting, amounts, maxRoundTrip),
  ];
  const found = measurements.map(() => ({ ours: [] as number[], c: [] as number[] }));
  const measured = (): Row[] =>
    measurements.flatMap(({ id, what, unit, better, target }, i) => {
      const { ours = [], c = [] } = found[i] ?? {};
      if (c.length === 0) return [];
      return [{ id, what, unit, better, target, ours: ours.slice(0, c.length), c }];
    });
  let port = 5300;
  try {
    for (let round = 1; round <= amounts.rounds; round++) {
      for (const [i, { what, commands, read }] of measurements.entries()) {
        log(`round ${round} of ${amounts.rounds}: ${what}`);
        for (const player of ["ours", "C"] as const) {
          // A port for each, so that what closes slowly is in nobody's way.
          const output = await run(commands(player, port++));
          const text = read(output);
          if (text === undefined) throw new NoFigureError(what, player, output);
          found[i]?.[player === "C" ? "c" : "ours"].push(Number(text));
        }
      }
    }
  } catch (failure) {
    return { rows: measured(), failure };
  }
  return { rows: measured() };
}

/** A program ended without its figure. */
export class NoFigureError extends Error {
  override readonly name = "NoFigureError";

  constructor(what: string, player: Player, output: { server: string; client: string }) {
    const said = Object.entries(output).map(([role, text]) => `${role}: ${text.trim()}`);
    super(`Cannot compare: ${what}, ${player} gave no figure\n${said.join("\n")}`);
  }
}

function throughputs(setting: Setting, amounts: Amounts): Measurement[] {
  const read: Measurement["read"] = ({ server }) => /rx performance: ([\d.]+)/.exec(server)?.[1];
  return BUFFERS.flatMap(([bufSize, vskSize]) => {
    const size = bufSize / 1024;
    const of = (sender: Player, receiver: Player, port: number) => ({
      server: receiverCommand(setting, receiver, port, bufSize, vskSize),
      client: senderCommand(setting, sender, port, bufSize, vskSize, amounts.bytes),
    });
    const common = { unit: "Gbit/s", better: "more", target: 0.95, read } as const;
    return [
      {
        ...common,
        id: `send-${size}k`,
        what: `send(), ${size} KiB, to C`,
        commands: (player: Player, port: number) => of(player, "C", port),
      },
      {
        ...common,
        id: `recv-${size}k`,
        what: `recv(), ${size} KiB, from C`,
        commands: (player: Player, port: number) => of("C", player, port),
      },
    ];
  });
}

function senderCommand(
  { ours, c, where }: Setting,
  player: Player,
  port: number,
  bufSize: number,
  vskSize: number,
  bytes: number,
): string {
  if (player === "C" && "standIn" in where) {
    return `${c.stream} sender ${where.standIn} ${port} ${bufSize} ${vskSize} ${bytes}`;
  }
  const program = player === "C" ? c.stream : `${ours} perf sender`;
  const peer = "cid" in where ? `--sender ${where.cid}` : `--sender 1 --stand-in ${where.standIn}`;
  return `${program} ${peer} --port ${port} --buf-size ${bufSize} --bytes ${bytes}`;
}

function receiverCommand(
  { ours, c, where }: Setting,
  player: Player,
  port: number,
  bufSize: number,
  vskSize: number,
): string {
  if (player === "C" && "standIn" in where) {
    return `${c.stream} receiver ${where.standIn} ${port} ${bufSize} ${vskSize}`;
  }
  const program = player === "C" ? c.stream : `${ours} perf receiver${standIn(where)}`;
  return `${program} --port ${port} --buf-size ${bufSize} --vsk-size ${vskSize}`;
}

function roundTrip(
  { ours, c, where }: Setting,
  { requests, warmup }: Amounts,
  target: number,
): Measurement {
  const at = "cid" in where ? where.cid : where.standIn;
  const peer = "cid" in where ? where.cid : 1;
  return {
    id: "round-trip",
    what: `round trip of ${REQUEST} bytes, p50`,
    unit: "µs",
    better: "less",
    target,
    commands: (player, port) => {
      const counts = `--size ${REQUEST} --requests ${requests} --warmup ${warmup}`;
      const [server, client] = player === "C"
        ? [
          `${c.pingpong} echo ${at} ${port}`,
          `${c.pingpong} latency ${at} ${port} ${REQUEST} ${requests} ${warmup}`,
        ]
        : [
          `${ours} perf echo --once --port ${port}${standIn(where)}`,
          `${ours} perf latency --peer-cid ${peer} --port ${port} ${counts} --json${
            standIn(where)
          }`,
        ];
      return { server, client };
    },
    read: ({ client }) => {
      const nanoseconds = /p50"?:? (\d+)/.exec(client)?.[1];
      return nanoseconds === undefined ? undefined : `${Number(nanoseconds) / 1000}`;
    },
  };
}

function standIn(where: Setting["where"]): string {
  return "standIn" in where ? ` --stand-in ${where.standIn}` : "";
}
