/**
 * A lab in a process of its own, whose report is there however it ends.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { reportNotStarted, type RunReport } from "../report/model.ts";
import { renderReport } from "../report/render.ts";
import { readReport } from "./read_report.ts";

/** How a lab ended. */
export interface LabEnd {
  readonly code: number;
  readonly report: RunReport;
  /** Whether the lab has written the report, and not this process in its place. */
  readonly isWritten: boolean;
}

/**
 * Runs `lab` in a process of its own, which writes to this one's output.
 *
 * @param args the arguments behind `lab`, without `--report`.
 * @param path the file of its report, replaced; where the process leaves none, it says so.
 * @param stop ends it as SIGTERM does, and waits until it has shut its VMs down.
 */
export async function labProcess(
  args: readonly string[],
  path: string,
  stop: AbortSignal,
): Promise<LabEnd> {
  await Deno.remove(path).catch(() => {});
  const startedAt = new Date();
  const argv = ["lab", ...args];
  await using child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", toolPath(), ...argv, "--report", `json=${path}`],
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  const end = () => child.kill("SIGTERM");
  stop.addEventListener("abort", end);
  const { code } = await child.status.finally(() => stop.removeEventListener("abort", end));
  const exists = await Deno.stat(path).then(() => true, () => false);
  if (!exists) {
    const intended = { argv, startedAt, caseTimeout: 0, plan: [], facts: { again: argv }, seed: 0 };
    const why = `lab ended with ${code} and left no report`;
    const report = reportNotStarted({ ...intended, topology: "guest-host" }, why);
    await Deno.writeTextFile(path, renderReport("json", report));
  }
  return { code, report: await readReport(path), isWritten: exists };
}

/** The program that is running: cli.ts, or a bundle. */
function toolPath(): string {
  const self = new URL(import.meta.url);
  const isSource = self.pathname.endsWith("/cli/lab_process.ts");
  return fileURLToPath(isSource ? new URL("../cli.ts", self) : self);
}
