/**
 * A device that goes away, and comes back.
 *
 * @module
 */
import {
  bytes,
  type CaseContext,
  defineCase,
  kernel,
  MSG_NOSIGNAL,
  proposal,
  type Role,
  type Socket,
  spec,
  timedSleep,
  VMADDR_PORT_ANY,
} from "../kit.ts";

/** How long a guest may take to have a driver for what was plugged in, in milliseconds. */
const PLUG_TIME = 20_000;
/** Between two looks, in milliseconds. */
const PAUSE = 20;

const refs = [proposal("2/5"), kernel("virtio_vsock_remove"), spec("5.10.6.7 Device Events")];

/** Which device goes: the default one, or the last. */
type Which = "default" | "last";

/** Waits until the CIDs are these. */
async function cidsBecome(
  expected: readonly number[],
  { vsock, check }: CaseContext,
  what: string,
) {
  const deadline = performance.now() + PLUG_TIME;
  let cids = vsock.deviceCids();
  while (cids.join() !== expected.join() && performance.now() < deadline) {
    await timedSleep(PAUSE);
    cids = vsock.deviceCids();
  }
  check.equal(cids, expected, what);
}

/** Begins to receive where nothing will come: the end of its device is to end the call. */
function block(socket: Socket, { check }: CaseContext, cid: number): Promise<unknown> {
  const what = `recv() that waits at CID ${cid}`;
  return check.fails("ECONNRESET", what, () => socket.recv(bytes(1)));
}

/** Claims what is left of the connection of a device that is gone. */
async function isReset(
  socket: Socket,
  blocked: Promise<unknown>,
  { check }: CaseContext,
  cid: number,
): Promise<void> {
  await blocked;
  const send = () => socket.send(bytes(1), MSG_NOSIGNAL);
  await check.fails(
    ["ECONNRESET", "EPIPE", "ENOTCONN"],
    `send() on the connection of CID ${cid}`,
    send,
  );
}

/** Claims that connections carry data: this side sends first, or the other. */
async function live(sockets: ReadonlyMap<number, Socket>, first: boolean, { check }: CaseContext) {
  for (const socket of sockets.values()) {
    if (first) await check.sendsByte(socket);
    await check.receivesByte(socket);
    if (!first) await check.sendsByte(socket);
  }
}

/** Connects to, or from, each CID of the guest; `cids` are the guest's. */
async function openEach(
  cids: readonly number[],
  guest: Role,
  role: Role,
  { vsock, peer, check }: CaseContext,
): Promise<Map<number, Socket>> {
  const sockets = new Map<number, Socket>();
  const { port } = vsock.peerAddress();
  using listener = role === "server" ? vsock.listening("stream", cids.length) : undefined;
  if (listener !== undefined) await peer.writeln("LISTENING");
  else await peer.expectln("LISTENING");
  for (const cid of cids) {
    if (listener !== undefined) {
      sockets.set(cid, (await listener.accept()).socket);
    } else {
      const from = { cid, port: VMADDR_PORT_ANY };
      const socket = guest === "client" ? vsock.bound("stream", from) : vsock.open("stream");
      const to = guest === "client" ? vsock.peerAddress() : { cid, port };
      await check.succeeds(`connect() for CID ${cid}`, () => socket.connect(to));
      sockets.set(cid, socket);
    }
  }
  return sockets;
}

/** The side that has the devices. */
async function asGuest(which: Which, role: Role, context: CaseContext): Promise<void> {
  const { vsock, peer, check } = context;
  const cids = vsock.deviceCids();
  const gone = (which === "default" ? cids[0] : cids.at(-1)) ?? 0;
  await peer.writeNumbers(cids);
  await peer.writeUlong(gone);
  const sockets = await openEach(cids, role, role, context);
  using _sockets = stackOf(sockets);
  const reset = taken(sockets, gone);
  const blocked = block(reset, context, gone);
  await peer.writeln("UNPLUG");
  await peer.expectln("UNPLUGGED");
  const left = cids.filter((cid) => cid !== gone);
  await cidsBecome(left, context, "the CIDs that are left");
  await isReset(reset, blocked, context, gone);
  await live(sockets, role === "client", context);
  using socket = vsock.open("stream");
  const bind = () => socket.bind({ cid: gone, port: VMADDR_PORT_ANY });
  await check.fails("EADDRNOTAVAIL", `bind() to CID ${gone}, which is gone`, bind);
  await peer.writeln("REPLUG");
  await peer.expectln("PLUGGED");
  await cidsBecome(cids, context, "the CIDs after it was plugged in again");
  const again = await openEach(cids, role, role, context);
  using _again = stackOf(again);
  await live(again, role === "client", context);
  await live(sockets, role === "client", context);
  await peer.expectln("DONE");
}

/** The side that has the guest's QEMU. */
async function asHost(role: Role, context: CaseContext): Promise<void> {
  const { vsock, peer, check } = context;
  const guest = role === "client" ? "server" : "client";
  const cids = await peer.readNumbers();
  const gone = Number(await peer.readUlong());
  const sockets = await openEach(cids, guest, role, context);
  using _sockets = stackOf(sockets);
  const reset = taken(sockets, gone);
  using monitor = await vsock.monitor();
  const device = await monitor.findDevice(gone);
  const blocked = block(reset, context, gone);
  await peer.expectln("UNPLUG");
  await monitor.unplug(device);
  try {
    await peer.writeln("UNPLUGGED");
    await isReset(reset, blocked, context, gone);
    await live(sockets, role === "client", context);
    using socket = vsock.open("stream");
    const connect = () => socket.connect({ ...vsock.peerAddress(), cid: gone });
    await check.fails("ENODEV", `connect() to CID ${gone}, which is gone`, connect);
    await peer.expectln("REPLUG");
  } finally {
    await monitor.plug(device);
  }
  await peer.writeln("PLUGGED");
  const again = await openEach(cids, guest, role, context);
  using _again = stackOf(again);
  await live(again, role === "client", context);
  await live(sockets, role === "client", context);
  await peer.writeln("DONE");
}

function stackOf(sockets: ReadonlyMap<number, Socket>): Disposable {
  const stack = new DisposableStack();
  for (const socket of sockets.values()) stack.use(socket);
  return stack;
}

/** Takes the socket of a CID from the others. */
function taken(sockets: Map<number, Socket>, cid: number): Socket {
  const socket = sockets.get(cid);
  if (socket === undefined) throw new Error(`CID ${cid} has no connection`);
  sockets.delete(cid);
  return socket;
}

function unplugCase(guest: Role, which: Which) {
  const host = guest === "client" ? "server" : "client";
  const play = (role: Role) => (context: CaseContext) =>
    role === guest ? asGuest(which, role, context) : asHost(role, context);
  return defineCase({
    id: `multi-device/unplug/${which}-of-${guest}`,
    title: `unplugging the ${which} device of a ${guest} resets its connections and no others`,
    requirement:
      "connections through a device that is unplugged MUST end with ECONNRESET on both " +
      "sides, those through others MUST go on, and the device MUST work when it is back",
    refs,
    needs: [{ [guest]: "several-devices" }, { [host]: "guest-monitor" }],
    timeFactor: 3,
    client: play("client"),
    server: play("server"),
  });
}

/** Either side's devices, the default one and another. */
export const [lastOfClient, defaultOfClient, lastOfServer, defaultOfServer] = [
  unplugCase("client", "last"),
  unplugCase("client", "default"),
  unplugCase("server", "last"),
  unplugCase("server", "default"),
] as const;
