/**
 * What a run covers of a kernel: the counts of each line, and which case runs which line; as it is
 * stored in coverage.json.
 *
 * @module
 */
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { LabError } from "../lab/error.ts";
import type { FileCount } from "./run_gcov.ts";

const FORMAT = "vsock-conformance/coverage/1";

const Count = Type.Number({ minimum: 0 });
const Line = Type.Integer({ minimum: 0 });

const CoveredLineSchema = Type.Object({
  line: Line,
  /** How often it ran, boots not included. */
  count: Count,
  /** How often it ran in boots. */
  boot: Count,
  /** How often each arc that leaves it was taken, boots not included. */
  branches: Type.Array(Count),
  /** Which of them boots took. */
  bootBranches: Type.Array(Count),
});

const CoveredFileSchema = Type.Object({
  path: Type.String(),
  functions: Type.Array(Type.Object({
    name: Type.String(),
    from: Line,
    to: Line,
    count: Count,
    boot: Count,
  })),
  lines: Type.Array(CoveredLineSchema),
});

const CoverageSchema = Type.Object({
  format: Type.Literal(FORMAT),
  /** The kernel, as uname(1) describes it. */
  kernel: Type.String(),
  runs: Type.Array(Type.Object({
    at: Type.String(),
    topology: Type.String(),
    cases: Type.Integer({ minimum: 0 }),
    /** Why counters are missing. */
    lost: Type.Array(Type.String()),
  })),
  files: Type.Array(CoveredFileSchema),
  /** For each case the ranges of lines that it ran, by file. */
  cases: Type.Array(Type.Object({
    id: Type.String(),
    ran: Type.Record(Type.String(), Type.Array(Type.Tuple([Line, Line]))),
  })),
});

/** What one or several runs cover. */
export type Coverage = Static<typeof CoverageSchema>;
/** The counts of a source. */
export type CoveredFile = Static<typeof CoveredFileSchema>;
/** The counts of a line. */
export type CoveredLine = Static<typeof CoveredLineSchema>;

/** The lines that a case ran, by file. */
export interface CaseLines {
  readonly id: string;
  readonly files: readonly FileCount[];
}

/** Puts the counts of a run together. */
export function coverageOf(
  about: { readonly kernel: string; readonly topology: string; readonly lost: readonly string[] },
  boot: readonly FileCount[],
  run: readonly FileCount[],
  cases: readonly CaseLines[],
): Coverage {
  const { kernel, topology, lost } = about;
  const at = new Date().toISOString();
  return {
    format: FORMAT,
    kernel,
    runs: [{ at, topology, cases: new Set(cases.map(({ id }) => id)).size, lost: [...lost] }],
    files: run.map((file, i) => coveredFile(file, boot[i])),
    cases: unitedCases(cases.map(({ id, files }) => ({ id, ran: rangesOf(files) }))),
  };
}

function coveredFile({ path, functions, lines }: FileCount, boot?: FileCount): CoveredFile {
  const atBoot = new Map(boot?.lines.map((line) => [line.line, line]));
  const functionsAtBoot = new Map(boot?.functions.map(({ name, count }) => [name, count]));
  return {
    path,
    functions: functions.map((each) => ({ ...each, boot: functionsAtBoot.get(each.name) ?? 0 })),
    lines: lines.map(({ line, count, branches }) => ({
      line,
      count,
      boot: atBoot.get(line)?.count ?? 0,
      branches: [...branches],
      bootBranches: [...atBoot.get(line)?.branches ?? []],
    })),
  };
}

type Ranges = Record<string, [number, number][]>;

function rangesOf(files: readonly FileCount[]): Ranges {
  const ranges: Ranges = {};
  for (const { path, lines } of files) {
    const ran = lines.filter(({ count }) => count > 0).map(({ line }) => line);
    if (ran.length > 0) ranges[path] = asRanges(ran);
  }
  return ranges;
}

/** Sorted numbers as ranges. */
export function asRanges(numbers: readonly number[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const each of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && each === last[1] + 1) last[1] = each;
    else ranges.push([each, each]);
  }
  return ranges;
}

/** One entry for each case, though it ran in two directions or several rounds. */
function unitedCases(cases: Coverage["cases"]): Coverage["cases"] {
  const groups = Map.groupBy(cases, ({ id }) => id);
  return [...groups].map(([id, all]) => {
    const ran: Ranges = {};
    for (const path of new Set(all.flatMap((each) => Object.keys(each.ran)))) {
      const lines = new Set(all.flatMap((each) => (each.ran[path] ?? []).flatMap(numbersIn)));
      ran[path] = asRanges([...lines].sort((a, b) => a - b));
    }
    return { id, ran };
  });
}

/** The numbers of a range. */
export function numbersIn([from, to]: readonly [number, number]): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/**
 * The sum of two: what the runs of both cover.
 *
 * @throws {LabError} if they are of different builds.
 */
export function united(a: Coverage, b: Coverage): Coverage {
  const files = a.files.map((file, i): CoveredFile => {
    const other = b.files[i];
    if (a.files.length !== b.files.length || other === undefined || !isSameBuild(file, other)) {
      throw new LabError("Cannot add up what two builds of a kernel have counted");
    }
    return {
      path: file.path,
      functions: file.functions.map((each, k) => ({
        ...each,
        count: each.count + (other.functions[k]?.count ?? 0),
        boot: each.boot + (other.functions[k]?.boot ?? 0),
      })),
      lines: file.lines.map((line, k) => sumOfLines(line, other.lines[k] ?? line)),
    };
  });
  return {
    ...a,
    runs: [...a.runs, ...b.runs],
    files,
    cases: unitedCases([...a.cases, ...b.cases]),
  };
}

function isSameBuild(a: CoveredFile, b: CoveredFile): boolean {
  const shape = ({ path, lines }: CoveredFile) =>
    JSON.stringify([path, lines.map(({ line, branches }) => [line, branches.length])]);
  return shape(a) === shape(b);
}

function sumOfLines(a: CoveredLine, b: CoveredLine): CoveredLine {
  const sum = (x: readonly number[], y: readonly number[]) =>
    (x.length < y.length ? y : x).map((_, i) => (x[i] ?? 0) + (y[i] ?? 0));
  return {
    line: a.line,
    count: a.count + b.count,
    boot: a.boot + b.boot,
    branches: sum(a.branches, b.branches),
    bootBranches: sum(a.bootBranches, b.bootBranches),
  };
}

/**
 * Reads what was stored.
 *
 * @param from where it stood, for messages.
 * @throws {LabError} if it is something else.
 */
export function parseCoverage(json: string, from: string): Coverage {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    value = undefined;
  }
  if (Value.Check(CoverageSchema, value)) return value;
  throw new LabError(`${from} is not what "lab --coverage" writes`);
}

/** A share: how many of how many. */
export interface Share {
  readonly ran: number;
  readonly of: number;
}

/** How much of a source, or of all, ran. */
export interface Shares {
  readonly lines: Share;
  readonly branches: Share;
  readonly functions: Share;
}

/** How much of some sources ran, boots not included unless told so. */
export function sharesOf(files: readonly CoveredFile[], withBoot = false): Shares {
  const boots = withBoot ? 1 : 0;
  const lines = files.flatMap(({ lines }) => lines);
  const functions = files.flatMap(({ functions }) => functions);
  const branches = lines.flatMap(({ branches, bootBranches }) =>
    branches.map((count, i) => count + boots * (bootBranches[i] ?? 0))
  );
  const counted = ({ count, boot }: { count: number; boot: number }) => count + boots * boot;
  return {
    lines: share(lines.map(counted)),
    branches: share(branches),
    functions: share(functions.map(counted)),
  };
}

function share(counts: readonly number[]): Share {
  return { ran: counts.filter((count) => count > 0).length, of: counts.length };
}
