/**
 * How surely and how fast an emulated host with its guest comes up, on each architecture: cold starts
 * and whole runs, one after the other, as docs/reliability.md has them.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { wholeNumber } from "../cli/options/parse.ts";
import { parseReport } from "../report/schema.ts";
import type { RunReport } from "../report/model.ts";
import { ARCHES } from "../lab/arch.ts";
import { toolCommand } from "./command.ts";
import { screenOf } from "../report/screen.ts";

const CLI = fileURLToPath(new URL("../cli.ts", import.meta.url));
/** The case of a start. */
const ONE = ["--direction", "host-server", "stream/close/by-client-keeps-data"];

const number = wholeNumber(0, 1000);
const { arch, starts, runs } = toolCommand(
  "pairs",
  "starts emulated pairs, and runs all cases on them",
)
  .option("--arch <arch>", ARCHES.join(" or "), "arm64")
  .option("--starts <number>", "cold starts", number, 30)
  .option("--runs <number>", "whole runs, booted, too", number, 10)
  .parse(Deno.args, { from: "user" }).opts();

/** What came of one call of `lab`. */
interface Tried {
  readonly code: number;
  /** In milliseconds. */
  readonly time: number;
  readonly report: RunReport | undefined;
  /** From the command to the first verdict, as the lab says it. */
  readonly firstVerdict: number | undefined;
}

async function lab(...args: string[]): Promise<Tried> {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  const started = performance.now();
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      CLI,
      "lab",
      "--arch",
      arch,
      "--cold",
      "--report",
      `json=${file}`,
      ...args,
    ],
    stdin: "null",
    stdout: "null",
    env: { NO_COLOR: "1" },
  }).output();
  const time = performance.now() - started;
  const said = new TextDecoder().decode(stderr);
  const [, minutes = "0", seconds] = /first verdict after (?:(\d+) min )?([\d.]+) s/.exec(said) ??
    [];
  try {
    const report = parseReport(await Deno.readTextFile(file), file);
    const firstVerdict = seconds === undefined ? undefined : Number(minutes) * 60 + Number(seconds);
    return { code, time, report, firstVerdict };
  } catch {
    return { code, time, report: undefined, firstVerdict: undefined };
  } finally {
    await Deno.remove(file);
  }
}

const screen = screenOf(Deno.stdout);
const say = (text: string) => screen.write(`${text}\n`);

/** The least, the middle and the largest of some numbers. */
function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)]?.toFixed(1) ?? "-";
  return `${at(0.5)} s (${at(0)} to ${at(1)})`;
}

async function some(what: string, count: number, args: readonly string[]): Promise<Tried[]> {
  const all: Tried[] = [];
  for (let i = 1; i <= count; i++) {
    const tried = await lab(...args);
    all.push(tried);
    const retries = tried.report?.retries?.map(({ what, why }) => `${what}: ${why}`) ?? [];
    const first = tried.firstVerdict?.toFixed(1) ?? "none";
    say(`${what} ${i} of ${count}: ${tried.code}, first verdict ${first} s, ${retries.join("; ")}`);
  }
  return all;
}

const began = await some("start", starts, ONE);
const whole = await some("run", runs, []);
const retriesOf = (all: readonly Tried[]) =>
  all.reduce((sum, { report }) => sum + (report?.retries?.length ?? 0), 0);
const times = (all: readonly Tried[]) => all.flatMap(({ firstVerdict: time }) => time ?? []);
const outcomes = new Map<string, Set<string>>();
for (const { report } of whole) {
  for (const { id, direction, verdict } of report?.cases ?? []) {
    const key = `${id} (${direction})`;
    outcomes.set(key, (outcomes.get(key) ?? new Set()).add(verdict?.outcome ?? "none"));
  }
}
const flaky = [...outcomes].filter(([, found]) => found.size > 1);
say(`\n${arch}`);
say(`starts: ${times(began).length} of ${starts}, begun anew ${retriesOf(began)} times`);
say(`first verdict: ${spread(times(began))}`);
say(
  `runs: ${whole.filter(({ code }) => code === 0).length} of ${runs} with exit code 0, ` +
    `done again ${retriesOf(whole)} times, ${spread(whole.map(({ time }) => time / 1000))} each`,
);
say(`flaky: ${flaky.length}`);
for (const [key, found] of flaky) say(`  ${key}: ${[...found].join(", ")}`);
