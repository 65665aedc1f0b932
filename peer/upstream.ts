/**
 * The kernel's own protocol, word for word, so that either side may be the C vsock_test: before
 * each case both sides write NEXT or SKIP and read the other's, then come the lines of the case,
 * and at the very end COMPLETED both ways. See run_tests() in tools/testing/vsock/util.c.
 *
 * @module
 */
import type { Role } from "../core/case.ts";
import type { SideReport } from "../core/outcome.ts";
import { type LineChannel, PeerGoneError, SilentPeerError } from "./channel.ts";
import { type CaseLines, unlessAborted } from "./lines.ts";
import { HELLO, ProtocolError, quote } from "./wire.ts";

/** A place in the list that both sides go through. */
export interface UpstreamStep {
  readonly position: number;
  readonly name: string;
  /** Runs our side; undefined to skip it. */
  readonly run: ((lines: CaseLines) => Promise<SideReport>) | undefined;
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
  const { events, lineTime } = options;
  const lines: CaseLines = {
    write: (line) => channel.writeLine(line),
    read: (signal) => unlessAborted(channel.readLine(lineTime), signal),
  };
  for (const step of steps) {
    events.onStart(step);
    const place = `before ${step.position} - ${step.name}`;
    const word = step.run === undefined ? "SKIP" : "NEXT";
    const answer = await barrier(channel, word, ["NEXT", "SKIP"], lineTime, place);
    if (step.run === undefined || answer === "SKIP") {
      const by = step.run === undefined ? "us" : "the peer";
      events.onEnd(step, { outcome: "skipped", by });
      continue;
    }
    const report = await step.run(lines);
    events.onEnd(step, { outcome: "done", report });
    if (report.state !== "pass") return false;
  }
  await barrier(channel, "COMPLETED", ["COMPLETED"], lineTime, "at the end");
  return true;
}

/** Writes a word and gives the peer's. */
async function barrier(
  channel: LineChannel,
  word: string,
  expected: readonly string[],
  milliseconds: number,
  place: string,
): Promise<string> {
  let line: string;
  try {
    await channel.writeLine(word);
    line = await channel.readLine(milliseconds);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const Kind = [ProtocolError, SilentPeerError].find((kind) => error instanceof kind);
    throw new (Kind ?? PeerGoneError)(`${place}: ${reason}`, { cause: error });
  }
  if (expected.includes(line)) return line;
  const hint = line.startsWith(HELLO)
    ? 'the peer is a vsock-conformance that was started with a command; use "agent" here too'
    : `expected ${expected.join(" or ")}, got ${quote(line)}; do both sides have the same list?`;
  throw new ProtocolError(`${place}: ${hint}`);
}
