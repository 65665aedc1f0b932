import assert from "node:assert/strict";
import type { CaseContext, ConformanceCase } from "../kit/mod.ts";
import { bytes, defineCase, man } from "../kit/mod.ts";
import { runBothSides } from "../tests/support/both_sides.ts";

type Body = (context: CaseContext) => Promise<void>;

function caseOf(
  client: Body,
  server: Body,
  more: Partial<Pick<ConformanceCase, "needs">> = {},
): ConformanceCase {
  return defineCase({
    id: "a/b/c",
    title: "t",
    requirement: "it MUST work",
    refs: [man("recv", 2, "x")],
    does: { client: "does what the test is about", server: "does what the test is about" },
    client,
    server,
    ...more,
  });
}

/** A promise that a side holds and has not awaited when the case is over. */
type Held = (context: CaseContext) => Promise<unknown>;

/** A socket whose recv() waits: its peer is connected and sends nothing. */
function blockedSocket({ vsock }: CaseContext) {
  const listener = vsock.listening("stream", 1, { cid: 1, port: 77 });
  const socket = vsock.open("stream");
  socket.connectHere({ cid: 1, port: 77 });
  return { listener, socket };
}

const HELD: Readonly<Record<string, Held>> = {
  "a line of the peer's": ({ peer }) => peer.expectln("NEVER"),
  "a call of a socket's": (context) => blockedSocket(context).socket.recv(bytes(1)),
  "a claim about a call": (context) => {
    const { socket } = blockedSocket(context);
    return context.check.fails("ECONNRESET", "recv()", () => socket.recv(bytes(1)));
  },
  "what a function of its own waits for": async ({ peer }) => {
    await peer.expectln("NEVER");
    throw new Error("it came");
  },
};

/** Waits for what never comes, while it holds a promise that never settles by itself. */
const holding = (held: Held): Body => async (context) => {
  const promise = held(context);
  await context.peer.writeln("HOLDING");
  await context.vsock.accept("seqpacket");
  await promise;
};

/** Fails a claim once the other side holds its promise. */
const failing: Body = async ({ peer, check }) => {
  await peer.expectln("HOLDING");
  throw check.stop("a claim");
};

for (const [what, held] of Object.entries(HELD)) {
  Deno.test(`a case whose side holds ${what} fails with the other side`, async () => {
    const { outcome, reasons, sides } = await runBothSides(caseOf(failing, holding(held)));
    assert.equal(outcome, "fail", reasons.join("\n"));
    assert.equal(reasons[0], "client: a claim");
    assert.equal(sides?.server.state, "stopped");
    assert.deepEqual(sides.server.reasons, ["stopped: the client fail"]);
  });

  Deno.test(`a case whose side holds ${what} is skipped with the other side`, async () => {
    const needs = [{ client: "guest-monitor" }] as const;
    const { outcome, reasons } = await runBothSides(caseOf(failing, holding(held), { needs }));
    assert.equal(outcome, "skip", reasons.join("\n"));
  });

  Deno.test(`a side that fails while it holds ${what} fails`, async () => {
    const fails: Body = async (context) => {
      held(context);
      await Promise.resolve();
      throw context.check.stop("a claim of its own");
    };
    const waits: Body = ({ peer }) => peer.expectln("NEVER");
    const { outcome, reasons } = await runBothSides(caseOf(waits, fails));
    assert.equal(outcome, "fail");
    assert.deepEqual(reasons.filter((reason) => /claim/.test(reason)), [
      "server: a claim of its own",
    ]);
  });

  Deno.test(`a side that holds ${what} at its deadline is a timeout`, async () => {
    const definition = caseOf(() => Promise.resolve(), holding(held));
    const { outcome } = await runBothSides(definition, { server: { timeout: 100 } });
    assert.equal(outcome, "timeout");
  });
}

Deno.test("a side that ends without awaiting a promise is broken, and names it", async () => {
  const expected: Readonly<Record<string, RegExp>> = {
    "a line of the peer's": /not awaited: wait for the peer's NEVER/,
    "a call of a socket's": /not awaited: recv\(\d+, 1, 0\)/,
    "a claim about a call": /not awaited: recv\(\d+, 1, 0\)/,
  };
  for (const [what, pattern] of Object.entries(expected)) {
    const leaves: Body = async (context) => {
      HELD[what]?.(context);
      await Promise.resolve();
    };
    const { outcome, reasons } = await runBothSides(caseOf(leaves, () => Promise.resolve()));
    assert.equal(outcome, "broken", what);
    assert.match(reasons.join("\n"), pattern);
  }
});

Deno.test("a side that ends while a rejection is unhandled is broken, and says of what", async () => {
  const leaves: Body = async ({ vsock }) => {
    let isOver = false;
    (async () => {
      try {
        await vsock.open("stream").connect({ cid: 1, port: 99 });
      } finally {
        isOver = true;
      }
    })();
    while (!isOver) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  const { outcome, reasons } = await runBothSides(caseOf(leaves, () => Promise.resolve()));
  assert.equal(outcome, "broken");
  assert.match(
    reasons.join("\n"),
    /not awaited, and rejected: connect\(\d+, unix 1:99\): ECONNREF/,
  );
});

Deno.test("a promise that rejects before a side awaits it is no defect of the case", async () => {
  const late: Body = async ({ vsock, check }) => {
    const refused = vsock.open("stream").connect({ cid: 1, port: 99 });
    // Long enough for the rejection to be seen as unhandled.
    await new Promise((resolve) => setTimeout(resolve, 50));
    await check.fails("ECONNREFUSED", "connect()", () => refused);
  };
  const { outcome, reasons } = await runBothSides(caseOf(late, () => Promise.resolve()));
  assert.equal(outcome, "pass", reasons.join("\n"));
});

Deno.test("a side that times out says which promise had been rejected by then", async () => {
  const hangs: Body = async ({ vsock, peer }) => {
    const refused = vsock.open("stream").connect({ cid: 1, port: 99 });
    await peer.expectln("NEVER");
    await refused;
  };
  const definition = caseOf(hangs, () => Promise.resolve());
  const { outcome, reasons } = await runBothSides(definition, { client: { timeout: 200 } });
  assert.equal(outcome, "timeout");
  assert.match(reasons.join("\n"), /rejected: connect\(\d+, unix 1:99\): ECONNREFUSED/);
});

Deno.test("rejections of one side are not those of another that runs at the same time", async () => {
  const leaves: Body = async ({ peer }) => {
    Promise.resolve().then(() => {
      throw new Error("of the client");
    });
    await peer.expectln("GO");
  };
  const other: Body = async ({ peer }) => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    await peer.writeln("GO");
  };
  const { sides } = await runBothSides(caseOf(leaves, other));
  assert.match(sides?.client.reasons.join() ?? "", /of the client/);
  assert.equal(sides?.server.state, "pass");
});

Deno.test("what a side goes on to do after its end opens nothing and harms no later side", async () => {
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  const { promise: tried, resolve: tell } = Promise.withResolvers<unknown>();
  const heedless: Body = async ({ vsock }) => {
    await over;
    try {
      vsock.open("stream");
      tell("it opened a socket");
    } catch (error) {
      tell(error);
      throw error;
    }
  };
  const nothing: Body = () => Promise.resolve();
  const definition = caseOf(heedless, nothing);
  const { outcome } = await runBothSides(definition, { client: { timeout: 50 } });
  assert.equal(outcome, "timeout");
  const later = caseOf(async ({ peer }) => {
    end();
    assert.match(String(await tried), /has ended/);
    await peer.writeln("DONE");
  }, ({ peer }) => peer.expectln("DONE"));
  assert.equal((await runBothSides(later)).outcome, "pass");
});
