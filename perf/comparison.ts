/**
 * Compares the tool with C: medians, their ratio, and its spread.
 *
 * @module
 */
import { signedRank } from "./signed_rank.ts";

/** One thing that was measured of ours and of C, as often of either, in turn. */
export interface Row {
  readonly id: string;
  readonly what: string;
  readonly unit: string;
  /** Whether a larger figure is the better one. */
  readonly better: "more" | "less";
  /** The ratio of ours to C that is aimed at: at least, or at most. */
  readonly target: number;
  readonly ours: readonly number[];
  readonly c: readonly number[];
}

/** A comparison with what it was made on. */
export interface Comparison {
  readonly tool: string;
  readonly startedAt: string;
  /** Over what: `AF_UNIX`, or AF_VSOCK in a topology of VMs. */
  readonly over: string;
  /** The machine that ran it: processors and kernel. */
  readonly machine: string;
  /** What VMs' kernels are, and how their processors come about. */
  readonly vm?: string;
  /** Where C's programs come from. */
  readonly c: string;
  /** Why not all was measured, if so. */
  readonly cutShort?: string;
  readonly rows: readonly Row[];
}

/** What follows from a row. */
export interface Summary {
  readonly ours: number;
  readonly c: number;
  /** Of the medians: ours to C's. */
  readonly ratio: number;
  /** The least and the greatest ratio of two neighbouring measurements. */
  readonly spread: readonly [number, number];
  /** Of the best of either: what others do on the machine makes figures only worse. */
  readonly best: number;
  /** How likely such pairs are where ours and C are alike, by Wilcoxon's signed-rank test. */
  readonly alike: number;
  /** How likely they are where ours is just as far from C as is aimed at. */
  readonly chance: number;
  readonly target: Standing;
}

/** How a row stands to its target: missed only where chance does not explain it. */
export type Standing = "met" | "missed" | "open";

/** Chance explains what is as likely as this, or more. */
const LEVEL = 0.05;

/** The median; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[sorted.length >> 1] ?? NaN;
  const lower = sorted[(sorted.length - 1) >> 1] ?? NaN;
  return (lower + upper) / 2;
}

/** Summarises a row. */
export function summarise({ ours, c, better, target }: Row): Summary {
  const ratios = ours.map((value, i) => value / (c[i] ?? NaN));
  const medians = [median(ours), median(c)] as const;
  const ratio = medians[0] / medians[1];
  const best = better === "more" ? Math.max : Math.min;
  // By how many powers of e: twice as fast and half as fast are as far from 1.
  const away = (from: number) => ratios.map((ratio) => roundOff(Math.log(ratio / from)));
  const isMet = better === "more" ? ratio >= target : ratio <= target;
  const chance = signedRank(away(target))[better === "more" ? "less" : "more"];
  return {
    ours: medians[0],
    c: medians[1],
    ratio,
    spread: [Math.min(...ratios), Math.max(...ratios)],
    best: best(...ours) / best(...c),
    alike: signedRank(away(1)).either,
    chance,
    target: isMet ? "met" : chance < LEVEL ? "missed" : "open",
  };
}

/** Without what division adds to a figure: equal ratios are equal, and 1 is C. */
function roundOff(value: number): number {
  return Math.round(value * 1e12) / 1e12;
}

/** How a row stands to its target, in words. */
export function standingText({ target, chance }: Summary): string {
  const p = `p = ${probability(chance)}`;
  if (target === "met") return "met";
  return target === "missed" ? `missed (${p})` : `not reached, as chance may have it (${p})`;
}

/** Whether ours and C differ, in words. */
export function differenceText({ alike }: Summary): string {
  return `${alike < LEVEL ? "yes" : "not shown"} (p = ${probability(alike)})`;
}

function probability(value: number): string {
  return value < 0.001 ? "0.000" : value.toPrecision(2);
}

/** A comparison as a table in text. */
export function comparisonText(comparison: Comparison): string {
  const cells = comparison.rows.map((row) => {
    const summary = summarise(row);
    const { ours, c, ratio, spread, best } = summary;
    return [
      row.what,
      `${figure(ours)} ${row.unit}`,
      `${figure(c)} ${row.unit}`,
      ratio.toFixed(2),
      spread.map((value) => value.toFixed(2)).join(" to "),
      best.toFixed(2),
      differenceText(summary),
      `${targetText(row)}: ${standingText(summary)}`,
    ];
  });
  const table = [
    ["median of", "ours", "C", "ratio", "its spread", "of the best", "differs", "target"],
    ...cells,
  ];
  const widths = (table[0] ?? []).map((_, i) =>
    Math.max(...table.map((row) => row[i]?.length ?? 0))
  );
  const lines = table.map((row) =>
    row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ").trimEnd()
  );
  return [...headOf(comparison), "", ...lines, ""].join("\n");
}

/** A comparison as JSON: every figure, and what follows from them. */
export function comparisonJson(comparison: Comparison): string {
  const rows = comparison.rows.map((row) => ({ ...row, summary: summarise(row) }));
  return `${JSON.stringify({ ...comparison, rows }, null, 2)}\n`;
}

/** What a comparison was made on, a line each. */
export function headOf(
  { over, machine, vm, c, rows, startedAt, cutShort }: Comparison,
): string[] {
  const most = rows[0]?.ours.length ?? 0;
  const times = cutShort === undefined ? most : `at most ${most}`;
  return [
    `ours and C in turn over ${over}, ${times} times each, ${startedAt.slice(0, 10)}`,
    `machine: ${machine}`,
    ...(vm === undefined ? [] : [`VMs: ${vm}`]),
    `C: ${c}`,
    ...(cutShort === undefined ? [] : [`cut short: ${cutShort}`]),
  ];
}

/** `at least 0.95 of C`. */
export function targetText({ better, target }: Row): string {
  return `at ${better === "more" ? "least" : "most"} ${target.toFixed(2)}`;
}

/** A figure with three digits. */
export function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
