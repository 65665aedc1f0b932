/**
 * The options of `matrix` and its commands.
 *
 * @module
 */
import type { Command } from "commander";
import { argumentOf, optionOf } from "./options/value.ts";
import type { MatrixOptions } from "./matrix.ts";
import type { MatrixAxes, PlanOptions } from "./matrix_jobs.ts";
import { addHelp, examples, secondsOption, several, wholeNumber } from "./options/parse.ts";
import { excludeOption, LAB_CASE_TIMEOUT } from "./options/run.ts";

type Act = (code: number | Promise<number>) => void;

/** Adds `matrix`. */
export function addMatrix(root: Command, act: Act): void {
  const matrix = root.command("matrix")
    .description("compare several kernels, topologies and architectures on one page")
    .addHelpText(
      "after",
      examples(
        "matrix run --kernel debian:6.1 --kernel debian:7.3 -o matrix",
        "matrix render matrix/*.json -o matrix.html",
      ),
    );
  addRun(matrix, act);
  matrix.command("render").description("make the page of stored reports")
    .addArgument(argumentOf("file", "<files...>", "JSON reports; shards of a run are merged"))
    .addOption(optionOf("file", "-o, --output <file>", "the page, or Markdown if it ends in .md"))
    .addHelpText("after", examples("matrix render a.json b.json -o matrix.html"))
    .action(async (files: string[], options: { output?: string }) =>
      act((await import("./matrix_render.ts")).matrixRender(files, options))
    );
  withAxes(matrix.command("plan"))
    .description("print the jobs of a matrix, for a CI that runs them in parallel")
    .option("--shards <number>", "split each run into so many parts", wholeNumber(1, 9999))
    .option("--gitlab", "for GitLab's parallel:matrix instead of GitHub's strategy.matrix")
    .option("--json", "as JSON, which is the only form")
    .addHelpText("after", examples("matrix plan --kernel debian:6.12 --shards 2 --json"))
    .action(async (options: PlanOptions) =>
      act((await import("./matrix_plan.ts")).matrixPlan(options))
    );
  addHelp(matrix, "matrix help render");
}

function addRun(matrix: Command, act: Act): void {
  withAxes(matrix.command("run").addArgument(argumentOf("case", "[cases...]")))
    .description("run cases on each combination in turn, also if one does not start")
    .requiredOption("-o, --output <folder>", "where reports, index.html and matrix.md are written")
    .addOption(excludeOption())
    .option("--quick", "leave out slow cases (more than 2 s)")
    .addOption(
      secondsOption("--case-timeout <seconds>", "deadline of a case", LAB_CASE_TIMEOUT),
    )
    .addOption(secondsOption("--timeout <seconds>", "deadline of each run", 3_600_000))
    .option("-q, --quiet", "show only problems and the summaries")
    .addHelpText(
      "after",
      examples("matrix run --kernel debian:6.12 -o matrix stream"),
    )
    .action(async (cases: string[], options: MatrixAxes & MatrixOptions) =>
      act((await import("./matrix.ts")).matrix(cases, options))
    );
}

/** Adds the options whose values are combined. */
function withAxes(command: Command): Command {
  return command
    .option("--kernel <kernel>", "a kernel, as of lab; repeatable", several(String))
    .option("--topology <which>", "a topology, as of lab; repeatable", several(String))
    .option("--arch <arch>", "an architecture, as of lab; repeatable", several(String));
}
