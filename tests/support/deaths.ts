/**
 * Runs over the stand-in during which processes are killed, for tests and tools.
 *
 * @module
 */
import { Random } from "../../core/random.ts";
import type { RunReport } from "../../report/model.ts";
import { parseReport } from "../../report/schema.ts";
import { childrenOf, Tool } from "./tool.ts";
import { freshName } from "./unix_pair.ts";

/** Whose death it is. */
export type Victim =
  /** The process of the agent that runs cases; another takes its place. */
  | "agent"
  /** As that, of the agent on the controller's side. */
  | "own-agent"
  /** The process that would start it anew: nothing comes back. */
  | "supervisor";

/** What came of a run. */
export interface DeathResult {
  readonly code: number;
  readonly report: RunReport;
  /** Whether the process was still there to be killed. */
  readonly killed: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Cases that AF_UNIX passes and that take their time, so that a death finds one under way. */
const CASES = [
  "stream/connect/hundred-at-once",
  "stream/msg-peek",
  "stream/close",
  "seqpacket/rcvtimeo",
  "seqpacket/msg-*/*",
];

/** Makes a run, kills somebody some time after it began, and reads its report. */
export async function runWithDeath(victim: Victim, milliseconds: number): Promise<DeathResult> {
  const name = freshName();
  const folder = await Deno.makeTempDir({ prefix: "vsock-conformance-test-" });
  const stand = ["--peer-cid", "1", "--stand-in", name];
  await using agent = new Tool(["agent", ...stand, "--listen", "127.0.0.1:0"]);
  try {
    const [, address = ""] = await agent.says(/listening on (\S+)/);
    const json = `${folder}/run.json`;
    // No case hangs, and whoever is to come back does: only what never comes takes that long.
    const times = ["--case-timeout", "60", "--connect-timeout", "15"];
    const args = ["run", ...stand, "--agent", address, "--ktap", ...times];
    await using run = new Tool([...args, "--report", `json=${json}`, ...CASES]);
    await run.says(/cases, seed/);
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    const killed = await kill(victim, agent.pid, run.pid);
    const { code, stdout, stderr } = await run.ended();
    const report = parseReport(await Deno.readTextFile(json), json);
    return { code, report, killed, stdout, stderr };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function kill(victim: Victim, agent: number, run: number): Promise<boolean> {
  const pid = victim === "supervisor"
    ? agent
    : (await childrenOf(victim === "agent" ? agent : run))[0];
  if (pid === undefined) return false;
  try {
    Deno.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}

/** Moments at which to kill whom, drawn from a seed. */
export function* deaths(seed: number, within: number): Generator<[Victim, number], never> {
  const random = new Random(seed);
  const victims: readonly Victim[] = ["agent", "own-agent", "agent", "own-agent", "supervisor"];
  for (let i = 0;; i++) yield [victims[i % victims.length] ?? "agent", random.below(within)];
}

/**
 * What is wrong with a run in which somebody died; undefined where all is as it must be: a report
 * with a verdict on every case, or why there is none, and a run that went on where it could.
 */
export function wrongWith(
  victim: Victim,
  { code, report, killed }: DeathResult,
): string | undefined {
  const outcomes = report.cases.map(({ verdict }) => verdict?.outcome);
  const lost = outcomes.filter((outcome) => outcome === undefined).length;
  const bad = outcomes.filter((outcome) => outcome !== undefined && outcome !== "pass");
  if (bad.some((outcome) => outcome !== "broken") || bad.length > 1) return `verdicts: ${outcomes}`;
  if (victim === "supervisor" && killed) {
    return lost > 0 && report.stopped === undefined ? "nothing says why it stopped" : undefined;
  }
  if (lost > 0 || report.stopped !== undefined) return `stopped: ${report.stopped?.reason}`;
  return code === (bad.length > 0 ? 2 : 0) ? undefined : `exit code ${code}`;
}
