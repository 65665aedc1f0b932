import assert from "node:assert/strict";
import { AF_INET, MSG_DONTWAIT, SOCK_DGRAM } from "./constants.ts";
import { call } from "./libc.ts";
import { SocketMemory } from "./socket_memory.ts";

const DATA = "data areas of small packets";
const HEADS = "socket buffers";
const SOCKETS = 5;
const EACH = 100;

/** Packets that nobody takes until it is disposed of. */
function untaken(): Disposable {
  const sockets = Array.from({ length: SOCKETS }, () => {
    const fd = call("socket", AF_INET, SOCK_DGRAM, 0);
    const address = new Uint8Array(16);
    address.set([AF_INET, 0, 0, 0, 127, 0, 0, 1]);
    call("bind", fd, address, address.length);
    call("getsockname", fd, address, new Int32Array([address.length]));
    call("connect", fd, address, address.length);
    assert.equal(call("sendmmsg", fd, new Uint8Array(64 * EACH), EACH, MSG_DONTWAIT), EACH);
    return fd;
  });
  return { [Symbol.dispose]: () => sockets.forEach((fd) => void call("close", fd)) };
}

/** Others on this machine have packets, too; not that many. */
const isMany = (count: number) => count > SOCKETS * EACH / 2;

// Only root is told, and not by every kernel.
const memory = SocketMemory.open();

Deno.test({
  name: "SocketMemory.read() counts what is held, and no longer what is given back",
  ignore: memory === undefined,
  fn: async () => {
    if (memory === undefined) return;
    const countOf = (what: string) => memory.read().find((held) => held.what === what)?.count;
    for (const what of [DATA, HEADS].filter((what) => memory.watched.includes(what))) {
      const before = countOf(what) ?? 0;
      const held = untaken();
      const during = countOf(what) ?? 0;
      held[Symbol.dispose]();
      // A socket of UDP is freed when no processor can be looking at it any more, and its packets then.
      let after = countOf(what) ?? 0;
      for (const end = performance.now() + 10_000; isMany(after - before);) {
        if (performance.now() > end) break;
        await new Promise((resolve) => setTimeout(resolve, 10));
        after = countOf(what) ?? 0;
      }
      assert.ok(isMany(during - before), `${what}: ${before}, then ${during}`);
      assert.ok(!isMany(after - before), `${what}: ${before}, in the end ${after}`);
    }
  },
});
