/**
 * Coverage in the format of lcov's tracefiles (geninfo(1)), which genhtml and editors read.
 *
 * @module
 */
import type { Coverage, CoveredFile } from "./model.ts";

/**
 * Writes a tracefile; boots are not counted.
 *
 * @param sourceOf the path of a source here.
 */
export function lcovInfo({ files }: Coverage, sourceOf: (path: string) => string): string {
  return files.map((file) => section(file, sourceOf(file.path))).join("");
}

function section({ functions, lines }: CoveredFile, source: string): string {
  const branches = lines.flatMap(({ line, count, branches }) =>
    branches.map((taken, i) => ({ taken, text: `${line},0,${i},${count === 0 ? "-" : taken}` }))
  );
  const hit = (counts: readonly number[]) => counts.filter((count) => count > 0).length;
  return [
    "TN:vsock_conformance",
    `SF:${source}`,
    ...functions.map(({ name, from }) => `FN:${from},${name}`),
    ...functions.map(({ name, count }) => `FNDA:${count},${name}`),
    `FNF:${functions.length}`,
    `FNH:${hit(functions.map(({ count }) => count))}`,
    ...branches.map(({ text }) => `BRDA:${text}`),
    `BRF:${branches.length}`,
    `BRH:${hit(branches.map(({ taken }) => taken))}`,
    ...lines.map(({ line, count }) => `DA:${line},${count}`),
    `LF:${lines.length}`,
    `LH:${hit(lines.map(({ count }) => count))}`,
    "end_of_record",
    "",
  ].join("\n");
}
