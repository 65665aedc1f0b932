/**
 * What happened to the ends' kernels during a run, according to their reports.
 *
 * @module
 */
import type { Role } from "../core/case.ts";
import type { Verdict } from "../core/outcome.ts";
import type { Planned } from "../core/plan.ts";
import { type Ends, rolesOf } from "./case.ts";

const ROLES: readonly Role[] = ["client", "server"];

/** The harm to the kernels of a run's ends. */
export class Harms {
  readonly #told = new Set<string>();
  #lasting: string | undefined;
  #judgedOn: string | undefined;

  /**
   * Adds a verdict.
   *
   * @returns the verdict, with notes about the state of the kernels.
   */
  note(planned: Planned, ends: Ends, verdict: Verdict): Verdict {
    // It was judged on the kernels as previous cases had left them.
    const notes = this.#judgedOn === undefined
      ? []
      : [`judged in spite of this: ${this.#judgedOn}`];
    const { sides } = verdict;
    const roles = rolesOf(planned.direction, ends);
    for (const role of sides === undefined ? [] : ROLES) {
      const harm = sides?.[role].harm;
      if (harm === undefined) continue;
      const { name } = roles[role];
      const fresh = harm.effects.filter((effect) => !this.#told.has(`${name}: ${effect}`));
      for (const effect of fresh) this.#told.add(`${name}: ${effect}`);
      notes.push(...fresh.map((effect) => `${name}: its kernel from now on: ${effect}`));
      if (harm.lasting && this.#judgedOn === undefined) {
        this.#lasting ??= `the kernel of the ${name} has gone wrong (${harm.effects.join("; ")})`;
      }
    }
    return notes.length === 0 ? verdict : { ...verdict, reasons: [...verdict.reasons, ...notes] };
  }

  /**
   * Why results can no longer be trusted; undefined if they can, or if the run continues anyway.
   */
  get lasting(): string | undefined {
    return this.#lasting;
  }

  /** Continues with the kernels as they are. */
  goOn(): void {
    this.#judgedOn = this.#lasting;
    this.#lasting = undefined;
  }

  /** Continues with clean kernels. */
  cleaned(): void {
    this.#told.clear();
    this.#lasting = undefined;
    this.#judgedOn = undefined;
  }
}
