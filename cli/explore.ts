/**
 * The commands `explore` and `lab explore`: random calls against the model.
 *
 * @module
 */
import { connectControl, type ControlAddress } from "../control/channel.ts";
import type { Played } from "../control/puppet_wire.ts";
import { UsageError } from "../core/error.ts";
import { machineFacts } from "../core/facts.ts";
import { EXIT } from "../core/outcome.ts";
import type { SocketCall } from "../core/socket_call.ts";
import type { Splat } from "../core/splat.ts";
import { type Exploration, explore } from "../explore/explore.ts";
import { programText } from "../explore/calls_text.ts";
import { findingJson, type KeptFinding, programJson } from "../explore/file.ts";
import { type PlayedProgram, recordingJson } from "../explore/record.ts";
import { type Replay, replay, requireMachines } from "../explore/replay.ts";
import { replayText, storyText, summaryText } from "../explore/story.ts";
import { KernelDeathError } from "../lab/error.ts";
import { startLab } from "../lab/lab.ts";
import { Progress } from "../lab/progress.ts";
import { ConsoleWatch } from "../lab/vm/consoles.ts";
import type { Ends } from "../runner/case.ts";
import { End } from "../runner/end.ts";
import { ReportBuilder } from "../report/model.ts";
import { screenOf } from "../report/screen.ts";
import { runToken } from "./access.ts";
import { withoutSecrets } from "./again.ts";
import { toolFacts } from "./commit.ts";
import { readFinding } from "./finding_file.ts";
import { exploredCases, rulesPlan, tellExplored } from "./explore_report.ts";
import type { ReportTarget } from "./options/report.ts";
import { withReports } from "./report_files.ts";
import { type BootOptions, labOptions, requireVms } from "./options/vm.ts";
import { OutputFile } from "./output_file.ts";
import { Exploring, exploringPorts } from "./exploring.ts";
import { PuppetLostError } from "./puppet_player.ts";
import { placeOf, withEnds } from "./both_ends.ts";
import { interruptible, withTimeout } from "./signals.ts";

/** Options of both commands. */
export interface ExploringOptions {
  /** How long to explore, in milliseconds. */
  readonly for: number;
  readonly seed?: number | undefined;
  readonly strict?: boolean | undefined;
  /** A file to which a finding is saved. */
  readonly save?: string | undefined;
  /** A file for all calls and their answers. */
  readonly record?: string | undefined;
  readonly report?: readonly ReportTarget[] | undefined;
  readonly peerPort: number;
}

/** Options of `explore`. */
export interface ExploreCommandOptions extends ExploringOptions {
  readonly peerCid: number;
  readonly agent?: ControlAddress;
  readonly connectTimeout: number;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly standIn?: string;
}

/** Options of `lab explore`. */
export type LabExploreOptions = BootOptions & ExploringOptions;

/** How long shrinking and replaying a finding may take after that time, in milliseconds. */
const BEYOND = 120_000;

/** Explores a machine on which an agent waits, or the connections between it and this one. */
export function exploreCommand(options: ExploreCommandOptions): Promise<number> {
  return interruptible((stop) =>
    onMachines(options, BEYOND + options.for, stop, (place) => exploreOn(place, options, stop))
  );
}

/** Plays a finding again on such machines. */
export async function replayCommand(path: string, options: ExploreCommandOptions) {
  const kept = await readFinding(path);
  return await interruptible((stop) =>
    onMachines(options, BEYOND, stop, (place) => replayOn(place, kept, options))
  );
}

/** Explores VMs that the lab boots. */
export async function labExplore(options: LabExploreOptions): Promise<number> {
  await requireVms(options);
  return await inLab(
    options,
    BEYOND + options.for,
    (place, stop) => exploreOn(place, options, stop),
  );
}

/** Plays a finding again in VMs that the lab boots. */
export async function labReplay(path: string, options: LabExploreOptions) {
  const kept = await readFinding(path);
  await requireVms(options);
  return await inLab(options, BEYOND, (place) => replayOn(place, kept, options));
}

/** Boots a lab, and does something with its agents. */
function inLab(
  options: LabExploreOptions,
  milliseconds: number,
  body: (place: Exploring, stop: AbortSignal) => Promise<number>,
): Promise<number> {
  return withTimeout(options.timeout, async (stop) => {
    const progress = new Progress(screenOf(Deno.stderr), stop);
    await using lab = await startLab(labOptions(options), progress);
    using ends = await lab.connect(stop);
    const consoles = await ConsoleWatch.begin(lab.address);
    using place = new Exploring(ends, options.topology, options.peerPort, milliseconds);
    try {
      return await body(place, stop);
    } catch (error) {
      const words = error instanceof PuppetLostError ? await consoles.postMortem() : [];
      if (words.length > 0) throw new KernelDeathError(words.join("\n"));
      throw error;
    }
  });
}

/** Connects to the agent that options name, and where the peer is another machine has one here. */
async function onMachines(
  options: ExploreCommandOptions,
  milliseconds: number,
  stop: AbortSignal,
  body: (place: Exploring) => Promise<number>,
): Promise<number> {
  const { peerCid, peerPort, agent } = options;
  if (agent === undefined) {
    throw new UsageError("Name the agent with --agent host:port, or use lab explore");
  }
  const { topology } = placeOf(peerCid);
  const ports = exploringPorts(peerPort, topology !== "loopback");
  const playOn = async (ends: Ends) => {
    using place = new Exploring(ends, topology, peerPort, milliseconds);
    return await body(place);
  };
  if (topology !== "loopback") return await withEnds({ ...options, agent, ports }, stop, playOn);
  using end = await openAgent({ ...options, agent }, stop);
  return await playOn({ host: end, guest: end });
}

async function openAgent(
  options: ExploreCommandOptions & { readonly agent: ControlAddress },
  stop: AbortSignal,
): Promise<End> {
  const { agent, connectTimeout } = options;
  const token = await runToken(options);
  const channel = await connectControl(agent, connectTimeout, stop);
  try {
    return await End.open("loopback", channel, machineFacts("controller"), { token });
  } catch (error) {
    channel.close();
    throw error;
  }
}

/** Explores, and writes the files that options ask for. */
async function exploreOn(
  place: Exploring,
  options: ExploringOptions,
  stop: AbortSignal,
): Promise<number> {
  const { for: caseTimeout, seed = randomSeed(), report = [] } = options;
  const { topology } = place;
  const facts = await toolFacts();
  const startedAt = new Date();
  const argv = withoutSecrets(Deno.args);
  const setting = { argv, startedAt, caseTimeout };
  const intended = { ...setting, topology, seed, facts, plan: rulesPlan(topology) };
  return await withReports(report, intended, async (reports) => {
    const { found, splats } = await searchOn(place, { ...options, seed }, stop);
    const explored = { found, splats, topology, ends: place.facts, facts };
    const cases = exploredCases(explored);
    const builder = new ReportBuilder({ ...setting, plan: cases });
    tellExplored(explored, cases, builder.sink);
    reports.from(() => builder.report());
    return codeOf(found, splats.length > 0);
  }, stop);
}

/** Explores, says what comes of it, and keeps what options ask for. */
async function searchOn(
  place: Exploring,
  options: ExploringOptions & { readonly seed: number },
  stop: AbortSignal,
): Promise<{ found: Exploration; splats: Splat[] }> {
  const { for: milliseconds, seed, strict = false, save, record, peerPort } = options;
  const { topology, isPair, kernels } = place;
  const kernel = kernels.join(", ");
  const where = { kernel, topology, strict };
  const screen = screenOf(Deno.stdout);
  using file = save === undefined ? undefined : await OutputFile.open(save, "finding");
  using recording = record === undefined ? undefined : await OutputFile.open(record, "recording");
  const programs: PlayedProgram[] = [];
  const onPlayed = (seed: number, calls: readonly SocketCall[], played: Played) =>
    void (recording && programs.push({ seed, calls, played }));
  screen.write(`exploring ${topology}, Linux ${kernel}, seed ${seed}\n`);
  const limits = { milliseconds, seed, strict, stop, isPair, kernels };
  const found = await explore({ ...limits, player: place, onPlayed }).catch(async (error) => {
    if (!(error instanceof PuppetLostError)) throw error;
    screen.write(`the agent was lost during these calls:\n${programText(error.calls)}`);
    await file?.write(programJson({ calls: error.calls, seed, ...where }));
    throw error;
  });
  const splats = await place.end();
  screen.write(summaryText(found));
  if (found.finding !== undefined) {
    screen.write(storyText(found.finding));
    await file?.write(findingJson(found.finding, where));
  }
  await recording?.write(recordingJson({ kernel, topology, port: peerPort, programs }));
  for (const lines of splats) screen.write(`the kernel reported: ${lines.join("\n  ")}\n`);
  return { found, splats };
}

function codeOf({ finding, calls }: Exploration, isFaulty: boolean): number {
  if (finding !== undefined || isFaulty) return EXIT.failed;
  // Without any calls nothing was learned.
  return calls === 0 ? EXIT.broken : EXIT.ok;
}

async function replayOn(
  place: Exploring,
  { program, strict: wasStrict }: KeptFinding,
  options: ExploringOptions,
): Promise<number> {
  requireMachines(place.isPair, program);
  const { kernels } = place;
  const strict = options.strict || wasStrict;
  const found: Replay = await replay({ player: place, program, kernels, strict });
  const splats = await place.end();
  const screen = screenOf(Deno.stdout);
  screen.write(replayText(found));
  for (const lines of splats) screen.write(`the kernel reported: ${lines.join("\n  ")}\n`);
  return found.happened > 0 || splats.length > 0 ? EXIT.failed : EXIT.ok;
}

function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}
