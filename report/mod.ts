/**
 * Reports of runs: made from a run's events, read, rendered in every form, and compared.
 *
 * @example Read two stored reports, render the later one, and say what got worse
 * ```ts
 * import { diffReports, isRegression, parseReport, renderReport } from "@vsock/conformance/report";
 *
 * const read = async (path: string) => parseReport(await Deno.readTextFile(path), path);
 * const [earlier = "earlier.json", later = "later.json"] = Deno.args;
 * const [before, after] = [await read(earlier), await read(later)];
 * console.log(renderReport("markdown", after));
 * const changes = diffReports(before, after);
 * for (const { kind, after } of changes) console.log(`${kind}: ${after?.id}`);
 * Deno.exitCode = isRegression(changes) ? 1 : 0;
 * ```
 *
 * @module
 */
export { type Change, type ChangeKind, diffReports, isRegression } from "./diff.ts";
export { REPORT_FORMATS, type ReportFormat } from "./formats.ts";
export {
  ReportBuilder,
  type ReportedCase,
  ReportError,
  type RunReport,
  type RunSetting,
} from "./model.ts";
export { renderReport } from "./render.ts";
export { parseReport } from "./schema.ts";
