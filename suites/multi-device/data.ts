/**
 * Data through each of several devices.
 *
 * @module
 */
import {
  bytes,
  type CaseContext,
  type ConformanceCase,
  connecting,
  defineCase,
  djb2,
  kernel,
  Mapping,
  MSG_TRUNC,
  MSG_ZEROCOPY,
  pageSize,
  POLLERR,
  proposal,
  type Role,
  SO_ZEROCOPY,
  type Socket,
  type SocketType,
  SOL_SOCKET,
  spec,
  SysError,
} from "../../kit/mod.ts";
import { receivesCompletion } from "../_shared/completion.ts";
import {
  closeAll,
  connectThroughEach,
  type DeviceConnection,
  eachText,
  shareCids,
} from "./_each_device.ts";

/** What one side does with the connections of all devices; the guest sends. */
type Play = (connections: readonly DeviceConnection[], context: CaseContext) => Promise<void>;

/** A case with the guest in one of the roles: the end of its id, and what it proves. */
interface DataCase extends Pick<ConformanceCase, "title" | "requirement" | "refs" | "timeFactor"> {
  readonly claim: string;
  readonly type?: SocketType;
  readonly zerocopy?: boolean;
  readonly count?: number;
  /** What each side does with the connections. */
  readonly does: Readonly<Record<"guest" | "host", string>>;
  /** The guest's side. */
  readonly guest: Play;
  /** The host's. */
  readonly host: Play;
}

/** The case with a guest that connects, and the one with a guest that accepts. */
function dataCases(data: DataCase): readonly [ConformanceCase, ConformanceCase] {
  return [dataCase(data, "client"), dataCase(data, "server")];
}

function dataCase(data: DataCase, guest: Role): ConformanceCase {
  const { claim, title, requirement, refs, timeFactor = 1, type = "stream", count } = data;
  const through = (role: Role) => ({ guest, role, type, ...count === undefined ? {} : { count } });
  const says = (role: Role) =>
    `${eachText(through(role))}, ${data.does[role === guest ? "guest" : "host"]}`;
  const play = (role: Role) => async (context: CaseContext) => {
    const isGuest = role === guest;
    const cids = await shareCids(context, isGuest);
    const connections = await connectThroughEach(cids, through(role), context);
    using _connections = closeAll(connections);
    await (isGuest ? data.guest : data.host)(connections, context);
  };
  const accepts = guest === "server";
  return defineCase({
    id: `multi-device/data/${claim}${accepts ? "-accepted" : ""}`,
    title: `${title}${accepts ? ", on connections that the guest accepted" : ""}`,
    ...{ requirement, refs, timeFactor },
    needs: connecting(
      type,
      { [guest]: "several-devices" },
      ...data.zerocopy ? [{ [guest]: "zerocopy" } as const] : [],
    ),
    does: {
      client: says("client"),
      server: says("server"),
    },
    client: play("client"),
    server: play("server"),
  });
}

/** Sizes of messages; the last is read with MSG_TRUNC into a buffer of half its size. */
const SIZES = [1, 4052, 4053, 65_536, 3, 1000];

/** Pages that are sent without being copied. */
const PAGES = 8;

/** Sends until no more is accepted, and returns how much was. */
function fill(socket: Socket): number {
  const data = bytes(65_536);
  for (let sent = 0;;) {
    try {
      sent += socket.sendHere(data);
    } catch (error) {
      if (error instanceof SysError && error.code === "EAGAIN") return sent;
      throw error;
    }
  }
}

/** More than a receive buffer, so that it needs credit updates. */
const MUCH = 4 * 262_144;

/** More than a transport queues for a reader that does not read. */
const MOST = 64 * MUCH;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** Bounds and MSG_TRUNC. */
  ...dataCases({
    claim: "seqpacket-bounds",
    type: "seqpacket",
    title: "messages keep their boundaries and their length through each device",
    requirement:
      "messages sent through each device MUST arrive complete and separately; MSG_TRUNC MUST " +
      "return the real length",
    refs: [
      proposal("4/5"),
      spec("5.10.6.6 Seqpacket Sockets"),
      kernel("virtio_transport_seqpacket_dequeue"),
    ],
    does: {
      guest: "sends messages of 1, 4052, 4053, 65536, 3 and 1000 random bytes, each size on each " +
        "connection in turn, and tells the host their hashes",
      host: "receives each message separately, checks its length and hash, and for the last only " +
        "that recvmsg(MSG_TRUNC) into 500 bytes returns 1000 and sets MSG_TRUNC",
    },
    async guest(connections, { peer, check, random }) {
      for (const size of SIZES) {
        for (const [, socket] of connections) {
          const message = random.bytes(size);
          await check.sends(socket, message);
          await peer.writeUlong(djb2(message));
        }
      }
      await peer.expectln("DONE");
    },
    async host(connections, { peer, check }) {
      for (const [i, size] of SIZES.entries()) {
        for (const [cid, socket] of connections) {
          const sum = await peer.readUlong();
          const isLast = i === SIZES.length - 1;
          const into = bytes(isLast ? size / 2 : 2 * size);
          const receive = () => socket.recvmsg([into], isLast ? MSG_TRUNC : 0);
          const { length, flags } = await check.succeeds("recvmsg()", receive);
          check.equal(length, size, `the length of a message from CID ${cid}`);
          if (isLast) check.flag(flags, MSG_TRUNC, "MSG_TRUNC in msg_flags");
          else check.equal(djb2(into.subarray(0, length)), sum, `a message from CID ${cid}`);
        }
      }
      await peer.writeln("DONE");
    },
  }),
  /** MSG_ZEROCOPY. */
  ...dataCases({
    claim: "zerocopy",
    title: "MSG_ZEROCOPY sends and completes through each device",
    requirement:
      "send(MSG_ZEROCOPY) through each device MUST transfer the data and report that it was not " +
      "copied",
    refs: [proposal("3/5"), kernel("virtio_transport_can_msgzerocopy")],
    zerocopy: true,
    does: {
      guest:
        "sends 8 random pages with MSG_ZEROCOPY on each in turn, and checks for POLLERR and a " +
        "completion without a copy once they have been received",
      host: "receives 8 pages on each in turn, and checks that their hash matches the guest's",
    },
    async guest(connections, { peer, check, random }) {
      const length = PAGES * pageSize();
      for (const [cid, socket] of connections) {
        await check.setsInt(socket, SOL_SOCKET, SO_ZEROCOPY, 1);
        using memory = new Mapping(length);
        const data = random.bytes(length);
        memory.bytes().set(data);
        await check.succeeds("send(MSG_ZEROCOPY)", () => socket.send(memory.bytes(), MSG_ZEROCOPY));
        await peer.writeUlong(djb2(data));
        await peer.expectln("RECEIVED");
        const revents = await socket.poll(0, check.patience);
        check.flag(revents, POLLERR, `POLLERR at CID ${cid} after what was sent was received`);
        await receivesCompletion(check, socket, false, `CID ${cid}`);
      }
    },
    async host(connections, { peer, check }) {
      for (const [cid, socket] of connections) {
        const sum = await peer.readUlong();
        const data = await check.receives(socket, PAGES * pageSize());
        check.equal(djb2(data), sum, `the data from CID ${cid}`);
        await peer.writeln("RECEIVED");
      }
    },
  }),
  /** One device's peer does not read. */
  ...dataCases({
    claim: "stalls-alone",
    title: "a device whose peer does not read does not block the others",
    requirement:
      "while the credit of a connection through one device is exhausted, data through the others " +
      "MUST flow",
    refs: [
      proposal("0/5"),
      spec("5.10.6.3 Buffer Space Management"),
      kernel("virtio_transport_stream_has_space"),
    ],
    timeFactor: 2,
    does: {
      guest:
        "sends on the first until EAGAIN, then 1 MiB on each of the others, and receives a byte " +
        "there; lets the host read the first, and sends a byte on it",
      host:
        "receives 1 MiB on all but the first, checks its hash, and sends a byte; then drains the " +
        "first, and receives a byte there",
    },
    async guest([stalled, ...others], { peer, check, random }) {
      if (stalled === undefined) return;
      const filled = await check.succeeds("send()", () => fill(stalled[1]));
      for (const [, socket] of others) {
        const data = random.bytes(MUCH);
        await check.sends(socket, data);
        await peer.writeUlong(djb2(data));
        await check.receivesByte(socket);
      }
      await peer.writeUlong(filled);
      await peer.expectln("DRAINED");
      await check.sendsByte(stalled[1]);
    },
    async host([stalled, ...others], { peer, check }) {
      if (stalled === undefined) return;
      for (const [cid, socket] of others) {
        const data = await check.receives(socket, MUCH);
        check.equal(djb2(data), await peer.readUlong(), `the data from CID ${cid}`);
        await check.sendsByte(socket);
      }
      await check.receives(stalled[1], await peer.readCount(MOST));
      await peer.writeln("DRAINED");
      await check.receivesByte(stalled[1]);
    },
  }),
  /** Many at once. */
  ...dataCases({
    claim: "hundred-connections",
    title: "100 simultaneous connections over all devices carry their own data",
    requirement:
      "each of 100 connections through several devices MUST carry its own data, in both " +
      "directions",
    refs: [proposal("0/5"), kernel("virtio_transport_recv_pkt")],
    count: 100,
    timeFactor: 4,
    does: {
      guest:
        "sends on each its number and the low byte of its CID, and checks that the number comes " +
        "back",
      host:
        "receives two bytes on each, starting with the last connection, once all have been sent, " +
        "checks that they are correct, and sends the number back",
    },
    async guest(connections, { peer, check }) {
      for (const [i, [cid, socket]] of connections.entries()) {
        await check.sends(socket, Uint8Array.of(i, cid % 256));
      }
      await peer.writeln("SENT");
      for (const [i, [, socket]] of connections.entries()) {
        const [index] = await check.receives(socket, 1);
        check.equal(index, i, "what came back");
      }
      await peer.writeln("DONE");
    },
    async host(connections, { peer, check }) {
      await peer.expectln("SENT");
      for (const [i, [cid, socket]] of [...connections.entries()].reverse()) {
        const [index, from] = await check.receives(socket, 2);
        check.equal(index, i, "which connection the data says it is on");
        check.equal(from, cid % 256, `the CID that connection ${i} says it is from`);
        await check.sends(socket, Uint8Array.of(i));
      }
      await peer.expectln("DONE");
    },
  }),
];
