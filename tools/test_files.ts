/**
 * Test files, each in a process of its own and each test with a deadline: one that hangs is ended
 * with all that it started, and said by name, with what it waited for.
 *
 * @module
 */
import { killQuietly } from "../lab/vm/vm.ts";
import { firstErrorLine, sumOf, type TestCounts } from "./tally.ts";

/** How test files are run. */
export interface TestSettings {
  /** Where the files' paths begin. */
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  /** How many files run in parallel; the output of one alone is shown as it comes. */
  readonly jobs: number;
  /** How long a test may take, in milliseconds. */
  readonly limit: number;
  /** Takes what is to be shown. */
  readonly show: (text: string) => void;
}

/** How often the time is looked at, in milliseconds. */
const PAUSE = 200;
/** How long a process's output may outlive it, in milliseconds: whatever it started may hold it. */
export const REST = 2000;
/** How long Deno may take at least to begin with a file's tests, in milliseconds. */
const START = 60_000;
/** How much of a command line is shown, in characters. */
const SHOWN = 160;

/** The test files below folders of `root`, in order. */
export async function testFilesBelow(
  root: string,
  isWanted: (path: string) => boolean,
): Promise<string[]> {
  const files: string[] = [];
  const visit = async (folder: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(`${root}/${folder}`)) {
      const path = folder === "" ? name : `${folder}/${name}`;
      if (isDirectory && !name.startsWith(".") && name !== "node_modules") await visit(path);
      if (name.endsWith("_test.ts") && isWanted(path)) files.push(path);
    }
  };
  await visit("");
  return files.sort();
}

/** Runs test files, and shows how each ended; of those that fail, all that they wrote. */
export async function runTestFiles(
  files: readonly string[],
  settings: TestSettings,
): Promise<TestCounts> {
  const counts: TestCounts[] = [];
  const left = [...files];
  const worker = async () => {
    for (let file = left.shift(); file !== undefined; file = left.shift()) {
      counts.push(await runTestFile(file, settings));
    }
  };
  await Promise.all(Array.from({ length: settings.jobs }, worker));
  return sumOf(counts);
}

async function runTestFile(file: string, settings: TestSettings): Promise<TestCounts> {
  const { root, env, jobs, show } = settings;
  const started = performance.now();
  const run = new TestRun(file, settings);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", file],
    cwd: root,
    env: { ...env, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const streams = [run.read(child.stdout, "results"), run.read(child.stderr, "rest")];
  const watch = run.watch(child.pid);
  const status = await child.status;
  run.isOver = true;
  const hung = await watch;
  await Promise.race([Promise.all(streams), new Promise((resolve) => setTimeout(resolve, REST))]);
  const counts = run.counts(status, hung);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const word = counts.failed === 0 ? "ok" : "FAILED";
  if (jobs > 1 && counts.failed > 0) show(run.text);
  if (hung !== undefined) show(`FAILED: ${file}: ${hung}\n`);
  show(`${word}: ${file} (${counts.passed} passed, ${counts.failed} failed, ${seconds} s)\n`);
  return counts;
}

/** What a process that runs a test file writes, and how far it is. */
class TestRun {
  readonly #file: string;
  readonly #settings: TestSettings;
  /** All that it wrote. */
  text = "";
  /** What Deno says of the tests, and what they wrote themselves. */
  #results = "";
  /** What else its process writes. */
  #rest = "";
  /** How far it was when it was last looked at, and since when it is so far. */
  #ended = 0;
  #since = performance.now();
  /** The process has ended. */
  isOver = false;

  constructor(file: string, settings: TestSettings) {
    this.#file = file;
    this.#settings = settings;
  }

  async read(stream: ReadableStream<Uint8Array>, what: "results" | "rest"): Promise<void> {
    for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
      this.text += piece;
      if (what === "results") this.#results += piece;
      else this.#rest += piece;
      if (this.#settings.jobs === 1) this.#settings.show(piece);
    }
  }

  /** Ends the process when a test takes too long, and tells of that. */
  async watch(pid: number): Promise<string | undefined> {
    while (!this.isOver) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      // Deno first says that it runs tests: before, no test can be blamed for the time it takes.
      const begun = /^running \d+ tests? from /m.test(this.#said);
      const ended = [...this.#said.matchAll(RESULT)].length + (begun ? 1 : 0);
      if (ended !== this.#ended) this.#since = performance.now();
      this.#ended = ended;
      const { limit } = this.#settings;
      const patience = begun ? limit : Math.max(limit, START);
      if (performance.now() - this.#since < patience || this.isOver) continue;
      const processes = await descendantsOf(pid);
      // The test itself first: what it waited for must not seem to have come.
      for (const each of [{ pid }, ...processes]) killQuietly(each.pid, "SIGKILL");
      return this.#complaint(processes);
    }
    return undefined;
  }

  #complaint(processes: readonly Process[]): string {
    const seconds = this.#settings.limit / 1000;
    const what = testUnderWay(this.#said) ?? "no test";
    const lines = processes.map(({ pid, command }) => `\n  ${pid}: ${command}`);
    const waited = lines.length === 0
      ? "none of its processes"
      : `these processes:${lines.join("")}`;
    return `${what} had not ended after ${seconds} s; it waited for ${waited}`;
  }

  /**
   * How its tests ended.
   *
   * @param status how the process ended.
   * @param hung what a test waited for that took too long.
   */
  counts(status: Deno.CommandStatus, hung?: string): TestCounts {
    const results = [...this.#said.matchAll(RESULT)].map(([, , how]) => how);
    const count = (what: string) => results.filter((how) => how === what).length;
    // A process that was ended has not come to its summary.
    const [, passed = count("ok"), failed = count("FAILED")] = SUMMARY.exec(this.#said) ?? [];
    const failures = this.#failures(status, hung).map((text) => `${this.#file}: ${text}`);
    return {
      passed: Number(passed),
      failed: Math.max(Number(failed), failures.length === 0 ? 0 : 1),
      failures,
      ignored: [...this.#said.matchAll(IGNORED)].map(([, name]) => `${this.#file}: ${name}`),
    };
  }

  /** The tests that failed, or what else did, with the first line of each error. */
  #failures({ success, signal }: Deno.CommandStatus, hung: string | undefined): string[] {
    const [, errors = ""] = this.#said.split(/^ ERRORS $/m);
    const failures = [...errors.matchAll(ERROR)].map(([, test, module, first = "", next = ""]) => {
      // The first line of an assertion's error only announces what differs.
      const differs = next.split("\n").map((line) => line.trim()).join(" ");
      const line = first.endsWith(":") && differs !== "" ? `${first} ${differs}` : first;
      return test === undefined ? `outside of a test, in ${module}: ${line}` : `${test}: ${line}`;
    });
    if (hung !== undefined) failures.push(hung.split("\n").join(" "));
    if (success || failures.length > 0) return failures;
    const why = signal === null ? firstErrorLine(this.#rest || this.text) : `it ended by ${signal}`;
    return [`no test failed, but its process did: ${why}`];
  }

  /** What Deno says of the tests, without what they wrote. */
  get #said(): string {
    return this.#results.replace(/^-+ output -+$[^]*?^-+ output end -+$/gm, "");
  }
}

/**
 * A line on how a test ended; that of a step is indented. Where Deno said in between that a test has
 * been running for long, the end alone has a line.
 */
const RESULT = /^(?:(\S.*) \.\.\.)? (ok|FAILED|ignored) \(.*\)$/gm;
/**
 * The heading of a test's error, or of one outside of tests, its first line, and the next one; of
 * lists that differ the first few elements.
 */
const ERROR =
  /^(?:(\S.*) => \S+:\d+:\d+|(\S+) \(uncaught error\))\nerror: (?:\(in promise\) )?(.*)\n\n?(?:\+ actual.*\n\n?)?(.*(?:\n[+-] +\S.*){0,3})$/gm;
/** The last line. */
const SUMMARY = /^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed/m;
/** A line on a test or a step that was not run. */
const IGNORED = /^ *(\S.*) \.\.\. ignored \(.*\)$/gm;

/** The test, and the steps in it, that have begun and not ended. */
function testUnderWay(text: string): string | undefined {
  const names: string[] = [];
  for (const line of text.split("\n")) {
    const [, indent = "", name = "", how] = /^( *)(\S.*) \.\.\.( \S.*)?\s*$/.exec(line) ?? [];
    if (name === "") continue;
    names.length = Math.min(names.length, indent.length / 2);
    if (how === undefined) names.push(`"${name}"`);
  }
  return names.length === 0 ? undefined : names.join(", ");
}

/** A process that runs. */
interface Process {
  readonly pid: number;
  readonly command: string;
}

/** What a process has started, and that in turn. */
async function descendantsOf(pid: number): Promise<Process[]> {
  const found: Process[] = [];
  const tasks = await Array.fromAsync(Deno.readDir(`/proc/${pid}/task`)).catch(() => []);
  for (const { name } of tasks) {
    const path = `/proc/${pid}/task/${name}/children`;
    const children = await Deno.readTextFile(path).catch(() => "");
    for (const child of children.split(" ").filter((word) => word !== "").map(Number)) {
      const line = await Deno.readTextFile(`/proc/${child}/cmdline`).catch(() => "");
      const command = line.replaceAll("\0", " ").trim().slice(0, SHOWN);
      found.push({ pid: child, command }, ...await descendantsOf(child));
    }
  }
  return found;
}
