import { knownCase } from "../../tests/support/known_case.ts";
import assert from "node:assert/strict";
import { SockMap } from "../../sys/bpf.ts";
import type { Descriptor } from "../../sys/descriptor.ts";
import { SysError } from "../../sys/errno.ts";
import { Socket } from "../../sys/socket.ts";
import { errorOf } from "../../kit/mod.ts";
import { runBothSides } from "../../tests/support/both_sides.ts";

const EOPNOTSUPP = 95;
const takesConnectedAlone = knownCase("bpf/sockmap/takes-connected-alone");

const readerIsWoken = knownCase("bpf/sockmap/waiting-reader-is-woken");

/** A sockmap in which sockets stay as they are. */
class IdleMap extends SockMap {
  static override create(): SockMap {
    return new this(-1, {});
  }
  override insert(): void {}
}

Deno.test("bpf/sockmap/waiting-reader-is-woken passes where nothing is wrong", async () => {
  const server = { sockMapClass: IdleMap };
  assert.deepEqual((await runBothSides(readerIsWoken, { server })).reasons, []);
});

Deno.test("bpf/sockmap/waiting-reader-is-woken fails where recv() is not", async () => {
  const socketClass = class extends Socket {
    override async recv(...args: Parameters<Socket["recv"]>): Promise<number> {
      await super.recv(...args);
      throw new SysError("recv(3)", 11);
    }
  };
  const server = { sockMapClass: IdleMap, socketClass };
  const { outcome, reasons } = await runBothSides(readerIsWoken, { server });
  assert.equal(outcome, "fail");
  assert.match(reasons.join("\n"), /recv\(\) that waits: recv\(3\): EAGAIN/);
});

function isConnected(socket: Descriptor): boolean {
  return socket instanceof Socket && errorOf(() => void socket.getpeername()) === undefined;
}

/** A sockmap without a kernel. */
class FakeMap extends SockMap {
  static override create(): SockMap {
    return new this(-1, {});
  }
  override insert(_key: number, socket: Descriptor): void {
    if (isConnected(socket)) return;
    throw new SysError("bpf(BPF_MAP_UPDATE_ELEM)", EOPNOTSUPP);
  }
}

Deno.test("bpf/sockmap/takes-connected-alone passes where nothing is wrong", async () => {
  const client = { sockMapClass: FakeMap };
  assert.deepEqual((await runBothSides(takesConnectedAlone, { client })).reasons, []);
});

Deno.test("bpf/sockmap/takes-connected-alone fails where any socket is taken", async () => {
  class TakesAny extends FakeMap {
    override insert(): void {}
  }
  const { outcome, reasons } = await runBothSides(takesConnectedAlone, {
    client: { sockMapClass: TakesAny },
  });
  assert.equal(outcome, "fail");
  assert.match(reasons.join("\n"), /a fresh socket: expected EOPNOTSUPP, but it returned/);
});

Deno.test("bpf/sockmap is skipped where there are no sockmaps", async () => {
  class None extends FakeMap {
    static override create(): SockMap {
      throw new SysError("bpf(BPF_MAP_CREATE)", 1);
    }
  }
  const { outcome, reasons } = await runBothSides(takesConnectedAlone, {
    client: { sockMapClass: None },
  });
  assert.equal(outcome, "skip");
  assert.match(reasons.join("\n"), /lacks sockmaps of BPF .*: bpf\(BPF_MAP_CREATE\): EPERM/);
});
