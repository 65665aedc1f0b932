/**
 * Blames a case for faults that are discovered after it has got its verdict.
 *
 * @module
 */
import type { Role } from "../core/case.ts";
import { quoteSplat, type SideReport, type Verdict } from "../core/outcome.ts";
import type { Planned } from "../core/plan.ts";
import type { Splat } from "../core/splat.ts";
import { type Ends, rolesOf, type Sides } from "./case.ts";

const ROLES: readonly Role[] = ["client", "server"];

/** A case that has got its verdict. */
export interface Judged {
  readonly planned: Planned;
  readonly verdict: Verdict;
}

/**
 * The new verdict on a case if faults were reported after it had ended.
 *
 * @param found the reports of the sides of the next case in its direction.
 * @returns undefined if there are no such faults.
 */
export function blamed(
  { planned, verdict }: Judged,
  next: Planned,
  found: Sides,
  ends: Ends,
): Verdict | undefined {
  const [now, before] = [next, planned].map(({ direction }) => rolesOf(direction, ends));
  if (now === undefined || before === undefined) return undefined;
  const known = new Set<string>();
  const reasons: string[] = [];
  const splats: Record<Role, Splat[]> = { client: [], server: [] };
  for (const role of ROLES) {
    const own = ROLES.find((other) => before[other] === now[role]) ?? role;
    for (const splat of found[role].splats ?? []) {
      splats[own].push(splat);
      // Two ends on the same kernel report the same.
      const text = splat.join("\n");
      if (!known.has(text)) reasons.push(...quoteSplat(splat, `${now[role].name}, afterwards`));
      known.add(text);
    }
  }
  if (reasons.length === 0) return undefined;
  const add = (side: SideReport, role: Role): SideReport =>
    splats[role].length === 0 ? side : {
      ...side,
      splats: [...side.splats ?? [], ...splats[role]],
    };
  const { sides } = verdict;
  return {
    ...verdict,
    outcome: "fail",
    reasons: [...reasons, ...verdict.reasons],
    ...(sides === undefined
      ? {}
      : { sides: { client: add(sides.client, "client"), server: add(sides.server, "server") } }),
  };
}
