/**
 * Runs gcov(1) to find out which lines, branches and functions counters belong to.
 *
 * @module
 */
import type { CounterFiles } from "../control/counters_wire.ts";
import { LabError } from "../lab/error.ts";
import { output } from "../lab/host/command.ts";
import type { Counted } from "../lab/kernel/coverage.ts";

/** A function of a source. */
export interface FunctionCount {
  readonly name: string;
  /** Its first and last line. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** A line with code. */
export interface LineCount {
  readonly line: number;
  readonly count: number;
  /** How often each arc that leaves it was taken. */
  readonly branches: readonly number[];
}

/** The counts of a source. */
export interface FileCount {
  /** Its path in the kernel's tree. */
  readonly path: string;
  readonly functions: readonly FunctionCount[];
  readonly lines: readonly LineCount[];
}

/** The part of gcov's JSON that is used, see gcov(1). */
interface GcovFile {
  readonly file: string;
  readonly functions: readonly {
    readonly name: string;
    readonly start_line: number;
    readonly end_line: number;
    readonly execution_count: number;
  }[];
  readonly lines: readonly {
    readonly line_number: number;
    readonly count: number;
    readonly branches?: readonly { readonly count: number }[];
  }[];
}

/**
 * The counts of all sources that are counted; without counters, all are 0.
 *
 * @param folder an empty folder to work in, which is left with the files that gcov read.
 */
export async function countsOf(
  { files, gcov }: Counted,
  counters: CounterFiles,
  folder: string,
  signal: AbortSignal,
): Promise<FileCount[]> {
  const counts: FileCount[] = [];
  for (const { path, notes } of files) {
    const name = path.replace(/\.c$/, "");
    const data = counters.get(name);
    const stem = `${folder}/${name.replaceAll("/", "+")}`;
    await Deno.remove(`${stem}.gcda`).catch(() => {});
    await Deno.copyFile(notes, `${stem}.gcno`);
    if (data !== undefined) await Deno.writeFile(`${stem}.gcda`, data);
    const args = ["--json-format", "--stdout", "--branch-probabilities", `${stem}.gcno`];
    const text = await output(gcov, args, { cwd: folder, signal });
    counts.push(fileCount(path, text));
  }
  return counts;
}

function fileCount(path: string, text: string): FileCount {
  let files: readonly GcovFile[];
  try {
    ({ files } = JSON.parse(text));
  } catch {
    throw new LabError(`gcov's output on ${path} is no JSON: ${text.slice(0, 200)}`);
  }
  const found = files.find(({ file }) => file === path || file.endsWith(`/${path}`));
  if (found === undefined) throw new LabError(`gcov says nothing of ${path}`);
  const lines = new Map<number, LineCount>();
  for (const { line_number: line, count, branches = [] } of found.lines) {
    // A line in several functions is listed once for each.
    const known = lines.get(line);
    lines.set(line, {
      line,
      count: (known?.count ?? 0) + count,
      branches: [...known?.branches ?? [], ...branches.map(({ count }) => count)],
    });
  }
  return {
    path,
    functions: found.functions.map((each) => ({
      name: each.name,
      from: each.start_line,
      to: each.end_line,
      count: each.execution_count,
    })).sort((a, b) => a.from - b.from),
    lines: [...lines.values()].sort((a, b) => a.line - b.line),
  };
}
