/**
 * What those make of KTAP who read kselftest's output in CI, by their rules, written down anew: each
 * function is what one of them does with the output of a program. docs/kselftest.md names them.
 *
 * @module
 */

/** How a program or a case of it ended, for a reader. */
export type Read = "pass" | "fail" | "skip";

/** A case as a reader names it. */
export interface ReadCase {
  readonly name: string;
  readonly result: Read;
  /** In seconds, where the reader takes it. */
  readonly time?: number;
}

/** The program that kselftest's runner is taken to have run. */
const PROGRAM = "vsock: conformance.sh";
/** kselftest's exit code of a program that was skipped. */
const SKIPPED = 4;

/** The log of kselftest's runner (run_kselftest.sh) of one program, by what that wrote. */
export function kselftestLog(output: string, code: number): string {
  const lines = output.replace(/\n$/, "").split("\n").map((line) => `# ${line}`);
  const end = code === 0
    ? `ok 1 selftests: ${PROGRAM}`
    : code === SKIPPED
    ? `ok 1 selftests: ${PROGRAM} # SKIP`
    : `not ok 1 selftests: ${PROGRAM} # exit=${code}`;
  return ["TAP version 13", "1..1", `# selftests: ${PROGRAM}`, ...lines, end, ""].join("\n");
}

/**
 * netdev's NIPA (contest/remote/lib/results.py): words anywhere in the log, then the program's exit
 * code, then the lines behind a `# TAP version`.
 */
export function nipa(log: string, code: number): { result: Read; cases: ReadCase[] } {
  const has = (...words: string[]) => words.some((word) => log.includes(word));
  const failed = has("[FAIL]", "[fail]", " FAIL:", "\n# not ok 1") ||
    /\nnot ok \d+( \d+)? selftests: /.test(log);
  const skipped = has("[SKIP]", "[skip]", " # SKIP", "SKIP:");
  const passed = has("[OKAY]", "[PASS]", "[ OK ]", "[OK]", "[ ok ]", "[pass]", "PASSED all ") ||
    /\nok \d+( \d+)? selftests: /.test(log);
  let result: Read = skipped || !passed ? "skip" : "pass";
  if (code === SKIPPED) result = "skip";
  else if (code !== 0) result = "fail";
  return { result: failed ? "fail" : result, cases: nipaCases(log) };
}

function nipaCases(log: string): ReadCase[] {
  const cases: ReadCase[] = [];
  let isNested = false;
  for (const line of log.split("\n")) {
    const isComment = line.startsWith("# ");
    if (!isNested && line.startsWith("# TAP version ")) isNested = true;
    else if (!isNested || !isComment) isNested = false;
    else if (/^# (not )?ok /.test(line)) cases.push(nipaCase(line.slice(2)));
  }
  return cases;
}

function nipaCase(line: string): ReadCase {
  const read = resultOf(line);
  // There it ends the whole parser.
  if (read === undefined || /[^ ]#|#[^ ]/.test(line)) throw new Error(`NIPA cannot read "${line}"`);
  const comment = read.comment.toLowerCase();
  const times = comment.split("time=").slice(1).map((text) => /^\d+(?=ms)/.exec(text)?.[0]);
  const time = times.findLast((text) => text !== undefined);
  return {
    name: namify(read.name),
    result: comment.startsWith("skip") ? "skip" : read.isOk ? "pass" : "fail",
    ...(time === undefined ? {} : { time: Math.round(Number(time) / 1000) }),
  };
}

/** A line that is a result: what is in front of its number, its name, and what stands behind `#`. */
function resultOf(line: string): { isOk: boolean; name: string; comment: string } | undefined {
  const [, not, rest] = /^(not )?ok\s+\d+\s+(?:-\s+)?(\S.*)$/.exec(line) ?? [];
  if (rest === undefined) return undefined;
  const [name = "", ...comments] = rest.split("#");
  return { isOk: not === undefined, name: name.trim(), comment: comments.join("#").trim() };
}

/** A name as NIPA has it: letters and digits, in words. */
export function namify(name: string): string {
  const words = name.split(/[^a-z\d]+/i);
  return (words.at(-1) === "" ? words.slice(0, -1) : words).join("-");
}

/**
 * Linaro's (tuxrun, LAVA; test-definitions, kselftest/parse-output.py): comments are taken for the
 * nested results of the line below them, all levels alike, since spaces are stripped; names are
 * made of letters, and those that are there twice get a number.
 */
export function linaro(log: string): ReadCase[] {
  const seen = new Map<string, number>();
  return linaroNested("", log).map(({ name, result }) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return { name: count > 1 ? `${name}_dup${count}` : name, result };
  });
}

function linaroNested(prefix: string, text: string): ReadCase[] {
  let comments = "";
  return text.split("\n").flatMap((line) => {
    const read = resultOf(line);
    if (read === undefined) {
      if (line.startsWith("#")) comments += `${line.slice(1).trim()}\n`;
      return [];
    }
    const isSkip = read.comment.toLowerCase().startsWith("skip");
    const why = read.isOk && isSkip ? read.comment.slice("skip".length) : "";
    const own = read.name.startsWith("selftests:")
      ? read.name.slice("selftests:".length)
      : read.name;
    const name = `${prefix}${slugify(`${own.trim()} ${why}`.trim())}`;
    const children = linaroNested(`${name}_`, comments);
    comments = "";
    return [...children, { name, result: read.isOk ? isSkip ? "skip" : "pass" : "fail" } as const];
  });
}

/** A name as Linaro's parser has it: words joined by `_`, but for `-`, and no number in brackets. */
export function slugify(name: string): string {
  const joined = name.split(/\[\d{1,5}\]/).join("").split(/[^\w-]+/).join("_");
  const from = joined.startsWith("_") ? 1 : 0;
  return joined.slice(from, joined.endsWith("_") ? -1 : undefined).split("_-").join("__");
}

/**
 * openQA (OpenQA::Parser::Format::KTAP): a group begins with a comment that names a program of
 * kselftest's, holds the results that are comments, but for skips, and ends with the program's.
 */
export function openqa(log: string): { name: string; result: Read; cases: ReadCase[] }[] {
  const groups: { name: string; result: Read; cases: ReadCase[] }[] = [];
  let group: (typeof groups)[number] | undefined;
  for (const line of log.split("\n")) {
    const comment = line.startsWith("#") ? line.slice(1).trimStart() : undefined;
    if (comment?.startsWith("selftests: ")) {
      const name = comment.split(/\s+/).join("").replaceAll("/", "_").replaceAll(".", "_");
      groups.push(group = { name, result: "pass", cases: [] });
      continue;
    }
    const read = resultOf(comment ?? line);
    if (group === undefined || read === undefined) continue;
    const isSkip = /^skip\b/i.test(read.comment);
    if (comment !== undefined && !isSkip) {
      group.cases.push({ name: read.name, result: read.isOk ? "pass" : "fail" });
    }
    if (!read.isOk) group.result = "fail";
    if (comment !== undefined || !read.name.startsWith("selftests: ")) continue;
    if (read.isOk && isSkip) group.result = "skip";
    group = undefined;
  }
  return groups;
}

/** The results of one level by the rules of the kernel's kunit.py, given as its input. */
export function kunitLevel(text: string): ReadCase[] {
  const [version = "", plan = "", ...rest] = text.trim().split("\n").map((line) => line.trim());
  if (!["KTAP version 1", "TAP version 13", "TAP version 14"].includes(version)) return [];
  const cases = rest.flatMap((line): ReadCase[] => {
    const read = resultOf(line);
    if (read === undefined) return [];
    // In capitals, with a space on each side of the mark, and nothing else.
    const isSkip = line.includes(" # SKIP");
    return [{ name: read.name, result: isSkip ? "skip" : read.isOk ? "pass" : "fail" }];
  });
  if (plan !== `1..${cases.length}`) throw new Error(`kunit.py misses results of ${plan}`);
  return cases;
}
