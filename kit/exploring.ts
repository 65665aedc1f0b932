/**
 * Exploring within a case: the client's side draws random calls and judges their answers by the
 * model, the server's side makes those of its machine. On loopback the client makes all of them.
 *
 * @module
 */
import type { Random } from "../core/random.ts";
import { machineFacts } from "../core/facts.ts";
import type { CallSocketType } from "../core/socket_call.ts";
import {
  decodePlayed,
  decodeProgram,
  encodePlayed,
  encodeProgram,
  NO_MORE,
  type Played,
  type Program,
} from "../control/puppet_wire.ts";
import type { Player } from "../explore/explore.ts";
import { VMADDR_CID_HOST, VMADDR_CID_LOCAL } from "../sys/constants.ts";
import type { Check } from "./check.ts";
import type { Peer } from "./peer.ts";
import type { Puppet } from "./puppet.ts";
import type { Vsock } from "./vsock.ts";

/** For how long calls are drawn, in milliseconds. */
const TIME = 3000;
/** Most lines of a story in a report. */
const MAX_LINES = 30;

/** What a side is given, as a case's context has it. */
export interface ExploringContext {
  /** The side's sockets. */
  readonly vsock: Vsock;
  /** The other side. */
  readonly peer: Peer;
  /** What the side claims. */
  readonly check: Check;
  /** Draws the calls, from the run's seed. */
  readonly random: Random;
}

/** The client's side. */
export async function explores(context: ExploringContext, type: CallSocketType): Promise<void> {
  const { vsock, peer, check, random } = context;
  const kernels = [machineFacts("client").kernel, await peer.readln("its kernel")];
  using puppet = vsock.puppet();
  const { cid } = vsock.peerAddress();
  const isPair = cid !== VMADDR_CID_LOCAL;
  // Cases that are not run need not load them.
  const { explore } = await import("../explore/explore.ts");
  const { storyText } = await import("../explore/story.ts");
  const { finding } = await explore({
    player: await playerOf(puppet, peer, cid),
    isPair,
    seed: random.next(),
    milliseconds: TIME,
    shrinkTime: check.patience / 2,
    // What is under way when the time is over is played to its end.
    ahead: 1,
    kernels,
    types: [type],
  });
  await peer.writeln(NO_MORE);
  // What was only late, and once, says more of the machine than of its kernel.
  const counts = finding !== undefined && !(finding.isLate && finding.again[0] === 0);
  tell(check, counts ? storyText(finding) : undefined, isPair);
}

/** The client's side where a story is played that was found before. */
export async function playsStory(
  { vsock, peer, check }: ExploringContext,
  story: string,
  { strict = false }: { readonly strict?: boolean } = {},
): Promise<void> {
  const kernels = [machineFacts("client").kernel, await peer.readln("its kernel")];
  using puppet = vsock.puppet();
  const { cid } = vsock.peerAddress();
  const { playStory } = await import("../explore/replay.ts");
  const isPair = cid !== VMADDR_CID_LOCAL;
  const found = await playStory({
    player: await playerOf(puppet, peer, cid),
    story,
    isPair,
    kernels,
    strict,
  });
  await peer.writeln(NO_MORE);
  tell(check, found, isPair);
}

/** Fails where there is a story, and tells it. */
function tell(check: Check, story: string | undefined, isPair: boolean): void {
  check.that(story === undefined, "an answer that the model does not allow, in these calls:");
  if (story === undefined) return;
  for (const line of story.trimEnd().split("\n").slice(0, MAX_LINES)) check.that(false, line);
  const where = isPair ? " --topology guest-host" : "";
  check.that(
    false,
    `keep these lines in story.txt; lab explore replay story.txt${where} repeats them`,
  );
}

/** The server's side. */
export async function isExplored({ vsock, peer }: ExploringContext): Promise<void> {
  await peer.writeln(machineFacts("server").kernel);
  using puppet = vsock.puppet();
  for (;;) {
    const line = await peer.readln("calls to make");
    if (line === NO_MORE) return;
    await peer.writeln(encodePlayed(puppet.play(decodeProgram(line))));
  }
}

/** Who makes the calls: this side's puppet, and the other's where that is another machine. */
async function playerOf(puppet: Puppet, peer: Peer, peerCid: number): Promise<Player> {
  const here: Player = {
    async play(program: Program): Promise<Played> {
      await peer.letOthersRun();
      return puppet.play(program);
    },
  };
  if (peerCid === VMADDR_CID_LOCAL) return here;
  const there: Player = {
    async play(program: Program): Promise<Played> {
      await peer.writeln(encodeProgram(program));
      return decodePlayed(await peer.readln("what its calls answered"), program.calls.length);
    },
  };
  const { PairPlayer } = await import("../explore/pair.ts");
  const isGuest = peerCid === VMADDR_CID_HOST;
  return new PairPlayer([isGuest ? { host: there, guest: here } : { host: here, guest: there }]);
}
