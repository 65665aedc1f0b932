/**
 * A program: runs the cases with whole and with broken sockets, both sides in this process, and
 * writes a {@linkcode Finding} a line. It takes `unix` (AF_UNIX in AF_VSOCK's place, for the cases
 * which that can play) or `vsock` (loopback, in a VM). A process of its own, since some cases count
 * the signals of the whole process.
 *
 * @module
 */
import type { Role } from "../../core/case.ts";
import { findCase } from "../../suites/catalogue.ts";
import { Socket } from "../../sys/socket.ts";
import { VSOCK } from "../../sys/structs.ts";
import type { ConformanceCase } from "../../kit/mod.ts";
import { runBothSides } from "../support/both_sides.ts";
import { freshFamily } from "../support/unix_pair.ts";
import { VsockLike } from "../support/vsock_like.ts";
import type { Mutation } from "./mutation.ts";
import { lackingOnUnix, MUTATIONS } from "./table.ts";

/** Where the cases are played. */
export type Ground = "unix" | "vsock";

/** What came of one run of a case. */
export interface Finding {
  /** The case, with {@linkcode nameOf} the mutation if it was run with one. */
  readonly name: string;
  readonly milliseconds: number;
  /** What was not as it must be. */
  readonly problem?: string;
}

/** A mutation in words. */
export function nameOf({ id, on, what }: Pick<Mutation, "id" | "on" | "what">): string {
  return `${id} notices a ${on} whose ${what}`;
}

/** The mutations that can be shown there. */
export function mutationsOn(ground: Ground): readonly Mutation[] {
  return MUTATIONS.filter(({ id }) => ground === "vsock" || lackingOnUnix(id) === undefined);
}

/** A deadline that only a case which hangs reaches, in milliseconds: a VM may be emulated. */
const PATIENCE = 150_000;
/** The deadline of a case that is expected to hang, in milliseconds. */
const SHORT: Readonly<Record<Ground, number>> = { unix: 1200, vsock: 5000 };
/** Cases that count this process's signals, keep its thread busy, or take long: these run alone. */
const ALONE = [
  /^(addressing|namespaces)\//,
  /^seqpacket\/bounds\//,
  /^stream\/connect\/hundred-at-once$/,
  /^stream\/packets\/small-ones-keep-connection$/,
  /^stream\/shutdown\//,
  /^transport\/change\//,
  /^zerocopy\/error-queue\/unread-leaks-nothing$/,
];
/** How many others run in parallel: most of them wait for something. */
const PARALLEL = 8;
/** Ports are counted up from here: the cases of a run use two each. */
const FIRST_PORT = 20_000;

interface Job {
  readonly id: string;
  readonly name: string;
  readonly run: () => Promise<string | undefined>;
}

/** Runs jobs, so many at once. */
async function runJobs(jobs: readonly Job[], atOnce: number): Promise<void> {
  const left = jobs.values();
  const work = async () => {
    for (const { name, run } of left) {
      const started = performance.now();
      const problem = await run();
      const milliseconds = Math.round(performance.now() - started);
      const finding: Finding = { name, milliseconds, ...problem === undefined ? {} : { problem } };
      Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(finding)}\n`));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

let port = FIRST_PORT;

/** What both sides of a ground have, with sockets that behave as they must. */
function groundOf(ground: Ground) {
  port += 2;
  const [socketClass, family] = ground === "unix" ? [VsockLike, freshFamily()] : [Socket, VSOCK];
  return { socketClass, family, port, timeout: PATIENCE };
}

/** Runs a case with sockets that behave as they must. */
async function runWhole(ground: Ground, id: string): Promise<string | undefined> {
  const definition = findCase(id);
  if (definition === undefined) return "there is no such case";
  const side = groundOf(ground);
  const { outcome, reasons } = await runBothSides(definition, { client: side, server: side });
  return outcome === "pass" ? undefined : `${outcome}: ${reasons.join("\n")}`;
}

/** Runs a case with a mutation, with this deadline for the side that is to hang, if one is. */
async function attempt(
  ground: Ground,
  definition: ConformanceCase,
  { on, mutate, noticed, state, reason }: Mutation,
  deadline: number,
): Promise<string | undefined> {
  const whole = groundOf(ground);
  const side = (role: Role) => ({
    ...whole,
    socketClass: role === on ? mutate(whole.socketClass) : whole.socketClass,
    timeout: role === noticed ? deadline : PATIENCE,
  });
  const sides = { client: side("client"), server: side("server") };
  const verdict = await runBothSides(definition, sides);
  const report = verdict.sides?.[noticed];
  const holds = verdict.outcome === state && report?.state === state &&
    reason.test(`${report.reasons.join("\n")}\nin ${report.step}`);
  return holds ? undefined : `expected ${state}, ${reason}: ${JSON.stringify(verdict)}`;
}

/** Runs a case with a mutation. */
async function runBroken(ground: Ground, mutation: Mutation): Promise<string | undefined> {
  const definition = findCase(mutation.id);
  if (definition === undefined) return "there is no such case";
  if (mutation.state !== "timeout") return await attempt(ground, definition, mutation, PATIENCE);
  // The side that is to hang is the first whose deadline passes. On a machine that stands still that
  // may be before it hangs, which says nothing.
  let problem: string | undefined = "it was not run";
  for (let time = SHORT[ground]; problem !== undefined && time < PATIENCE; time *= 3) {
    problem = await attempt(ground, definition, mutation, time);
  }
  return problem;
}

async function main(ground: Ground): Promise<void> {
  const mutations = mutationsOn(ground);
  const ids = [...new Set(mutations.map(({ id }) => id))];
  const jobs: Job[] = [
    ...ids.map((id) => ({ id, name: id, run: () => runWhole(ground, id) })),
    ...mutations.map((mutation) => ({
      id: mutation.id,
      name: nameOf(mutation),
      run: () => runBroken(ground, mutation),
    })),
  ];
  const isAlone = ({ id }: Job) => ALONE.some((pattern) => pattern.test(id));
  await runJobs(jobs.filter(isAlone), 1);
  await runJobs(jobs.filter((job) => !isAlone(job)), PARALLEL);
  // Calls of cases that were broken may still be blocked.
  Deno.exit(0);
}

if (import.meta.main) await main(Deno.args[0] === "vsock" ? "vsock" : "unix");
