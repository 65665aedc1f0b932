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
    if (line.startsWith("# TAP version ") && !isNested) isNested = true;
    else if (isNested && line.startsWith("# ")) {
      const nested = line.slice(2);
      if (!/^(not )?ok /.test(nested)) continue;
      const match = /^(not )?ok (\d+)( \d+)?( -)? ([^#]*[^ ])( +# +)?([^ ].*)?$/.exec(nested);
      // There it ends the whole parser.
      if (match === null) throw new Error(`NIPA cannot read "${nested}"`);
      const comment = match[6] === undefined ? "" : (match[7] ?? "").toLowerCase();
      const time = [...comment.matchAll(/time=(\d+)ms/g)].at(-1)?.[1];
      cases.push({
        name: namify(match[5] ?? ""),
        result: comment.startsWith("skip") ? "skip" : match[1] === undefined ? "pass" : "fail",
        ...(time === undefined ? {} : { time: Math.round(Number(time) / 1000) }),
      });
    } else isNested = false;
  }
  return cases;
}

/** A name as NIPA has it. */
export function namify(name: string): string {
  return name.replace(/[^0-9a-zA-Z]+/g, "-").replace(/-$/, "");
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
    const match = /^(not )?ok\s*\d*\s*([^#]*)#?\s*(.*)$/.exec(line);
    if (match === null) {
      if (line.startsWith("#")) comments += `${line.slice(1).trim()}\n`;
      return [];
    }
    const isOk = match[1] === undefined;
    const [description = "", directive = ""] = match.slice(2);
    const isSkip = /^skip/i.test(directive);
    const why = isOk && isSkip ? directive.slice(4) : "";
    const own = `${description.trim().replace(/^selftests:/, "")} ${why}`.trim();
    const name = `${prefix}${slugify(own === "" ? "<unknown>" : own)}`;
    const children = linaroNested(`${name}_`, comments);
    comments = "";
    return [...children, { name, result: isOk ? isSkip ? "skip" : "pass" : "fail" } as const];
  });
}

/** A name as Linaro's parser has it. */
export function slugify(name: string): string {
  return name.replace(/\[\d{1,5}\]/g, "").replace(/[^A-Za-z0-9_-]+/g, "_")
    .replace(/^_|_$/g, "").replace(/_-/g, "__");
}

/**
 * openQA (OpenQA::Parser::Format::KTAP): a group begins with a comment that names a program of
 * kselftest's, holds the results that are comments, but for skips, and ends with the program's.
 */
export function openqa(log: string): { name: string; result: Read; cases: ReadCase[] }[] {
  const groups: { name: string; result: Read; cases: ReadCase[] }[] = [];
  let group: (typeof groups)[number] | undefined;
  for (const line of log.split("\n")) {
    const [, begins] = /^#\s*selftests:\s+(.*)/.exec(line) ?? [];
    if (begins !== undefined) {
      const name = `selftests:${begins}`.replace(/[/.]/g, "_").replace(/\s/g, "");
      groups.push(group = { name, result: "pass", cases: [] });
      continue;
    }
    if (group === undefined) continue;
    const [, status, name = ""] = /^#\s*(ok|not ok)\s+\d+\s+([^#]*)/.exec(line) ?? [];
    if (status !== undefined) {
      if (/#\s*SKIP\b/i.test(line)) continue;
      group.cases.push({ name: name.trim(), result: status === "ok" ? "pass" : "fail" });
      if (status !== "ok") group.result = "fail";
    } else if (/^(not )?ok\b.* selftests: /.test(line)) {
      if (line.startsWith("not ok")) group.result = "fail";
      else if (/#\s*SKIP\b/i.test(line)) group.result = "skip";
      group = undefined;
    }
  }
  return groups;
}

/** The results of one level by the rules of the kernel's kunit.py, given as its input. */
export function kunitLevel(text: string): ReadCase[] {
  const [version = "", plan = "", ...rest] = text.trim().split("\n").map((line) => line.trim());
  if (!/^(KTAP version 1|TAP version 1[34])$/.test(version)) return [];
  const cases = rest.flatMap((line): ReadCase[] => {
    const match = /^(ok|not ok) \d+ ?(- )?([^#]*)( # .*)?$/.exec(line);
    if (match === null) return [];
    const isSkip = / # SKIP ?/.test(line);
    const name = (match[3] ?? "").trim();
    return [{ name, result: isSkip ? "skip" : match[1] === "ok" ? "pass" : "fail" }];
  });
  if (plan !== `1..${cases.length}`) throw new Error(`kunit.py misses results of ${plan}`);
  return cases;
}
