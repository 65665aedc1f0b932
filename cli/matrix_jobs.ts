/**
 * The jobs of a matrix: every combination of what it is over.
 *
 * @module
 */

/** The options whose values are combined. */
export interface MatrixAxes {
  readonly kernel?: readonly string[] | undefined;
  readonly topology?: readonly string[] | undefined;
  readonly arch?: readonly string[] | undefined;
}

/** What `matrix plan` is given. */
export interface PlanOptions extends MatrixAxes {
  /** Into how many parts each run is split. */
  readonly shards?: number | undefined;
  /** Whether the plan is for GitLab. */
  readonly gitlab?: true | undefined;
}

/** A run of the matrix: the arguments of `lab` that distinguish it, and a name for its files. */
export interface MatrixJob {
  readonly name: string;
  readonly args: readonly string[];
}

const AXES = ["kernel", "topology", "arch"] as const;

/** Every combination; each has a name of its own. */
export function matrixJobs(axes: MatrixAxes): MatrixJob[] {
  let combinations: string[][] = [[]];
  for (const axis of AXES) {
    const values = [...new Set(axes[axis] ?? [])];
    if (values.length === 0) continue;
    combinations = combinations.flatMap((before) =>
      values.map((value) => [...before, `--${axis}`, value])
    );
  }
  const names = combinations.map((args) =>
    args.filter((_, i) => i % 2 === 1).join("-").replace(/[^\w.]+/g, "-").replace(/^-|-$/g, "")
  );
  return combinations.map((args, i) => {
    const name = names[i] || "lab";
    return { name: names.indexOf(name) < i && names.includes(name) ? `${name}-${i}` : name, args };
  });
}
