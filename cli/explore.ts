/**
 * The commands `explore` and `lab explore`: random calls against the model.
 *
 * @module
 */
import { connectControl, type ControlAddress } from "../control/channel.ts";
import { UsageError } from "../core/error.ts";
import { machineFacts } from "../core/facts.ts";
import { EXIT } from "../core/outcome.ts";
import { PORT_STRIDE } from "../control/wire.ts";
import { type Exploration, explore } from "../explore/explore.ts";
import { findingJson, type KeptFinding, parseFinding, programJson } from "../explore/file.ts";
import { type Replay, replay } from "../explore/replay.ts";
import { programText, replayText, storyText, summaryText } from "../explore/story.ts";
import { KernelDeathError } from "../lab/error.ts";
import { startLab } from "../lab/lab.ts";
import { Progress } from "../lab/progress.ts";
import { ConsoleWatch } from "../lab/vm/consoles.ts";
import { End } from "../runner/end.ts";
import { screenOf } from "../report/screen.ts";
import { VMADDR_CID_LOCAL } from "../sys/constants.ts";
import { runToken } from "./access.ts";
import { type BootOptions, labOptions, requireVms } from "./options/vm.ts";
import { OutputFile } from "./output_file.ts";
import { PuppetLostError, PuppetPlayer } from "./puppet_player.ts";
import { interruptible, withTimeout } from "./signals.ts";

/** Options of both commands. */
export interface ExploringOptions {
  /** How long to explore, in milliseconds. */
  readonly for: number;
  readonly seed?: number | undefined;
  readonly strict?: boolean | undefined;
  /** A file to which a finding is saved. */
  readonly save?: string | undefined;
  readonly peerPort: number;
}

/** Options of `explore`. */
export interface ExploreCommandOptions extends ExploringOptions {
  readonly peerCid: number;
  readonly agent?: ControlAddress;
  readonly connectTimeout: number;
  readonly token?: string;
  readonly tokenFile?: string;
}

/** Options of `lab explore`. */
export type LabExploreOptions = BootOptions & ExploringOptions;

/** How long shrinking and replaying a finding may take after that time, in milliseconds. */
const BEYOND = 120_000;

/** Explores a machine on which an agent runs. */
export function exploreCommand(options: ExploreCommandOptions): Promise<number> {
  return interruptible(async (stop) => {
    using end = await openAgent(options, stop);
    return await exploreOn(end, options, stop);
  });
}

/** Replays a finding on a machine on which an agent runs. */
export async function replayCommand(path: string, options: ExploreCommandOptions) {
  const kept = await readFinding(path);
  return await interruptible(async (stop) => {
    using end = await openAgent(options, stop);
    return await replayOn(end, kept, options);
  });
}

/** Explores in a VM booted by the lab. */
export async function labExplore(options: LabExploreOptions): Promise<number> {
  await requireVms(options);
  return await inLab(options, (end, stop) => exploreOn(end, options, stop));
}

/** Replays a finding in a VM booted by the lab. */
export async function labReplay(path: string, options: LabExploreOptions) {
  const kept = await readFinding(path);
  await requireVms(options);
  return await inLab(options, (end) => replayOn(end, kept, options));
}

/** Boots a lab, and calls `body` with its agent. */
function inLab(
  options: BootOptions,
  body: (end: End, stop: AbortSignal) => Promise<number>,
): Promise<number> {
  return withTimeout(options.timeout, async (stop) => {
    const progress = new Progress(screenOf(Deno.stderr), stop);
    await using lab = await startLab(labOptions(options), progress);
    using ends = await lab.connect(stop);
    const consoles = await ConsoleWatch.begin(lab.address);
    try {
      return await body(ends.host, stop);
    } catch (error) {
      const words = error instanceof PuppetLostError ? await consoles.postMortem() : [];
      if (words.length > 0) throw new KernelDeathError(words.join("\n"));
      throw error;
    }
  });
}

async function openAgent(options: ExploreCommandOptions, stop: AbortSignal): Promise<End> {
  const { peerCid, agent, connectTimeout } = options;
  if (peerCid !== VMADDR_CID_LOCAL) {
    throw new UsageError(
      `Cannot explore between two machines yet: give --peer-cid ${VMADDR_CID_LOCAL}, and an agent ` +
        "that was started with the same, since it makes the calls of both sides",
    );
  }
  if (agent === undefined) {
    throw new UsageError("Name the agent with --agent host:port, or use lab explore");
  }
  const token = await runToken(options);
  const channel = await connectControl(agent, connectTimeout, stop);
  try {
    return await End.open("loopback", channel, machineFacts("controller"), { token });
  } catch (error) {
    channel.close();
    throw error;
  }
}

async function exploreOn(end: End, options: ExploringOptions, stop: AbortSignal): Promise<number> {
  const { for: milliseconds, seed = randomSeed(), strict, save, peerPort } = options;
  requirePorts(end, peerPort);
  const { kernel } = end.facts;
  const screen = screenOf(Deno.stdout);
  using file = save === undefined ? undefined : await OutputFile.open(save, "finding");
  screen.write(`exploring ${end.name}, Linux ${kernel}, seed ${seed}\n`);
  using player = new PuppetPlayer(end, peerPort, milliseconds + BEYOND);
  const exploring = explore({ player, milliseconds, seed, kernels: [kernel], strict, stop });
  const found = await exploring.catch(async (error) => {
    if (!(error instanceof PuppetLostError)) throw error;
    screen.write(`the agent was lost during these calls:\n${programText(error.calls)}`);
    await file?.write(programJson({ calls: error.calls, seed, kernel, topology: end.name }));
    throw error;
  });
  const { splats = [] } = await player.end();
  screen.write(summaryText(found));
  if (found.finding !== undefined) {
    screen.write(storyText(found.finding));
    await file?.write(findingJson(found.finding, { kernel, topology: end.name }));
  }
  for (const lines of splats) screen.write(`the kernel reported: ${lines.join("\n  ")}\n`);
  return codeOf(found, splats.length > 0);
}

function codeOf({ finding, calls }: Exploration, isFaulty: boolean): number {
  if (finding !== undefined || isFaulty) return EXIT.failed;
  // Without any calls nothing was learned.
  return calls === 0 ? EXIT.broken : EXIT.ok;
}

async function replayOn(end: End, kept: KeptFinding, options: ExploringOptions): Promise<number> {
  const { strict, peerPort } = options;
  requirePorts(end, peerPort);
  using player = new PuppetPlayer(end, peerPort, BEYOND);
  const kernels = [end.facts.kernel];
  const found: Replay = await replay({ player, program: kept.program, kernels, strict });
  const { splats = [] } = await player.end();
  const screen = screenOf(Deno.stdout);
  screen.write(replayText(found));
  for (const lines of splats) screen.write(`the kernel reported: ${lines.join("\n  ")}\n`);
  return found.happened > 0 || splats.length > 0 ? EXIT.failed : EXIT.ok;
}

async function readFinding(path: string): Promise<KeptFinding> {
  let json: string;
  try {
    json = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable || !(error instanceof Error)) throw error;
    throw new UsageError(`Cannot read the finding ${path}: ${error.message}`);
  }
  return parseFinding(json, path);
}

/** @throws {UsageError} if the agent does not allow the ports. */
function requirePorts({ ports }: End, first: number): void {
  const last = first + PORT_STRIDE - 1;
  if (ports === undefined || first >= ports[0] && last <= ports[1]) return;
  throw new UsageError(
    `--peer-port ${first}: the calls use the ports ${first} to ${last}, but the agent allows ` +
      `${ports[0]} to ${ports[1]}; choose others, or start the agent with other --ports`,
  );
}

function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}
