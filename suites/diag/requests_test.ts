import { knownCase } from "../../tests/support/known_case.ts";
import assert from "node:assert/strict";
import { SysError } from "../../sys/errno.ts";
import { type DiagSocket, type dumpVsock, TCP_ESTABLISHED } from "../../sys/sock_diag.ts";
import { Socket } from "../../sys/socket.ts";
import { runBothSides } from "../../tests/support/both_sides.ts";
import type { ConformanceCase } from "../../kit/mod.ts";

const [EINVAL, EOPNOTSUPP] = [22, 95];
const ANYWHERE = { cid: 0xffffffff, port: 0xffffffff };

/** What is wrong with a dump. */
interface Wrong {
  /** Changes what is listed. */
  readonly tamper?: (listed: readonly DiagSocket[]) => readonly DiagSocket[];
  /** Whether odd requests are answered, too. */
  readonly answersAll?: boolean;
  /** Whether the states that were asked for do not matter. */
  readonly ignoresStates?: boolean;
}

/** Runs a case with sockets of which a dump knows all that were opened. */
async function verdictOf(
  definition: ConformanceCase,
  { tamper = (listed) => listed, answersAll = false, ignoresStates = false }: Wrong = {},
) {
  const open = new Map<number, DiagSocket>();
  const see = (socket: Socket, type: number): void => {
    const inode = socket.inode();
    const names = { local: ANYWHERE, remote: ANYWHERE };
    const shown = { type, state: TCP_ESTABLISHED, shutdown: 0, ...names };
    open.set(inode, { ...shown, inode, cookie: BigInt(inode) });
  };
  const type = definition.id.includes("seqpacket") ? 5 : 1;
  const socketClass = class extends Socket {
    override bind(): void {
      see(this, type);
    }
    override async connect(...args: Parameters<Socket["connect"]>): Promise<void> {
      await super.connect(...args);
      see(this, type);
    }
    override async accept() {
      const accepted = await super.accept();
      see(accepted.socket, type);
      return accepted;
    }
    override shutdown(how: number): void {
      super.shutdown(how);
      const seen = open.get(this.inode());
      if (seen) open.set(seen.inode, { ...seen, shutdown: seen.shutdown | (how + 1) });
    }
  };
  const dump: typeof dumpVsock = (states = 0xffffffff, _context, odd = {}) => {
    if (!answersAll && odd.size !== undefined) throw new SysError("dump(20)", EINVAL);
    if (!answersAll && odd.flags !== undefined) throw new SysError("dump(20)", EOPNOTSUPP);
    const isAsked = ({ state }: DiagSocket) => ignoresStates || (states & 1 << state) !== 0;
    return Promise.resolve(tamper([...open.values()]).filter(isAsked));
  };
  const isConnecting = definition.server !== undefined;
  // Without a connection AF_UNIX has nothing to bind to; with one it must.
  const client = isConnecting ? bindsReally(socketClass) : socketClass;
  const side = { socketClass: client, dumpVsock: dump };
  return await runBothSides(definition, { client: side, server: side });
}

function bindsReally(Base: typeof Socket): typeof Socket {
  return class extends Base {
    override bind(...args: Parameters<Socket["bind"]>): void {
      Socket.prototype.bind.apply(this, args);
    }
  };
}

const CASES: readonly (readonly [string, string, Wrong, RegExp])[] = [
  [
    "diag/dump/six-hundred-once-each",
    "diag/dump/six-hundred-once-each fails where one is left out",
    { tamper: (listed) => listed.slice(1) },
    /how many are not listed: expected 0, got 1/,
  ],
  [
    "diag/dump/six-hundred-once-each",
    "diag/dump/six-hundred-once-each fails where one is listed twice",
    { tamper: (listed) => [...listed, ...listed.slice(0, 1)] },
    /how many are listed twice: expected 0, got 1/,
  ],
  ...["stream", "seqpacket"].flatMap((type): [string, string, Wrong, RegExp][] => [
    [
      `diag/dump/${type}-connection-in-part`,
      `a connection in part fails where shutdown() does not show, ${type}`,
      { tamper: (listed) => listed.map((each) => ({ ...each, shutdown: 0 })) },
      /vdiag_shutdown: expected 1, got 0/,
    ],
    [
      `diag/dump/${type}-connection-in-part`,
      `a connection in part fails where the states do not matter, ${type}`,
      { ignoresStates: true },
      /0xfffffffd: expected false, got true/,
    ],
  ]),
  [
    "diag/request/malformed-is-refused",
    "diag/request/malformed-is-refused fails where all are answered",
    { answersAll: true },
    /a request of 2 bytes: expected EINVAL, but it returned/,
  ],
];

for (const id of new Set(CASES.map(([id]) => id))) {
  Deno.test(`${id} passes where nothing is wrong`, async () => {
    assert.deepEqual((await verdictOf(knownCase(id))).reasons, []);
  });
}

for (const [id, name, wrong, reason] of CASES) {
  Deno.test(name, async () => {
    const verdict = await verdictOf(knownCase(id), wrong);
    assert.equal(verdict.outcome, "fail", verdict.reasons.join("\n"));
    assert.match(verdict.reasons.join("\n"), reason);
  });
}
