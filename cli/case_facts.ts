/**
 * What is known of cases without running them, as JSON, and choosing cases by it.
 *
 * @module
 */
import {
  type Case,
  type CaseInfo,
  type Feature,
  type Level,
  levelOf,
  neededOf,
  type Reference,
  referenceText,
  type Role,
  upstreamName,
} from "../core/case.ts";
import { referenceUrl } from "../core/reference_url.ts";
import { upstreamList } from "../suites/upstream.ts";
import { type Program, PROGRAMS } from "../suites/upstream_programs.ts";

/** Which cases to list. */
export interface CaseFilter {
  /** Only those that need each of these features, on either side. */
  readonly needs?: readonly Feature[] | undefined;
  /** Only those that need none of these. */
  readonly without?: readonly Feature[] | undefined;
  readonly level?: Level | undefined;
  /** Only those ported from the kernel's tests. */
  readonly ported?: boolean | undefined;
}

/** Whether a case is among those that a filter leaves. */
export function fits(info: CaseInfo, filter: CaseFilter): boolean {
  const { needs = [], without = [], level, ported } = filter;
  const needed = new Set([...neededOf(info, "client"), ...neededOf(info, "server")]);
  return needs.every((feature) => needed.has(feature)) &&
    !without.some((feature) => needed.has(feature)) &&
    (level === undefined || levelOf(info) === level) &&
    (ported !== true || upstreamName(info) !== undefined);
}

/** Where a case is among upstream's. */
export interface UpstreamPlace {
  readonly program: Program;
  /** Its place in the newest list of that program, its test id there. */
  readonly id: number;
}

/** A case and what its sides do, without their bodies. */
export type DescribedCase = CaseInfo & Pick<Case<never>, "does">;

/** A case as JSON. */
export interface CaseFacts {
  readonly id: string;
  readonly title: string;
  readonly requirement: string;
  readonly level: Level;
  /** What each side does; a side that is missing does nothing. */
  readonly does: DescribedCase["does"];
  /** The features that each side must have. */
  readonly needs: Readonly<Record<Role, readonly Feature[]>>;
  /** Why no other case may run at the same time, where none may. */
  readonly alone?: string;
  /** Sources, each also as a line of text, and where it can be read. */
  readonly refs: readonly (Reference & { readonly text: string; readonly url: string })[];
  /** That the kernel's own times make it take more than 2 s. */
  readonly slow?: true;
  /** The case in tools/testing/vsock that it was ported from. */
  readonly upstream?: { readonly name: string } & Partial<UpstreamPlace>;
}

/** What is known of a case. */
export function factsOf(info: DescribedCase): CaseFacts {
  const { id, title, requirement, does, refs, alone, slow } = info;
  const name = upstreamName(info);
  return {
    id,
    title,
    requirement,
    level: levelOf(info) ?? "must",
    does,
    needs: { client: neededOf(info, "client"), server: neededOf(info, "server") },
    ...(alone === undefined ? {} : { alone }),
    refs: refs.map((reference) => ({
      ...reference,
      text: referenceText(reference),
      url: referenceUrl(reference),
    })),
    ...(slow === undefined ? {} : { slow }),
    ...(name === undefined ? {} : { upstream: { name, ...upstreamPlace(name) } }),
  };
}

/** Where upstream has a case of that name. */
export function upstreamPlace(name: string | undefined): UpstreamPlace | undefined {
  return PROGRAMS.flatMap((program) =>
    upstreamList(program)
      .filter((entry) => entry.name === name)
      .map(({ position }) => ({ program, id: position }))
  )[0];
}
