// deno-lint-ignore-file no-console -- a program that shows what fails
/**
 * Runs cases between two agents that are already waiting, sets apart what a baseline says is known
 * to fail, and writes a report: for a program that boots VMs of its own.
 *
 *     deno run -A two_agents.ts HOST:PORT GUEST:PORT BASELINE REPORT.html
 *
 * Each agent runs in one of the VMs: `vsock-conformance agent --peer-cid ... --listen ...`.
 *
 * @module
 */
import {
  Baseline,
  CATALOGUE,
  closeEnds,
  connectControl,
  directionsOf,
  End,
  type EventSink,
  EXIT,
  exitCode,
  machineFacts,
  type Outcome,
  PeerGoneError,
  planRun,
  runPlan,
  select,
  type Topology,
} from "@vsock/conformance";
import { renderReport, ReportBuilder } from "@vsock/conformance/report";

const [host = "", guest = "", baselineFile = "", reportFile = ""] = Deno.args;

/** How long an agent may take to answer, and a case to end, in milliseconds. */
const PATIENCE = 30_000;
const CASE_TIMEOUT = 10_000;
const SHOWN: ReadonlySet<Outcome> = new Set(["fail", "timeout", "broken", "unexpected-pass"]);

async function openEnd(name: string, address: string): Promise<End> {
  const [hostname = "", port] = address.split(":");
  const channel = await connectControl({ host: hostname, port: Number(port) }, PATIENCE);
  return await End.open(name, channel, machineFacts("controller"));
}

async function run(): Promise<number> {
  const ids = CATALOGUE.map(({ id }) => id);
  const text = await Deno.readTextFile(baselineFile);
  const baseline = Baseline.parse(text, baselineFile, ids);
  const ends = { host: await openEnd("host", host), guest: await openEnd("guest", guest) };
  const kernels = [ends.host.facts.kernel, ends.guest.facts.kernel];
  const topology: Topology = "guest-host";
  const plan = planRun(select(CATALOGUE, ["stream/shutdown"]), directionsOf(topology, "both"));
  const startedAt = new Date();
  const report = new ReportBuilder({
    argv: Deno.args,
    startedAt,
    caseTimeout: CASE_TIMEOUT,
    plan,
  });
  const sink: EventSink = (event) => {
    report.sink(event);
    if (event.type !== "case-end" || !SHOWN.has(event.verdict.outcome)) return;
    console.log(event.run.id, event.verdict.reasons.join("; "));
  };
  const { counts } = await runPlan({
    topology,
    plan,
    ends,
    port: 1234,
    timeout: CASE_TIMEOUT,
    seed: 1,
    sink,
    judge: ({ id, direction }, verdict) => baseline.judge({ id, direction, kernels }, verdict),
  });
  closeEnds(ends);
  const whole = report.report();
  if (whole !== undefined) await Deno.writeTextFile(reportFile, renderReport("html", whole));
  return exitCode(counts);
}

try {
  Deno.exitCode = await run();
} catch (error) {
  if (!(error instanceof PeerGoneError)) throw error;
  console.error(error.message);
  Deno.exitCode = EXIT.unavailable;
}
