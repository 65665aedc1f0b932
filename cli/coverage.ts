/**
 * What `lab --coverage` does before a run, and the files that it writes afterwards.
 *
 * @module
 */
import { resolve } from "node:path";
import { jsonText } from "../core/clean.ts";
import { reasonOf, UsageError } from "../core/error.ts";
import type { Topology } from "../core/plan.ts";
import { type Counted, countedBy } from "../lab/kernel/coverage.ts";
import { archOfLab } from "../lab/prepare.ts";
import type { Progress } from "../lab/progress.ts";
import type { LabOptions } from "../lab/types.ts";
import type { Ends } from "../runner/case.ts";
import type { CounterFiles } from "../control/counters_wire.ts";
import { countsOf, type FileCount } from "../gcov/run_gcov.ts";
import { lcovInfo } from "../gcov/info.ts";
import { type CaseLines, type Coverage, coverageOf, parseCoverage, united } from "../gcov/model.ts";
import { coveragePage } from "../gcov/page.ts";
import { Recorder } from "../gcov/recorder.ts";
import { readGroups } from "../gcov/groups.ts";
import { type Column, coverageTable, differences } from "../gcov/table.ts";
import type { CoverageOptions } from "./options/coverage.ts";

const STORED = "coverage.json";

/** Coverage that was asked for. */
export class CoverageRun {
  readonly #folder: string;
  readonly #counted: Counted;
  readonly #base: Coverage | undefined;
  readonly #before: Coverage | undefined;
  readonly #topology: Topology;
  readonly #progress: Progress;
  #recorder: Recorder | undefined;
  #kernel = "";

  private constructor(
    folder: string,
    counted: Counted,
    earlier: { readonly base: Coverage | undefined; readonly before: Coverage | undefined },
    topology: Topology,
    progress: Progress,
  ) {
    this.#folder = folder;
    this.#counted = counted;
    this.#base = earlier.base;
    this.#before = earlier.before;
    this.#topology = topology;
    this.#progress = progress;
  }

  /**
   * Checks, before anything boots, that the kernel counts and that the files can be written.
   *
   * @returns undefined if no coverage was asked for.
   * @throws {UsageError} {@linkcode LabError}
   */
  static async prepare(
    { coverage, coverageBase }: CoverageOptions,
    lab: LabOptions,
    progress: Progress,
  ): Promise<CoverageRun | undefined> {
    if (coverage === undefined) return undefined;
    const { name } = await archOfLab(lab);
    const folder = resolve(coverage);
    await requireFolder(folder);
    const base = coverageBase === undefined ? undefined : await storedIn(coverageBase);
    if (coverageBase !== undefined && base === undefined) {
      throw new UsageError(`There is no ${STORED} in ${coverageBase}`);
    }
    const before = await storedIn(folder);
    const counted = await countedBy(lab.kernel.kernel, name, progress);
    return new CoverageRun(folder, counted, { base, before }, lab.topology, progress);
  }

  /** What looks at the machines between cases. */
  recorderOf({ host, guest }: Ends): Recorder {
    const { uname, kernel } = host.facts;
    this.#kernel = uname ?? kernel;
    // On loopback both ends are one machine.
    return this.#recorder = new Recorder(this.#topology === "loopback" ? [host] : [host, guest]);
  }

  /** Writes the files; what the folder has of earlier runs of the same build is added. */
  async write(): Promise<void> {
    const recorder = this.#recorder;
    if (recorder === undefined) return;
    const { stop } = this.#progress;
    const work = await Deno.makeTempDir({ prefix: "vsock-conformance-gcov-" });
    try {
      await this.#progress.phase("coverage", "reading what the kernel counted", async (detail) => {
        const counts = (counters: CounterFiles) => countsOf(this.#counted, counters, work, stop);
        const cases: CaseLines[] = [];
        for (const [i, { id, counters }] of recorder.cases.entries()) {
          detail(`case ${i + 1} of ${recorder.cases.length}`);
          cases.push({ id, files: await this.#linesOf(counters, work) });
        }
        const { lost } = recorder;
        const about = { kernel: this.#kernel, topology: this.#topology, lost };
        const boot = await counts(recorder.boot);
        const run: FileCount[] = await counts(recorder.run);
        await this.#store(coverageOf(about, boot, run, cases));
      });
    } finally {
      await Deno.remove(work, { recursive: true });
    }
    for (const why of recorder.lost) this.#progress.log(`counters are missing: ${why}`);
    this.#progress.log(`coverage: ${this.#folder}/index.html`);
  }

  /** Only of sources in which something was counted. */
  async #linesOf(counters: CounterFiles, work: string): Promise<readonly FileCount[]> {
    const files = this.#counted.files
      .filter(({ path }) => counters.has(path.replace(/\.c$/, "")));
    return await countsOf({ ...this.#counted, files }, counters, work, this.#progress.stop);
  }

  async #store(run: Coverage): Promise<void> {
    const all = this.#before === undefined ? run : united(this.#before, run);
    const sources = new Map(this.#counted.files.map(({ path, source }) => [path, source]));
    const texts = new Map<string, string>();
    for (const [path, source] of sources) texts.set(path, await Deno.readTextFile(source));
    const columns: Column[] = [
      ...this.#base === undefined ? [] : [{ name: "base", coverage: this.#base }],
      { name: "run", coverage: all },
      { name: "with boot", coverage: all, withBoot: true },
    ];
    const compared = this.#base === undefined ? [] : differences(this.#base, all);
    const table = coverageTable(columns);
    const page = coveragePage({
      coverage: all,
      texts,
      columns,
      compared,
      groups: await readGroups(),
    });
    const write = (name: string, text: string) =>
      Deno.writeTextFile(`${this.#folder}/${name}`, text);
    await write(STORED, JSON.stringify(all));
    await write("coverage.info", lcovInfo(all, (path) => sources.get(path) ?? path));
    await write("coverage.md", table);
    await write("index.html", page);
    if (this.#base !== undefined) await write("differences.json", jsonText(compared));
  }
}

async function storedIn(folder: string): Promise<Coverage | undefined> {
  const path = `${folder}/${STORED}`;
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new UsageError(`Cannot read ${path}: ${reasonOf(error)}`);
  }
  return parseCoverage(text, path);
}

/** @throws {UsageError} if files cannot be written there. */
async function requireFolder(folder: string): Promise<void> {
  const probe = `${folder}/.writable`;
  try {
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(probe, "");
    await Deno.remove(probe);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new UsageError(`Cannot write coverage to ${folder}: ${reasonOf(error)}`);
  }
}
