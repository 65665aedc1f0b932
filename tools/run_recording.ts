/**
 * Records a run of one case: what the controller and its two agents say to each other, the calls
 * that the agents make, and the events that the outputs are made from.
 *
 * Both agents are in this process, over AF_UNIX in place of AF_VSOCK; all else is as in any run.
 *
 * @module
 */
import {
  CATALOGUE,
  closeEnds,
  directionsOf,
  End,
  LineChannel,
  ownFacts,
  planRun,
  type RunEvent,
  runPlan,
  select,
  serveController,
  sideRunner,
  streamPair,
} from "../mod.ts";
import { decodeAnswer, decodeOrder, type Order } from "../control/wire.ts";

/** Who takes part in a run. */
export type Party = "outputs" | "controller" | "server" | "client" | "kernel";

/** One thing that was said. */
export interface Said {
  readonly from: Party;
  readonly to: Party;
  readonly text: string;
}

/** The case that is run. */
export const RECORDED_CASE = "seqpacket/msg-trunc/returns-real-length";
const SETTINGS = { peerCid: 1, standIn: `recording-${crypto.randomUUID()}` };
const CASE_TIMEOUT = 10_000;

type Stream = ReturnType<typeof streamPair>[number];

/** A stream of the controller's whose lines are written down. */
function tapped(stream: Stream, out: (line: string) => void, back: (line: string) => void): Stream {
  const [wrote, read] = [linesTo(out), linesTo(back)];
  return {
    async read(into) {
      const count = await stream.read(into);
      if (count !== null) read(into.subarray(0, count));
      return count;
    },
    async write(bytes) {
      const count = await stream.write(bytes);
      wrote(bytes.subarray(0, count));
      return count;
    },
    close: () => stream.close(),
  };
}

function linesTo(take: (line: string) => void): (bytes: Uint8Array) => void {
  const decoder = new TextDecoder();
  let rest = "";
  return (bytes) => {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    lines.filter((line) => line !== "PING").forEach(take);
  };
}

/** An order of the controller's, or its greeting, in few words. */
function orderText(line: string): string {
  if (line.startsWith("HELLO ")) return greetingText(line);
  const order: Order = decodeOrder(line);
  if (order.type === "start") return `start: ${order.role} of ${order.id}`;
  return order.type === "line" ? `line: ${order.text}` : `stop: ${order.why}`;
}

/** An agent's answer, or its greeting, in few words. */
function answerText(line: string): string {
  if (line.startsWith("HELLO ")) return greetingText(line);
  const answer = decodeAnswer(line);
  return answer.type === "done" ? `done: ${answer.report.state}` : `${answer.type}: ${answer.text}`;
}

function greetingText(line: string): string {
  return `${line.split(" ").slice(0, 2).join(" ")} {facts}`;
}

function eventText(event: RunEvent): string {
  switch (event.type) {
    case "case-start":
      return `case-start ${event.run.id}`;
    case "case-end":
      return `case-end: ${event.verdict.outcome}`;
    default:
      return event.type;
  }
}

/** Runs the case, and gives what was said, in order. */
export async function recordRun(): Promise<Said[]> {
  const said: Said[] = [];
  const facts = ownFacts("loopback", SETTINGS);
  const open = async (role: "server" | "client"): Promise<End> => {
    const [near, far] = streamPair();
    const runSide = sideRunner(SETTINGS);
    serveController(new LineChannel(far), {
      facts,
      runSide: (order) =>
        runSide({
          ...order,
          onStep: (step) => {
            if (/^\w+\(/.test(step)) said.push({ from: role, to: "kernel", text: step });
            order.onStep(step);
          },
        }),
    }).catch(() => {});
    const stream = tapped(
      near,
      (line) => said.push({ from: "controller", to: role, text: orderText(line) }),
      (line) => said.push({ from: role, to: "controller", text: answerText(line) }),
    );
    return await End.open("loopback", new LineChannel(stream), facts);
  };
  const ends = { host: await open("server"), guest: await open("client") };
  await runPlan({
    topology: "loopback",
    plan: planRun(select(CATALOGUE, [RECORDED_CASE]), directionsOf("loopback", "both")),
    ends,
    port: 1234,
    timeout: CASE_TIMEOUT,
    seed: 1,
    sink: (event) => said.push({ from: "controller", to: "outputs", text: eventText(event) }),
  });
  closeEnds(ends);
  return said;
}
