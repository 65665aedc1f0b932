/**
 * The command `matrix plan`: the jobs of a matrix, as CI systems read them.
 *
 * @module
 */
import { shellText } from "../report/run_facts.ts";
import { EXIT } from "../core/outcome.ts";
import { screenOf } from "../report/screen.ts";
import { matrixJobs, type PlanOptions } from "./matrix_jobs.ts";

/** Prints the jobs. */
export function matrixPlan(options: PlanOptions): number {
  const plan = options.gitlab ? gitlabPlan(options) : { include: planEntries(options) };
  screenOf(Deno.stdout).write(`${JSON.stringify(plan, null, 2)}\n`);
  return EXIT.ok;
}

/** The jobs as GitHub's `strategy.matrix` has them under `include`; `args` is what `lab` gets. */
export function planEntries(options: PlanOptions): { name: string; args: string }[] {
  const { shards = 1 } = options;
  return matrixJobs(options).flatMap(({ name, args }) =>
    Array.from({ length: shards }, (_, i) => {
      const part = shards === 1 ? [] : ["--shard", `${i + 1}/${shards}`];
      const suffix = shards === 1 ? "" : `-${i + 1}-of-${shards}`;
      return { name: `${name}${suffix}`, args: shellText([...args, ...part]) };
    })
  );
}

/** The jobs as GitLab's `parallel:matrix` has them: a list of variables, each with its values. */
export function gitlabPlan(options: PlanOptions): Record<string, string>[] {
  return planEntries(options).map(({ name, args }) => ({ VSOCK_NAME: name, VSOCK_ARGS: args }));
}
