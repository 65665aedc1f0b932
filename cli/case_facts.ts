/**
 * Facts about cases that are known without running them, as JSON, and filters.
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
import { matches } from "../core/selector.ts";
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

/** Whether a case matches a filter. */
export function fits(info: CaseInfo, filter: CaseFilter): boolean {
  const { needs = [], without = [], level, ported } = filter;
  const needed = new Set([...neededOf(info, "client"), ...neededOf(info, "server")]);
  return needs.every((feature) => needed.has(feature)) &&
    !without.some((feature) => needed.has(feature)) &&
    (level === undefined || levelOf(info) === level) &&
    (ported !== true || upstreamName(info) !== undefined);
}

/**
 * Resolves an argument of `list`. Text that matches no id stands for all cases that contain it in
 * their id, title, requirement or sources, ignoring upper and lower case.
 *
 * @param text a selector or a text; a leading `!` is kept.
 * @returns selectors; the text itself if no case contains it.
 */
export function foundBy(text: string, cases: readonly CaseInfo[]): string[] {
  const [, not = "", pattern = ""] = /^(!?)(.*)$/s.exec(text) ?? [];
  if (cases.some(({ id }) => matches(pattern, id))) return [text];
  const wanted = pattern.toLowerCase();
  const found = cases.filter(({ id, title, requirement, refs }) =>
    [id, title, requirement, ...refs.map(referenceText)].join("\n").toLowerCase().includes(wanted)
  );
  return pattern === "" || found.length === 0 ? [text] : found.map(({ id }) => `${not}${id}`);
}

/** The place of a case among upstream's. */
export interface UpstreamPlace {
  readonly program: Program;
  /** Its position in the program's newest list, which is its test id there. */
  readonly id: number;
}

/** A case with descriptions of its sides, without their bodies. */
export type DescribedCase = CaseInfo & Pick<Case<never>, "does">;

/** A case as JSON. */
export interface CaseFacts {
  readonly id: string;
  readonly title: string;
  readonly requirement: string;
  readonly level: Level;
  /** What each side does; a missing side does nothing. */
  readonly does: DescribedCase["does"];
  /** The features that each side must have. */
  readonly needs: Readonly<Record<Role, readonly Feature[]>>;
  /** Why no other case may run at the same time, if the case is exclusive. */
  readonly alone?: string;
  /** Sources, each also as a line of text and with its address. */
  readonly refs: readonly (Reference & { readonly text: string; readonly url: string })[];
  /** Set if it takes more than 2 s because of the kernel's timeouts. */
  readonly slow?: true;
  /** The case in tools/testing/vsock that it was ported from. */
  readonly upstream?: { readonly name: string } & Partial<UpstreamPlace>;
}

/** The facts about a case. */
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

/** Finds upstream's case with a name. */
export function upstreamPlace(name: string | undefined): UpstreamPlace | undefined {
  return PROGRAMS.flatMap((program) =>
    upstreamList(program)
      .filter((entry) => entry.name === name)
      .map(({ position }) => ({ program, id: position }))
  )[0];
}
