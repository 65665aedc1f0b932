/**
 * The options of `lab verdict`.
 *
 * @module
 */
import type { Command } from "commander";
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
