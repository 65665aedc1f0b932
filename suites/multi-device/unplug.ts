/**
 * A device that is unplugged and plugged in again.
 *
 * @module
 */
import {
  bytes,
  type CaseContext,
  type ConformanceCase,
  defineCase,
  kernel,
  MSG_NOSIGNAL,
  proposal,
  type Role,
  type Socket,
  spec,
  timedSleep,
  VMADDR_PORT_ANY,
} from "../../kit/mod.ts";
import {
  closeAll,
  connectThroughEach,
  type DeviceConnection,
  eachText,
  shareCids,
} from "./_each_device.ts";

/** How long a guest may take to bind a driver to a new device, in milliseconds. */
const PLUG_TIME = 20_000;
/** The polling interval, in milliseconds. */
const PAUSE = 20;

const refs = [proposal("2/5"), kernel("virtio_vsock_remove"), spec("5.10.6.7 Device Events")];

const type = "stream";

/** Which device is unplugged: the default one, or the last. */
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

/** Starts to receive although nothing will come: unplugging the device must end the call. */
function block(socket: Socket, { check }: CaseContext, cid: number): Promise<unknown> {
  const what = `recv() that waits at CID ${cid}`;
  return check.fails("ECONNRESET", what, () => socket.recv(bytes(1)));
}

/** Check the state of the connection after its device was unplugged. */
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

/** Check that connections carry data; either this side or the other sends first. */
async function live(
  connections: readonly DeviceConnection[],
  first: boolean,
  { check }: CaseContext,
) {
  for (const [, socket] of connections) {
    if (first) await check.sendsByte(socket);
    await check.receivesByte(socket);
    if (!first) await check.sendsByte(socket);
  }
}

/** The side that has the devices. */
async function asGuest(which: Which, role: Role, context: CaseContext): Promise<void> {
  const { vsock, peer, check } = context;
  const cids = await shareCids(context, true);
  const gone = (which === "default" ? cids[0] : cids.at(-1)) ?? 0;
  await peer.writeUlong(gone);
  const connections = await connectThroughEach(cids, { guest: role, role, type }, context);
  using _connections = closeAll(connections);
  const [reset, others] = apart(connections, gone);
  const blocked = block(reset, context, gone);
  await peer.writeln("UNPLUG");
  await peer.expectln("UNPLUGGED");
  const left = cids.filter((cid) => cid !== gone);
  await cidsBecome(left, context, "the CIDs that are left");
  await isReset(reset, blocked, context, gone);
  await live(others, role === "client", context);
  using socket = vsock.open("stream");
  const bind = () => socket.bind({ cid: gone, port: VMADDR_PORT_ANY });
  await check.fails("EADDRNOTAVAIL", `bind() to CID ${gone}, which is gone`, bind);
  await peer.writeln("REPLUG");
  await peer.expectln("PLUGGED");
  await cidsBecome(cids, context, "the CIDs after it was plugged in again");
  const again = await connectThroughEach(cids, { guest: role, role, type }, context);
  using _again = closeAll(again);
  await live(again, role === "client", context);
  await live(others, role === "client", context);
  await peer.expectln("DONE");
}

/** The side that controls the guest's QEMU. */
async function asHost(role: Role, context: CaseContext): Promise<void> {
  const { vsock, peer, check } = context;
  const guest = role === "client" ? "server" : "client";
  const cids = await shareCids(context, false);
  const gone = Number(await peer.readUlong());
  const connections = await connectThroughEach(cids, { guest, role, type }, context);
  using _connections = closeAll(connections);
  const [reset, others] = apart(connections, gone);
  using monitor = await vsock.monitor();
  const device = await monitor.findDevice(gone);
  const blocked = block(reset, context, gone);
  await peer.expectln("UNPLUG");
  await monitor.unplug(device);
  try {
    await peer.writeln("UNPLUGGED");
    await isReset(reset, blocked, context, gone);
    await live(others, role === "client", context);
    using socket = vsock.open("stream");
    const connect = () => socket.connect({ ...vsock.peerAddress(), cid: gone });
    await check.fails("ENODEV", `connect() to CID ${gone}, which is gone`, connect);
    await peer.expectln("REPLUG");
  } finally {
    await monitor.plug(device);
  }
  await peer.writeln("PLUGGED");
  const again = await connectThroughEach(cids, { guest, role, type }, context);
  using _again = closeAll(again);
  await live(again, role === "client", context);
  await live(others, role === "client", context);
  await peer.writeln("DONE");
}

/** The connection on a CID, and the others. */
function apart(connections: readonly DeviceConnection[], cid: number) {
  const [, socket] = connections.find(([each]) => each === cid) ?? [];
  if (socket === undefined) throw new Error(`CID ${cid} has no connection`);
  return [socket, connections.filter(([each]) => each !== cid)] as const;
}

function guestText(which: Which): string {
  return `has the ${which} device unplugged and plugged in again, and checks that recv() on it fails ` +
    "with ECONNRESET, that its CID is gone, and that the others are unharmed and new ones work";
}

function hostText(which: Which): string {
  return `unplugs the ${which} device, checks that recv() on it fails with ECONNRESET, connect() to ` +
    "it with ENODEV, and that others are unharmed, plugs it in, and checks that new ones work";
}

function unplugCase(guest: Role, which: Which) {
  const host = guest === "client" ? "server" : "client";
  const play = (role: Role) => (context: CaseContext) =>
    role === guest ? asGuest(which, role, context) : asHost(role, context);
  const says = (role: Role) =>
    `${eachText({ guest, role, type })}, ${role === guest ? guestText(which) : hostText(which)}`;
  return defineCase({
    id: `multi-device/unplug/${which}-of-${guest}`,
    title: `unplugging the ${which} device of a ${guest} resets its connections and no others`,
    requirement:
      "connections through an unplugged device MUST end with ECONNRESET on both sides, those " +
      "through others MUST keep working, and the device MUST work when it is back",
    refs,
    needs: [{ [guest]: "several-devices" }, { [host]: "guest-monitor" }],
    timeFactor: 3,
    does: {
      client: says("client"),
      server: says("server"),
    },
    client: play("client"),
    server: play("server"),
  });
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** Either side's devices, the default one and another. */
  unplugCase("client", "last"),
  unplugCase("client", "default"),
  unplugCase("server", "last"),
  unplugCase("server", "default"),
];
