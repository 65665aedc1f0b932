/**
 * Shows which cases notice each fault of fixtures/kernel/faults, and writes the table of
 * docs/faults.md.
 *
 * @module
 */
import { Option } from "@commander-js/extra-typings";
import { wholeNumber } from "../cli/options/parse.ts";
import { ARCHES } from "../lab/arch.ts";
import { select, UnmatchedSelectorError } from "../core/selector.ts";
import { LabError, LabUsageError } from "../lab/error.ts";
import { type Fault, readFaults } from "../lab/kernel/faults.ts";
import { Progress } from "../lab/progress.ts";
import { CATALOGUE } from "../suites/catalogue.ts";
import { screenOf } from "../report/screen.ts";
import { toolCommand } from "./command.ts";
import { Hunt } from "./faults/hunt.ts";
import { likeliestFirst } from "./faults/order.ts";
import { complaintsAbout, faultsText, PLACES, record, type Row, rowsIn } from "./faults/table.ts";

const command = toolCommand("faults", "shows which cases notice faults of a kernel")
  .argument("[faults...]", "their names; all without")
  .addOption(
    new Option("--topology <which>", "what VMs there are").choices(PLACES)
      .default("loopback" as const),
  )
  .addOption(new Option("--arch <arch>", "of the VMs").choices(ARCHES))
  .option("--cases <selector>", "which cases are to notice", "**")
  .option(
    "--likeliest <n>",
    "of those, only the first, which share most words with the fault",
    wholeNumber(1, 10_000),
  )
  .option("--open", "only faults that nothing is known to notice")
  .option("--untried", "only faults that were not tried there")
  .option("--limit <minutes>", "begin no fault after that", wholeNumber(1, 10_000), 600)
  .option("--jobs <n>", "how many cases run in parallel", wholeNumber(1, 64), 4)
  .option("--enough <n>", "how many cases are to catch a fault", wholeNumber(1, 10_000), 2)
  .option("--check", "run nothing, and fail where the table names what there is not")
  .parse(Deno.args, { from: "user" });
const { topology, arch, cases, likeliest = Infinity, open, untried, limit, jobs, enough, check } =
  command.opts();
const [names] = command.processedArgs;
const screen = screenOf(Deno.stdout);

/** The faults to hunt. */
async function chosen(rows: readonly Row[]): Promise<Fault[]> {
  const faults = await readFaults();
  const known = faults.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new LabUsageError(`There is no fault "${unknown[0]}"; there are: ${known.join(", ")}`);
  }
  const cellsOf = (name: string) => rows.find((row) => row.name === name)?.cells;
  return faults.filter(({ name }) => names.length === 0 || names.includes(name))
    .filter(({ name }) => !open || !Object.values(cellsOf(name) ?? {}).some((cell) => cell?.length))
    .filter(({ name }) => !untried || cellsOf(name)?.[topology] === undefined);
}

async function hunt(): Promise<void> {
  const until = performance.now() + limit * 60_000;
  const progress = new Progress(screenOf(Deno.stderr));
  await using lab = new Hunt({ topology, arch, jobs, enough }, progress);
  const among = select(CATALOGUE, [cases]);
  const rows = rowsIn(await faultsText());
  for (const fault of await chosen(rows)) {
    if (performance.now() > until) break;
    const known = rows.find(({ name }) => name === fault.name)?.cells[topology];
    const likely = likeliestFirst(among, fault, known).slice(0, likeliest);
    const caught = await lab.noticed(fault.name, likely);
    screen.write(`${fault.name}: ${caught.length === 0 ? "not caught" : caught.join(", ")}\n`);
    // That some of the cases do not notice it says nothing of the others.
    const isWhole = likely.length === CATALOGUE.length;
    if (caught.length > 0 || isWhole) await record(fault.name, topology, caught);
  }
}

try {
  if (check) {
    const found = await complaintsAbout(await faultsText());
    for (const complaint of found) screen.write(`${complaint}\n`);
    Deno.exitCode = found.length === 0 ? 0 : 1;
  } else await hunt();
} catch (error) {
  const isUsage = error instanceof UnmatchedSelectorError || error instanceof LabUsageError;
  if (!isUsage && !(error instanceof LabError)) throw error;
  screenOf(Deno.stderr).write(`tools/faults.ts: ${error.message}\n`);
  Deno.exitCode = isUsage ? 2 : 69;
}
