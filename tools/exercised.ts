/**
 * Shows that each function of the kernel that a case names is entered while it runs: runs cases in a
 * lab whose kernels count, and writes the table of docs/exercised.md.
 *
 * @module
 */
import { Option } from "@commander-js/extra-typings";
import { archOption } from "../cli/options/vm.ts";
import { select, UnmatchedSelectorError } from "../core/selector.ts";
import type { Arch } from "../lab/arch.ts";
import { KernelDeathError, LabError } from "../lab/error.ts";
import { DEFAULT_KERNEL } from "../lab/kernel/kernel.ts";
import { Progress } from "../lab/progress.ts";
import { CATALOGUE } from "../suites/catalogue.ts";
import { measure, type Measured } from "./exercised/measure.ts";
import { complaintsAbout, exercisedText, record, rowsIn } from "./exercised/table.ts";
import { toolCommand } from "./command.ts";
import { screenOf } from "../report/screen.ts";

const TOPOLOGIES = ["loopback", "guest-host", "three-cids", "three-devices"] as const;

const command = toolCommand("exercised", "counts the kernel's functions that cases enter")
  .argument("[cases...]", "ids, with * and **; all without")
  .addOption(
    new Option("--topology <which>", "what VMs there are").choices(TOPOLOGIES)
      .default("loopback" as const),
  )
  .option("--kernel <kernel>", "as lab has it", DEFAULT_KERNEL)
  .addOption(archOption())
  .option("--every", "show every function of AF_VSOCK that each case enters, and write nothing")
  .option("--check", "run nothing, and fail where the table lacks something")
  .parse(Deno.args, { from: "user" });
const { topology, kernel, every = false, check } = command.opts();
const arch = command.getOptionValue("arch") as Arch | undefined;
const [selectors] = command.processedArgs;
const screen = screenOf(Deno.stdout);

/** What each case entered on each kernel. */
function everything({ machines }: Measured): string {
  const lines = machines.flatMap(({ name, kernel, counts }) =>
    [...counts].flatMap(([id, entered]) => [
      `${id}, ${name} (${kernel})`,
      ...Object.entries(entered).sort().map(([called, hits]) => `  ${hits} ${called}`),
    ])
  );
  return lines.map((line) => `${line}\n`).join("");
}

/** The cases whose verdict says that they did not do what they are to do. */
function failures({ verdicts }: Measured): string[] {
  return [...verdicts].flatMap(([id, all]) =>
    all.filter(({ outcome }) => !["pass", "warn", "skip"].includes(outcome))
      .map(({ outcome, reasons }) => `${id}: ${outcome}: ${reasons[0]}`)
  );
}

async function complaints(): Promise<string[]> {
  if (check) return complaintsAbout(rowsIn(await exercisedText()));
  const progress = new Progress(screenOf(Deno.stderr));
  const cases = select(CATALOGUE, selectors);
  const measured = await measure({ topology, kernel, arch, cases, every }, progress);
  if (every) screen.write(everything(measured));
  return [...failures(measured), ...every ? [] : await record(measured)];
}

try {
  const found = await complaints();
  for (const complaint of found) screen.write(`${complaint}\n`);
  Deno.exitCode = found.length === 0 ? 0 : 1;
} catch (error) {
  const isUsage = error instanceof UnmatchedSelectorError;
  if (!isUsage && !(error instanceof LabError || error instanceof KernelDeathError)) throw error;
  screenOf(Deno.stderr).write(`tools/exercised.ts: ${error.message}\n`);
  Deno.exitCode = isUsage ? 2 : 69;
}
