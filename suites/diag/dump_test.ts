import { knownCase } from "../../tests/support/known_case.ts";
import assert from "node:assert/strict";
import type { Outcome } from "../../core/outcome.ts";
import { SysError } from "../../sys/errno.ts";
import { type DiagSocket, TCP_CLOSE, TCP_ESTABLISHED, TCP_LISTEN } from "../../sys/sock_diag.ts";
import { Socket } from "../../sys/socket.ts";
import type { Address } from "../../sys/structs.ts";
import { runBothSides } from "../../tests/support/both_sides.ts";
import type { ConformanceCase } from "../../kit/mod.ts";

const listsConnection = knownCase("diag/dump/lists-connection");
const listsListener = knownCase("diag/dump/lists-listener");
const listsNoSocket = knownCase("diag/dump/lists-no-socket");

const ANYWHERE = { cid: 0xffffffff, port: 0xffffffff };

/**
 * A kernel: sockets that tell it what they do, and a dump of those that are open. AF_UNIX has no
 * ports of its own for those that connect, so the kernel gives them.
 */
class FakeKernel {
  /** Changes what a dump lists. */
  tamper: (listed: DiagSocket[]) => DiagSocket[] = (listed) => listed;
  readonly socketClass: typeof Socket;
  readonly #open = new Map<Socket, DiagSocket>();
  #cookie = 1000n;

  constructor() {
    // deno-lint-ignore no-this-alias
    const kernel = this;
    this.socketClass = class extends Socket {
      override listen(backlog: number): void {
        super.listen(backlog);
        kernel.#set(this, TCP_LISTEN, super.getsockname(), ANYWHERE);
      }
      override async connect(address: Address): Promise<void> {
        // It is listed before the other end can accept it, as by a kernel.
        kernel.#set(this, TCP_ESTABLISHED, { ...ANYWHERE, port: 5000 }, address);
        await super.connect(address);
      }
      override async accept() {
        const accepted = await super.accept();
        const remote = { cid: 1, port: 5000 };
        kernel.#set(accepted.socket, TCP_ESTABLISHED, { cid: 1, port: 1 }, remote);
        return accepted;
      }
      override getsockname(): Address {
        return kernel.#open.get(this)?.local ?? super.getsockname();
      }
      override getpeername(): Address {
        return kernel.#open.get(this)?.remote ?? super.getpeername();
      }
    };
  }

  readonly dumpVsock = (states = 0xffffffff): Promise<DiagSocket[]> => {
    const listed = [...this.#open].filter(([socket]) => socket.fd >= 0).map(([, seen]) => seen);
    return Promise.resolve(this.tamper(listed).filter(({ state }) => states & 1 << state));
  };

  #set(socket: Socket, state: number, local: Address, remote: Address): void {
    const inode = socket.inode();
    const cookie = this.#cookie++;
    const bare = ({ cid, port }: Address) => ({ cid, port });
    const seen = { type: 1, state, shutdown: 0, local: bare(local), remote: bare(remote) };
    this.#open.set(socket, { ...seen, inode, cookie });
  }
}

async function verdictOf(
  definition: ConformanceCase,
  tamper: FakeKernel["tamper"] = (listed) => listed,
) {
  const { socketClass, dumpVsock } = Object.assign(new FakeKernel(), { tamper });
  const side = { socketClass, dumpVsock };
  return await runBothSides(definition, { client: side, server: side });
}

function stale(inode: number): DiagSocket {
  const from = { local: ANYWHERE, remote: ANYWHERE };
  return { type: 1, state: TCP_CLOSE, shutdown: 3, ...from, inode, cookie: 1n };
}

for (const definition of [listsNoSocket, listsListener, listsConnection]) {
  Deno.test(`${definition.id} passes where nothing is wrong`, async () => {
    assert.deepEqual((await verdictOf(definition)).reasons, []);
  });

  Deno.test(`${definition.id} is skipped where the kernel has no vsock_diag`, async () => {
    const dumpVsock = () => Promise.reject(new SysError("dump(20)", 2));
    const verdict = await runBothSides(definition, { server: { dumpVsock } });
    assert.equal(verdict.outcome, "skip");
    assert.match(verdict.reasons.join("\n"), /server: lacks vsock_diag .*: dump\(20\): ENOENT/);
  });

  Deno.test(`${definition.id} is skipped over AF_UNIX`, async () => {
    assert.equal((await runBothSides(definition)).outcome, "skip");
  });
}

const LISTENER: readonly [string, (listed: DiagSocket) => DiagSocket[], RegExp][] = [
  ["is not listed", () => [], /not listed: inode/],
  ["is listed twice", (own) => [own, { ...own, cookie: 3n }], /expected 1, got 2/],
  ["has another state", (own) => [{ ...own, state: TCP_CLOSE }], /vdiag_state: expected 10, got 7/],
  ["has another type", (own) => [{ ...own, type: 5 }], /vdiag_type: expected 1, got 5/],
  ["is shut down", (own) => [{ ...own, shutdown: 1 }], /vdiag_shutdown: expected 0, got 1/],
  ["has another port", (own) => [{ ...own, local: ANYWHERE }], /the local address/],
  ["has a peer", (own) => [{ ...own, remote: own.local }], /the remote address/],
  ["has another inode", (own) => [{ ...own, inode: own.inode + 1 }], /not listed: inode/],
  ["has company", (own) => [own, stale(5)], /the number of other new sockets: expected 0, got 1/],
];

for (const [name, change, reason] of LISTENER) {
  Deno.test(`diag/dump/lists-listener fails where the listener ${name}`, async () => {
    const verdict = await verdictOf(listsListener, (listed) => listed.flatMap(change));
    assert.equal(verdict.outcome, "fail", verdict.reasons.join("\n"));
    assert.match(verdict.reasons.join("\n"), reason);
  });
}

Deno.test("diag/dump/lists-listener fails where the bitmap of states is ignored", async () => {
  const kernel = new FakeKernel();
  const side = { socketClass: kernel.socketClass, dumpVsock: () => kernel.dumpVsock() };
  const verdict = await runBothSides(listsListener, { server: side });
  assert.equal(verdict.outcome, "fail");
  assert.match(verdict.reasons.join("\n"), /0xfffffbff: expected false, got true/);
});

const isClient = ({ local }: DiagSocket) => local.port === 5000;
const CONNECTION: readonly [string, (seen: DiagSocket) => DiagSocket[], RegExp][] = [
  ["one end is missing", (seen) => isClient(seen) ? [] : [seen], /client: not listed/],
  [
    "one end has another state",
    (seen) => [{ ...seen, state: 2 }],
    /vdiag_state: expected 1, got 2/,
  ],
  ["the peer's address is another", (seen) => [{ ...seen, remote: ANYWHERE }], /remote address/],
  ["the own address is another", (seen) => [{ ...seen, local: ANYWHERE }], /the local address/],
  [
    "somebody else is listed",
    (seen) => [seen, { ...stale(9), cookie: seen.cookie + 100n }],
    /the number of other new sockets: expected 1/,
  ],
  [
    "the other end's port is another",
    (seen) => isClient(seen) ? [{ ...seen, local: ANYWHERE }] : [seen],
    /server: this is not the other end/,
  ],
];

for (const [name, change, reason] of CONNECTION) {
  Deno.test(`diag/dump/lists-connection fails where ${name}`, async () => {
    const verdict = await verdictOf(listsConnection, (listed) => listed.flatMap(change));
    assert.equal(verdict.outcome, "fail", verdict.reasons.join("\n"));
    assert.match(verdict.reasons.join("\n"), reason);
  });
}

/**
 * What lists-no-socket gives for a dump before it listens, and those behind it, one after the
 * other; the last one stays.
 */
async function outcomeOf(
  before: DiagSocket[],
  ...after: DiagSocket[][]
): Promise<[Outcome, string]> {
  let listened = false;
  let next = 0;
  const socketClass = class extends Socket {
    override listen(backlog: number) {
      listened = true;
      return super.listen(backlog);
    }
  };
  const dumpVsock = () =>
    Promise.resolve(listened ? after[Math.min(next++, after.length - 1)] ?? [] : before);
  const server = { dumpVsock, socketClass };
  const { outcome, reasons } = await runBothSides(listsNoSocket, { server });
  assert.ok(listened || outcome === "skip", "it has a socket of its own");
  return [outcome, reasons.join("\n")];
}

Deno.test("diag/dump/lists-no-socket waits for sockets that are closing", async () => {
  assert.deepEqual(await outcomeOf([], [stale(0)], [stale(0)], []), ["pass", ""]);
});

Deno.test("diag/dump/lists-no-socket is skipped where others have sockets", async () => {
  const [outcome, reason] = await outcomeOf([stale(0), stale(7)], [stale(7)]);
  assert.equal(outcome, "skip");
  assert.match(
    reason,
    /lacks a machine on which no other .*: listed: stream unconnected \*:\* -> \*:\* \(inode 7/,
  );
});

Deno.test("diag/dump/lists-no-socket does not fail for what a case before it left", async () => {
  const left = stale(0);
  assert.deepEqual(await outcomeOf([left], [left]), ["pass", ""]);
  const [outcome, reason] = await outcomeOf([left], [left, { ...left, cookie: 2n, inode: 7 }]);
  assert.equal(outcome, "fail");
  assert.match(reason, /the sockets that are listed: .*inode 7, cookie 2/);
});

Deno.test("diag/dump/lists-no-socket fails where a socket is listed that was not there", async () => {
  const [outcome, reason] = await outcomeOf([], [stale(7)]);
  assert.equal(outcome, "fail");
  assert.match(reason, /the sockets that are listed: .*stream unconnected/);
});

Deno.test("diag/dump/lists-no-socket fails where a closed socket stays listed", async () => {
  const [outcome, reason] = await outcomeOf([], [stale(0)]);
  assert.equal(outcome, "fail");
  assert.match(reason, /the sockets that are listed: .*closed: stream unconnected/);
});
