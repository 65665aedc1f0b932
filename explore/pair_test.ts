import assert from "node:assert/strict";
import type { MachineName, SocketCall } from "../core/socket_call.ts";
import type { Played, Program } from "../control/puppet_wire.ts";
import type { Player } from "./explore.ts";
import { PairPlayer } from "./pair.ts";

const CALLS: readonly SocketCall[] = [
  { call: "socket", socket: 0, type: "stream", at: "guest" },
  { call: "listen", socket: 0, backlog: 0 },
  { call: "socket", socket: 1, type: "stream", at: "host" },
  { call: "connect", socket: 1, port: 0 },
  { call: "accept", socket: 0, as: 2 },
  { call: "poll", socket: 2 },
  // Nobody made it.
  { call: "poll", socket: 9 },
];

/** Writes down what is played, and answers with how many calls there were before. */
class Noting implements Player {
  readonly #name: MachineName;
  readonly #notes: string[];
  #stalls: number;

  constructor(name: MachineName, notes: string[], stalls = Infinity) {
    this.#name = name;
    this.#notes = notes;
    this.#stalls = stalls;
  }

  play({ calls, more = false }: Program): Promise<Played> {
    const names = calls.map(({ call }) => call).join(" ");
    this.#notes.push(`${this.#name}: ${names}${more ? "" : " end"}`);
    const answers = calls.map(() => ({ result: 0 }));
    this.#stalls -= calls.length;
    return Promise.resolve(this.#stalls < 0 ? { answers, stalled: "ETIMEDOUT" } : { answers });
  }
}

function pairOf(notes: string[], stalls?: number) {
  return { host: new Noting("host", notes), guest: new Noting("guest", notes, stalls) };
}

Deno.test("calls that a machine makes in a row go to it together, and both close their sockets", async () => {
  const notes: string[] = [];
  const { answers, stalled } = await new PairPlayer([pairOf(notes)]).play({ calls: CALLS });
  assert.equal(answers.length, CALLS.length);
  assert.equal(stalled, undefined);
  assert.deepEqual(notes, [
    "guest: socket listen",
    "host: socket connect",
    "guest: accept poll",
    "host: poll",
    "host:  end",
    "guest:  end",
  ]);
});

Deno.test("where something does not arrive, no further call is made", async () => {
  const notes: string[] = [];
  const { answers, stalled } = await new PairPlayer([pairOf(notes, 3)]).play({ calls: CALLS });
  assert.equal(answers.length, 6);
  assert.equal(stalled, "ETIMEDOUT");
  assert.deepEqual(notes.slice(-2), ["host:  end", "guest:  end"]);
});

Deno.test("as many programs are played at once as there are pairs, each on one of them", async () => {
  const all: [string[], string[]] = [[], []];
  const player = new PairPlayer(all.map((notes) => pairOf(notes)));
  await Promise.all([1, 2, 3].map(() => player.play({ calls: CALLS })));
  assert.deepEqual(new Set(all.map((notes) => notes.length)), new Set([6, 12]));
  assert.deepEqual(all.map((notes) => notes[0]), ["guest: socket listen", "guest: socket listen"]);
});
