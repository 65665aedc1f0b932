/**
 * Runs of conformance cases from a program: the catalogue, a plan, two ends with an agent each, and
 * the events of the run. Reports are in `@vsock/conformance/report`, what a case is written with in
 * `@vsock/conformance/kit`, sockets over libc in `@vsock/conformance/sys`, and the command line in
 * `@vsock/conformance/cli`. docs/examples/two_agents.ts runs cases between agents in VMs.
 *
 * @example Run two cases in this process, over AF_UNIX in place of AF_VSOCK
 * ```ts
 * import {
 *   CATALOGUE,
 *   closeEnds,
 *   directionsOf,
 *   End,
 *   exitCode,
 *   LineChannel,
 *   ownFacts,
 *   planRun,
 *   type RunEvent,
 *   runPlan,
 *   select,
 *   serveController,
 *   sideRunner,
 *   streamPair,
 * } from "@vsock/conformance";
 *
 * // Without standIn the agent uses AF_VSOCK; peerCid is then the CID of the other end's machine.
 * const settings = { peerCid: 1, standIn: "example" };
 * const facts = ownFacts("loopback", settings);
 *
 * // An end whose agent is in this process. For one elsewhere, connectControl() gives the channel.
 * async function openEnd(): Promise<End> {
 *   const [near, far] = streamPair();
 *   serveController(new LineChannel(far), { facts, runSide: sideRunner(settings) }).catch(() => {});
 *   return await End.open("loopback", new LineChannel(near), facts);
 * }
 *
 * function show(event: RunEvent): void {
 *   if (event.type === "case-end") console.log(`${event.verdict.outcome} ${event.run.id}`);
 * }
 *
 * const ends = { host: await openEnd(), guest: await openEnd() };
 * const { counts } = await runPlan({
 *   topology: "loopback",
 *   plan: planRun(select(CATALOGUE, ["stream/shutdown"]), directionsOf("loopback", "both")),
 *   ends,
 *   port: 1234,
 *   timeout: 10_000,
 *   seed: 1,
 *   sink: show,
 * });
 * closeEnds(ends);
 * Deno.exitCode = exitCode(counts);
 * ```
 *
 * @module
 */
export { ownFacts, sideRunner } from "./agent/side.ts";
export { serveController } from "./agent/session.ts";
export { connectControl, LineChannel, PeerGoneError } from "./control/channel.ts";
export { streamPair } from "./control/stream_pair.ts";
export { Baseline } from "./core/baseline.ts";
export type { EventSink, RunEvent } from "./core/event.ts";
export { machineFacts } from "./core/facts.ts";
export { EXIT, exitCode, type Outcome } from "./core/outcome.ts";
export { directionsOf, planRun, type Topology } from "./core/plan.ts";
export { select } from "./core/selector.ts";
export { closeEnds } from "./runner/case.ts";
export { End } from "./runner/end.ts";
export { runPlan } from "./runner/run.ts";
export { CATALOGUE } from "./suites/catalogue.ts";
