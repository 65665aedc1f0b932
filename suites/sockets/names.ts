/**
 * Names of the wrong form, and as much of a name as there is room for.
 *
 * @module
 */
import {
  AF_INET,
  AF_UNSPEC,
  type Bytes,
  bytes,
  type CaseContext,
  type ConformanceCase,
  connecting,
  defineCase,
  errorOf,
  forBothTypes,
  int,
  intOf,
  kernel,
  man,
  MSG_NOSIGNAL,
  SHUT_WR,
  SOCK_CLOEXEC,
  type Socket,
  type SocketType,
  until,
  VMADDR_PORT_ANY,
} from "../../kit/mod.ts";

/** sizeof(struct sockaddr_vm) and of struct sockaddr_storage. */
const SIZE = 16;
const STORAGE_SIZE = 128;
/** An address in the page that nobody has. */
const NOWHERE = 16n;
/** What lies where a name is stored, to tell what was written. */
const FILL = 0xa5;
/** Room for names: none, less than one, just one, and more. */
const ROOMS = [0, 1, 4, 15, 16, 17, 40];

/** A name with another family in it. */
function ofFamily(name: Bytes, family: number): Bytes {
  const other = bytes(STORAGE_SIZE);
  other.set(name);
  new DataView(other.buffer).setUint16(0, family, true);
  return other;
}

/** A name in `size` bytes, the rest of which is 0. */
function padded(name: Bytes, size: number): Bytes {
  const whole = bytes(size);
  whole.set(name);
  return whole;
}

/** Claims that a call refuses every name that is none. */
async function refusesNames(
  { check }: CaseContext,
  what: string,
  good: Bytes,
  call: (name: Bytes | bigint, length: number) => void,
): Promise<void> {
  const name = padded(good, STORAGE_SIZE + 1);
  for (const length of [0, 1, 2, 4, 12, SIZE - 1, STORAGE_SIZE + 1, -1]) {
    await check.fails("EINVAL", `${what} to a name of ${length} bytes`, () => call(name, length));
  }
  for (const family of [AF_UNSPEC, AF_INET, 41]) {
    const wrong = () => call(ofFamily(good, family), SIZE);
    await check.fails("EINVAL", `${what} to a name of family ${family}`, wrong);
  }
  await check.fails("EFAULT", `${what} to a name at a bad address`, () => call(NOWHERE, SIZE));
}

/** Claims that as much of a name is stored as there is room for, and no more. */
async function fillsRoom(
  { check }: CaseContext,
  what: string,
  expected: Bytes,
  call: (into: Bytes, length: Bytes) => void,
): Promise<void> {
  for (const room of ROOMS) {
    const into = bytes(64).fill(FILL);
    const length = int(room);
    await check.succeeds(`${what} with room for ${room} bytes`, () => call(into, length));
    check.equal(intOf(length), SIZE, `the length that ${what} stores with room for ${room} bytes`);
    const whole = bytes(64).fill(FILL);
    whole.set(expected.subarray(0, Math.min(room, SIZE)));
    check.sameBytes(into, whole, `what ${what} stores with room for ${room} bytes`);
  }
}

/** Claims that a call that gives a name refuses a negative length and bad addresses. */
async function refusesRoom(
  { check }: CaseContext,
  what: string,
  call: (into: Bytes | bigint, length: Bytes | bigint) => void,
): Promise<void> {
  await check.fails("EINVAL", `${what} with room for -1 bytes`, () => call(bytes(64), int(-1)));
  await check.fails("EFAULT", `${what} at a bad address`, () => call(NOWHERE, int(SIZE)));
  await check.fails("EFAULT", `${what} with a bad length`, () => call(bytes(64), NOWHERE));
}

/** The name of a socket's end, as bytes. */
function nameOf(socket: Socket, which: "getsockname" | "getpeername"): Bytes {
  return socket.family.encode({ flags: 0, ...socket[which]() });
}

function bindAndConnect(type: SocketType): ConformanceCase {
  return defineCase({
    id: `sockets/names/${type}-wrong-names`,
    title: `a ${type} socket takes whole names of AF_VSOCK, and nothing else`,
    requirement:
      "bind() and connect() MUST fail with EINVAL for a name that is too short, too long or of " +
      "another family, with EFAULT for one that is not there, and take one with more room",
    refs: [man("bind", 2, "EINVAL"), man("connect", 2, "ERRORS"), kernel("vsock_addr_cast")],
    does: {
      client:
        `checks that bind() and connect() of a ${type} socket fail with EINVAL with 0 to 15, 129 and -1 ` +
        "bytes, AF_UNSPEC, AF_INET and family 41, EFAULT at a bad address; that bind() takes 128 " +
        "bytes",
    },
    async client(context) {
      const { vsock, check } = context;
      using socket = vsock.open(type);
      const name = socket.family.encode(vsock.localAddress(VMADDR_PORT_ANY));
      await refusesNames(context, "bind()", name, (to, size) => socket.bindName(to, size));
      const peer = socket.family.encode(vsock.peerAddress());
      await refusesNames(context, "connect()", peer, (to, size) => socket.connectName(to, size));
      const whole = padded(name, STORAGE_SIZE);
      const bind = () => socket.bindName(whole, whole.length);
      await check.succeeds("bind() to a name in 128 bytes", bind);
    },
  });
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...forBothTypes(bindAndConnect),
  ...forBothTypes((type) =>
    defineCase({
      id: `sockets/names/${type}-room`,
      title: `a ${type} socket's names are stored as far as there is room`,
      requirement:
        "getsockname(), getpeername() and accept() MUST store min(room, 16) bytes and the length 16",
      refs: [man("getsockname", 2, "DESCRIPTION"), kernel("vsock_getname")],
      needs: connecting(type),
      does: {
        client:
          `connects a ${type} socket, and checks that getsockname() and getpeername() store just as ` +
          "much as there is room for (0 to 40 bytes), and 16; EINVAL with room for -1, EFAULT at " +
          "bad addresses",
        server:
          "accepts once with each of those rooms, and checks that accept4() stores just as much of " +
          "the client's name, and 16",
      },
      async client(context) {
        const { vsock, peer } = context;
        const sockets = await vsock.connectSeveral(type, ROOMS.length);
        const [socket] = sockets;
        if (socket === undefined) return;
        for (const which of ["getsockname", "getpeername"] as const) {
          const call = (into: Bytes | bigint, length: Bytes | bigint) =>
            socket.nameInto(which, into, length);
          await fillsRoom(context, `${which}()`, nameOf(socket, which), call);
          await refusesRoom(context, `${which}()`, call);
        }
        await peer.expectln("DONE");
      },
      async server(context) {
        const { vsock, peer } = context;
        using listener = vsock.listening(type, ROOMS.length);
        await peer.writeln("LISTENING");
        for (const room of ROOMS) {
          const into = bytes(64).fill(FILL);
          const length = int(room);
          await listener.poll();
          const accept = () => listener.acceptHere(SOCK_CLOEXEC, into, length);
          using socket = await context.check.succeeds("accept4()", accept);
          const what = `accept4() stores with room for ${room} bytes`;
          context.check.equal(intOf(length), SIZE, `the length that ${what}`);
          const whole = bytes(64).fill(FILL);
          whole.set(nameOf(socket, "getpeername").subarray(0, Math.min(room, SIZE)));
          context.check.sameBytes(into, whole, `what ${what}`);
        }
        await peer.writeln("DONE");
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `sockets/names/${type}-of-shut-down-peer`,
      title: `a ${type} socket knows its peer when that has shut down and closed`,
      requirement: "getpeername() MUST give the peer's name, also when that has closed",
      refs: [man("getpeername", 2, "DESCRIPTION"), kernel("vsock_getname")],
      needs: connecting(type),
      does: {
        client: `connects a ${type} socket, calls shutdown(SHUT_WR), and closes it when asked to`,
        server:
          `accepts a ${type} connection, and checks that getpeername() gives what it gave at first ` +
          "when the peer has shut down, and when it has closed so that send() fails with EPIPE",
      },
      async client({ vsock, peer }) {
        using socket = await vsock.connect(type);
        await peer.expectln("SHUTDOWN");
        socket.shutdown(SHUT_WR);
        await peer.expectln("CLOSE");
      },
      async server({ vsock, peer, check }) {
        using socket = await vsock.accept(type);
        const name = socket.getpeername();
        await peer.writeln("SHUTDOWN");
        await vsock.waitRemoteClose(socket);
        const getpeername = () => socket.getpeername();
        const half = await check.succeeds("getpeername()", getpeername);
        check.equal(half, name, "the name of a peer that has shut down");
        await peer.writeln("CLOSE");
        const send = () => socket.sendHere(bytes(1), MSG_NOSIGNAL);
        const isRefused = () => errorOf(send) === "EPIPE";
        if (!await until(isRefused, { timeout: check.patience, pause: 1 })) {
          throw check.stop("send() to a closed peer: no EPIPE");
        }
        const closed = await check.succeeds("getpeername()", getpeername);
        check.equal(closed, name, "the name of a peer that has closed");
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `sockets/names/${type}-after-own-shutdown`,
      title: `a ${type} socket has no peer once it has shut down, and one that goes on has`,
      requirement: "getpeername() SHOULD fail with ENOTCONN after the socket's own shutdown()",
      refs: [man("getpeername", 2, "ENOTCONN"), kernel("vsock_shutdown")],
      needs: connecting(type),
      does: {
        client:
          `connects a ${type} socket, checks that getpeername() gives the server's name, and ` +
          "ENOTCONN after shutdown(SHUT_WR), while getsockname() stays as it is",
        server: `accepts a ${type} connection, and keeps it until the client is done`,
      },
      async client({ vsock, peer, check }) {
        using socket = await vsock.connect(type);
        const own = socket.getsockname();
        const name = await check.succeeds("getpeername()", () => socket.getpeername());
        check.equal(name, { ...vsock.peerAddress(), flags: 0 }, "getpeername() at first");
        await check.succeeds("shutdown(SHUT_WR)", () => socket.shutdown(SHUT_WR));
        const getpeername = () => socket.getpeername();
        await check.fails("ENOTCONN", "getpeername() after shutdown(SHUT_WR)", getpeername);
        check.equal(socket.getsockname(), own, "getsockname() after shutdown(SHUT_WR)");
        await peer.writeln("DONE");
      },
      async server({ vsock, peer }) {
        using _socket = await vsock.accept(type);
        await peer.expectln("DONE");
      },
    })
  ),
];
