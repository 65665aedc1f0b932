/**
 * The kernel's own protocol, word for word, so that either side may be the C vsock_test: before
 * each case both sides write NEXT or SKIP and read the other's, then come the lines of the case,
 * and at the very end COMPLETED both ways. See run_tests() in tools/testing/vsock/util.c.
 *
 * @module
 */
import { reasonOf } from "../core/error.ts";
import type { Role } from "../core/case.ts";
import type { SideReport } from "../core/outcome.ts";
import { type LineChannel, PeerGoneError, SilentPeerError } from "./channel.ts";
import { type CaseLines, unlessAborted } from "./lines.ts";
import { ANY_HELLO } from "./greeting.ts";
import { ProtocolError, quote } from "./wire.ts";

/** A place in the list that both sides go through. */
export interface UpstreamStep {
  readonly position: number;
  readonly name: string;
  /** Runs our side; undefined to skip it. */
  readonly run: ((lines: CaseLines) => Promise<SideReport>) | undefined;
  /** Why it is skipped, where that is not just what the user wants. */
  readonly skip?: readonly string[];
}

/** A list that a peer may have. */
export interface KnownList {
  /** What chooses it, such as `upstream:6.1`. */
  readonly name: string;
  readonly length: number;
}

/** How a step ended. */
export type UpstreamResult =
  | { readonly outcome: "skipped"; readonly by: "us" | "the peer" }
  | { readonly outcome: "done"; readonly report: SideReport };

/** What is told as it happens. */
export interface UpstreamEvents {
  onStart(step: UpstreamStep): void;
  onEnd(step: UpstreamStep, result: UpstreamResult): void;
}

/** Settings of a session. */
export interface UpstreamOptions {
  readonly role: Role;
  /** How long the peer may take for one line within a case, in milliseconds; upstream has 10 s. */
  readonly lineTime: number;
  /** The lists that there are, to name the right one when the peer turns out to have another. */
  readonly lists: readonly KnownList[];
  readonly events: UpstreamEvents;
}

/**
 * Goes through the list with the peer.
 *
 * @returns whether all of it passed: the protocol has no word for a failure, so the session ends
 * with the first.
 * @throws {PeerGoneError | SilentPeerError | ProtocolError} naming the step, when the peer fails.
 */
export async function runUpstream(
  channel: LineChannel,
  steps: readonly UpstreamStep[],
  options: UpstreamOptions,
): Promise<boolean> {
  const { events, lineTime, lists } = options;
  const lines: CaseLines = {
    write: (line) => channel.writeLine(line),
    read: async (signal) => withinCase(await unlessAborted(channel.readLine(lineTime), signal)),
  };
  for (const step of steps) {
    events.onStart(step);
    const place = `before ${step.position} - ${step.name}`;
    const word = step.run === undefined ? "SKIP" : "NEXT";
    const answer = await barrier(channel, word, lineTime, place);
    if (answer === "COMPLETED") throw listEnded(place, step.position, steps.length, lists);
    if (step.run === undefined || answer === "SKIP") {
      const by = step.run === undefined ? "us" : "the peer";
      events.onEnd(step, { outcome: "skipped", by });
      continue;
    }
    const report = await step.run(lines);
    events.onEnd(step, { outcome: "done", report });
    if (report.state !== "pass") return false;
  }
  const answer = await barrier(channel, "COMPLETED", lineTime, "at the end");
  if (answer !== "COMPLETED") throw listGoesOn(steps.length, lists);
  return true;
}

const BARRIER = ["NEXT", "SKIP", "COMPLETED"];

/**
 * @throws {ProtocolError} for a line that no case has: the peer is done with it, and we are not.
 */
function withinCase(line: string): string {
  if (!BARRIER.includes(line)) return line;
  throw new ProtocolError(
    `the peer wrote ${line}, so it is done with a case that goes on here: its list is another ` +
      "version's, see --protocol",
  );
}

function listEnded(
  place: string,
  length: number,
  own: number,
  lists: readonly KnownList[],
): ProtocolError {
  const same = lists.filter((list) => list.length === length).map(({ name }) => name);
  const hint = same.length === 0
    ? "of no version known here"
    : `use --protocol ${same.join(" or ")}`;
  return new ProtocolError(
    `${place}: the peer's list ended after ${length} cases, this one has ${own}: ${hint}`,
  );
}

function listGoesOn(own: number, lists: readonly KnownList[]): ProtocolError {
  const longer = lists.filter(({ length }) => length > own).map(({ name }) => name);
  const hint = longer.length === 0
    ? "it is newer than any version known here"
    : `use --protocol ${longer.join(" or ")}`;
  return new ProtocolError(`the peer's list goes on after the ${own} cases of this one: ${hint}`);
}

/** Writes a word and gives the peer's. */
async function barrier(
  channel: LineChannel,
  word: string,
  milliseconds: number,
  place: string,
): Promise<string> {
  let line: string;
  try {
    await channel.writeLine(word);
    line = await channel.readLine(milliseconds);
  } catch (error) {
    const reason = reasonOf(error);
    const Kind = [ProtocolError, SilentPeerError].find((kind) => error instanceof kind);
    throw new (Kind ?? PeerGoneError)(`${place}: ${reason}`, { cause: error });
  }
  if (BARRIER.includes(line)) return line;
  const hint = line.startsWith(ANY_HELLO)
    ? 'the peer is a vsock-conformance that was started with a command; use "agent" here too'
    : `expected NEXT or SKIP, got ${quote(line)}; do both sides have the same list?`;
  throw new ProtocolError(`${place}: ${hint}`);
}
