/**
 * A program: runs the cases with whole and with broken sockets, both sides in this process, and
 * writes a {@linkcode Finding} a line. Its argument is a {@linkcode Ground}; it plays the cases that
 * can be played there, or of these those that are named behind it. A process of its own, since some cases count the signals of the whole process.
 *
 * @module
 */
import { levelOf, type Role } from "../../core/case.ts";
import { DRAWN, type Verdict } from "../../core/outcome.ts";
import { matches } from "../../core/selector.ts";
import { findCase } from "../../suites/catalogue.ts";
import { Socket } from "../../sys/socket.ts";
import { VSOCK } from "../../sys/structs.ts";
import type { ConformanceCase } from "../../kit/mod.ts";
import { runBothSides } from "../support/both_sides.ts";
import { freshFamily } from "../support/unix_pair.ts";
import { VsockLike } from "../support/vsock_like.ts";
import { proveHang } from "./hang.ts";
import type { Ground, Mutation } from "./mutation.ts";
import { lackingOnUnix, MUTATIONS } from "./table.ts";

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

/** The mutations that are shown there; what is shown over AF_UNIX is not shown again. */
export function mutationsOn(ground: Ground): readonly Mutation[] {
  const isOnUnix = (id: string) => lackingOnUnix(id) === undefined;
  switch (ground) {
    case "unix":
      return MUTATIONS.filter(({ id }) => isOnUnix(id));
    case "vsock":
      return MUTATIONS.filter(({ id, unseenWithDriver }) =>
        unseenWithDriver === undefined && !isOnUnix(id)
      );
    case "vsock-host":
      return MUTATIONS.filter(({ id }) => /^(addressing|transport)\/|-at-any-cid$/.test(id));
  }
}

/**
 * The cases that must pass there with sockets that behave as the kernel has them, without the slow
 * ones. Over AF_VSOCK with a guest's driver that is what every run of the lab shows.
 */
export function casesOn(ground: Ground): string[] {
  const ids = [...new Set(mutationsOn(ground).map(({ id }) => id))]
    .filter((id) => findCase(id)?.slow !== true);
  return ground === "vsock" ? [] : ids;
}

/** A deadline that only a case which hangs reaches, in milliseconds: a VM may be emulated. */
const PATIENCE = 150_000;
/** The first deadline of a side that is expected to hang, in milliseconds; see hang.ts. */
const SHORT: Readonly<Record<Ground, number>> = { unix: 1200, vsock: 5000, "vsock-host": 5000 };
/** Cases that count this process's signals, keep its thread busy, or take long: these run alone. */
const ALONE = [
  /^(addressing|namespaces)\//,
  /^(flow\/data|messages\/torn|signals)\//,
  /^seqpacket\/bounds\//,
  /^stream\/connect\/hundred-at-once$/,
  /^stream\/credit\/update-on-rcvlowat$/,
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

/** A verdict, and the steps that the side took which is to notice. */
interface Traced {
  readonly verdict: Verdict;
  readonly steps: readonly string[];
}

/**
 * Runs a case with a mutation.
 *
 * @param deadline of the side that is to notice.
 * @param isBroken without it nothing is broken.
 */
async function attempt(
  ground: Ground,
  definition: ConformanceCase,
  { on, mutate, noticed, around }: Mutation,
  deadline = PATIENCE,
  isBroken = true,
): Promise<Traced> {
  const whole = groundOf(ground);
  const steps: string[] = [];
  const side = (role: Role) => ({
    ...whole,
    ...isBroken && role === on ? { socketClass: mutate(whole.socketClass), ...around } : {},
    ...role === noticed
      ? { timeout: deadline, onStep: (step: string) => void steps.push(step) }
      : {},
  });
  const sides = { client: side("client"), server: side("server") };
  return { verdict: await runBothSides(definition, sides), steps };
}

/** Runs a case with a mutation. */
async function runBroken(ground: Ground, mutation: Mutation): Promise<string | undefined> {
  const definition = findCase(mutation.id);
  if (definition === undefined) return "there is no such case";
  if (mutation.state === "timeout") return await runHanging(ground, definition, mutation);
  const { noticed, state, reason } = mutation;
  const { verdict } = await attempt(ground, definition, mutation, mutation.deadline);
  const report = verdict.sides?.[noticed];
  const isMild = state === "fail" && levelOf(definition) === "should";
  const holds = verdict.outcome === (isMild ? "warn" : state) && report?.state === state &&
    reason.test(`${report.reasons.filter(isNotDrawn).join("\n")}\nin ${report.step}`);
  return holds ? undefined : `expected ${state}, ${reason}: ${JSON.stringify(verdict)}`;
}

/** Runs a case with a mutation of which one side is to hang: that is the first to reach a deadline. */
async function runHanging(
  ground: Ground,
  definition: ConformanceCase,
  mutation: Mutation,
): Promise<string | undefined> {
  const { noticed, reason } = mutation;
  const whole = await attempt(ground, definition, mutation, PATIENCE, false);
  const deadlines: number[] = [];
  for (let time = SHORT[ground]; time < PATIENCE; time *= 3) deadlines.push(time);
  return await proveHang({
    attempt: async (deadline) => {
      const { verdict, steps } = await attempt(ground, definition, mutation, deadline);
      const { outcome, sides } = verdict;
      const other = sides?.[noticed === "client" ? "server" : "client"];
      return { outcome, hangs: sides?.[noticed], other, steps };
    },
    ...{ whole: whole.steps, reason, deadlines },
  });
}

async function main(ground: Ground, selectors: readonly string[]): Promise<void> {
  const isChosen = (id: string) =>
    selectors.length === 0 || selectors.some((selector) => matches(selector, id));
  const mutations = mutationsOn(ground).filter(({ id }) => isChosen(id));
  const jobs: Job[] = [
    ...casesOn(ground).filter(isChosen).map((id) => ({
      id,
      name: id,
      run: () => runWhole(ground, id),
    })),
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

if (import.meta.main) await main(Deno.args[0] as Ground, Deno.args.slice(1));

/** Whether a reason is one: a picture of the exchange has much in it that failed no check. */
function isNotDrawn(reason: string): boolean {
  return !reason.startsWith(DRAWN);
}
