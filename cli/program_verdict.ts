/**
 * The options of `lab verdict` and `lab bisect`.
 *
 * @module
 */
import { type Command, Option } from "commander";
import type { BisectOptions } from "./lab_bisect.ts";
import { archOption, TOPOLOGIES } from "./options/vm.ts";
import { argumentOf } from "./options/value.ts";
import { examples } from "./options/parse.ts";

/** Adds `lab verdict`, which hands on all its arguments to `lab`. */
export function addVerdict(lab: Command, act: (code: number | Promise<number>) => void): void {
  lab.command("verdict").addArgument(argumentOf("case", "[cases...]"))
    .summary("good or bad, for git bisect run")
    .description(
      'Run cases as lab does, with its options, and exit as "git bisect run" expects: 0 if all\n' +
        "that ran passed, 1 if a case failed or warned, 125 if that cannot be told (the lab did\n" +
        "not start, or all was skipped), 128 if lab has no such option.",
    )
    .allowUnknownOption()
    .addHelpText("after", examples("lab verdict stream/close --kernel . --topology loopback"))
    .action(async (_cases: string[], _options: unknown, command: Command) =>
      act((await import("./lab_verdict.ts")).labVerdict(command.args))
    );
}

/** Adds `lab bisect`. */
export function addBisect(lab: Command, act: (code: number | Promise<number>) => void): void {
  lab.command("bisect").addArgument(argumentOf("case", "<case>", "an id, with * and **"))
    .summary("the first kernel that a case fails on")
    .description(
      "Find between which two kernels of Debian's archive a case begins to fail, or ceases to.",
    )
    .requiredOption("--good <kernel>", "one that it passes on: debian:6.1, or debian:6.1.192")
    .requiredOption("--bad <kernel>", "one that it fails on; may be older")
    .addOption(new Option("--topology <which>", "VMs").choices(TOPOLOGIES).default("loopback"))
    .addOption(archOption())
    .addHelpText("after", examples("lab bisect stream --good debian:7.3 --bad debian:6.12"))
    .action(async (id: string, options: BisectOptions) =>
      act((await import("./lab_bisect.ts")).labBisect(id, options))
    );
}
