import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type CallAnswer,
  type CallName,
  machinesOf,
  type SocketCall,
} from "../core/socket_call.ts";
import { decodeProgram, encodeProgram, type Played, type Program } from "../control/puppet_wire.ts";
import { Excuses } from "../model/excuses.ts";
import { Model } from "../model/model.ts";
import { RULE_IDS, type RuleId } from "../model/rules.ts";
import { drawProgram } from "./draw.ts";
import {
  type Exploration,
  explore,
  type ExploreOptions,
  idleRules,
  neverReached,
  type Player,
} from "./explore.ts";
import { findingJson, parseFinding } from "./file.ts";
import { foresee } from "./foresee.ts";
import { judge, segmentsDigest } from "./judge.ts";
import { replay } from "./replay.ts";
import { programText } from "./calls_text.ts";
import { replayText, storyText, summaryText } from "./story.ts";

const KERNELS = ["7.3.4"];

/** A change of what a kernel answers that otherwise does just what the model says. */
type Fault = (call: SocketCall, answer: CallAnswer) => CallAnswer;

/**
 * A kernel that does what the model says, K-2 too, but for a fault; where several answers are
 * allowed it gives each in turn.
 */
class ModelKernel implements Player {
  readonly #fault: Fault;
  #turn = 0;

  constructor(fault: Fault = (_, answer) => answer) {
    this.#fault = fault;
  }

  play({ calls }: Program): Promise<Played> {
    const excuses = new Excuses(["K-2"]);
    const model = new Model({ digestOf: segmentsDigest, excuses });
    const inTurn = <T>(from: readonly T[]) =>
      from.length < 2 ? from[0] : from[this.#turn++ % from.length];
    const answers = calls.map((call) =>
      this.#fault(call, foresee(model, call, segmentsDigest, inTurn))
    );
    return Promise.resolve({ answers });
  }
}

function exploring(
  player: Player,
  programs: number,
  more: Partial<ExploreOptions> = {},
): Promise<Exploration> {
  const limits = { milliseconds: 60_000, programs };
  return explore({ player, ...limits, seed: 7, kernels: KERNELS, ...more });
}

Deno.test("programs are the same for the same seed, and ones that an agent takes", () => {
  fc.assert(
    fc.property(fc.nat(0xffffffff), (seed) => {
      const isPair = seed % 2 === 0;
      const calls = drawProgram({ seed, isPair });
      assert.deepEqual(drawProgram({ seed, isPair }), calls);
      assert.ok(machinesOf(calls).every((name) => (name !== undefined) === isPair));
      assert.deepEqual(decodeProgram(encodeProgram({ calls })), { calls });
    }),
    { numRuns: 30 },
  );
});

Deno.test("a kernel that does what the model says is found to, by rules that each matter", async () => {
  const found = await exploring(new ModelKernel(), 1000);
  assert.equal(found.finding, undefined, found.finding && storyText(found.finding));
  assert.deepEqual(neverReached(found), []);
  assert.deepEqual(idleRules(found), []);
  assert.equal(found.programs, 1000);
  const all = RULE_IDS.length;
  const lines = `${all} of ${all} rules reached\n${all} of ${all} matter: `;
  assert.match(summaryText(found), new RegExp(`^\\d+ calls in 1000 programs, .*\\n${lines}`));
});

Deno.test("two such kernels are found to, whichever of them listens", async () => {
  const found = await exploring(new ModelKernel(), 1000, { isPair: true });
  assert.equal(found.finding, undefined, found.finding && storyText(found.finding));
  // A socket cannot have the port to which it connects on the other machine.
  assert.deepEqual(neverReached(found), ["connect/itself"]);
  assert.deepEqual(idleRules(found), []);
});

const changed =
  (name: CallName, change: (answer: CallAnswer, call: SocketCall) => CallAnswer) =>
  (call: SocketCall, answer: CallAnswer): CallAnswer =>
    call.call === name && answer.errno === undefined ? change(answer, call) : answer;

/** Faults, what each breaks, and to how many calls it must be made small. */
const FAULTS: Readonly<Record<string, readonly [Fault, RuleId, number]>> = {
  "a byte is changed": [
    changed(
      "recv",
      (answer, call) =>
        call.call === "recv" && call.length > 4096 && answer.digest !== undefined
          ? { ...answer, digest: answer.digest ^ 1 }
          : answer,
    ),
    "recv/stream",
    8,
  ],
  "MSG_EOR is lost": [
    changed("recv", ({ flags = [], ...rest }) => ({
      ...rest,
      flags: flags.filter((flag) => flag !== "EOR"),
    })),
    "recv/eor",
    8,
  ],
  "the window is a byte too large": [
    changed("send", (answer) => answer.result === 262_144 ? { result: 262_145 } : answer),
    "send/window",
    7,
  ],
  "POLLRDHUP is lost": [
    changed("poll", ({ flags = [], ...rest }) => ({
      ...rest,
      flags: flags.filter((flag) => flag !== "RDHUP"),
    })),
    "poll/rdhup",
    8,
  ],
};

for (const [name, [fault, rule, most]] of Object.entries(FAULTS)) {
  Deno.test(`${name}: that is found and made small`, async () => {
    const types = [rule.startsWith("recv/eor") ? "seqpacket" : "stream"] as const;
    const { finding } = await exploring(new ModelKernel(fault), 3000, { types });
    assert.ok(finding);
    assert.deepEqual(finding.breach.rules, [rule]);
    assert.ok(finding.calls.length <= most, storyText(finding));
    assert.deepEqual(finding.again, [10, 10]);
    assert.match(storyText(finding), /^failed with seed .*\n {2}1\. /);
  });
}

Deno.test("a finding that is kept is played again, and does not happen without the fault", async () => {
  const [fault] = FAULTS["POLLRDHUP is lost"] ?? assert.fail();
  const { finding } = await exploring(new ModelKernel(fault), 3000);
  const json = findingJson(finding ?? assert.fail(), { kernel: "7.3.4", topology: "loopback" });
  const { program } = parseFinding(json, "found.json");
  const again = await replay({ player: new ModelKernel(fault), program, kernels: KERNELS });
  assert.equal(again.happened, 10);
  assert.match(replayText(again), /^reproduced 10 of 10 times\n[^]*poll\/rdhup: POLLRDHUP MUST/);
  const right = await replay({ player: new ModelKernel(), program, kernels: KERNELS });
  assert.equal(right.happened, 0);
  assert.match(replayText(right), /^reproduced 0 of 10 times\n/);
});

Deno.test("a file that is no finding is refused", () => {
  const wrong = [
    "1. 0.fork()",
    "1. 0.socket(dgram)",
    "1. 0.bind(port 99)",
    "1. 0.poll()\n2. 1.x()",
  ];
  for (const text of ["", "{}", "[]", ...wrong, `{"version":1}`, `{"version":2,"calls":[]}`]) {
    assert.throws(() => parseFinding(text, "x.json"), /UsageError: x\.json is not a finding/);
  }
});

Deno.test("a story that was printed is read again, call by call", () => {
  fc.assert(
    fc.property(fc.nat(0xffffffff), (seed) => {
      const calls = drawProgram({ seed, isPair: seed % 2 === 0 });
      const story = programText(calls).replaceAll(/^/gm, "client: ");
      const { program } = parseFinding(`failed with seed ${seed}, ...\n${story}`, "story.txt");
      assert.deepEqual(programText(program.calls), programText(calls));
      assert.deepEqual(parseFinding(story, "story.txt").program, program);
    }),
    { numRuns: 30 },
  );
});

Deno.test("what does not arrive is a breach", () => {
  const calls: SocketCall[] = [{ call: "socket", socket: 0, type: "stream" }];
  const { breach } = judge(calls, { answers: [{ result: 0 }], stalled: "ETIMEDOUT" });
  assert.deepEqual(breach?.rules, ["soon/arrives"]);
});

Deno.test("a player that is lost ends exploring with its error", async () => {
  const player: Player = { play: () => Promise.reject(new Error("it is gone")) };
  await assert.rejects(exploring(player, 5), /it is gone/);
});
