import {
  type CaseContext,
  type Role,
  type Socket,
  type SocketType,
  VMADDR_PORT_ANY,
} from "../../kit/mod.ts";

/** A connection, and the guest's CID on it. */
export type DeviceConnection = readonly [cid: number, socket: Socket];

/** Which connections to make: the devices belong to the side `guest`, and this side is `role`. */
export interface ThroughEach {
  readonly guest: Role;
  readonly role: Role;
  readonly type: SocketType;
  /** How many to make, going through the CIDs in turn; default: one for each. */
  readonly count?: number;
}

/** Sends the guest's CIDs to the other side, or receives them; returns them on either side. */
export async function shareCids({ vsock, peer }: CaseContext, isGuest: boolean): Promise<number[]> {
  if (!isGuest) return await peer.readNumbers();
  const cids = vsock.deviceCids();
  await peer.writeNumbers(cids);
  return cids;
}

/**
 * Connects from, or to, each of the guest's CIDs, or accepts these connections; both sides use the
 * same order. The kit closes the connecting sockets; the caller owns the accepted ones, see
 * {@linkcode closeAll}.
 */
export async function connectThroughEach(
  cids: readonly number[],
  { guest, role, type, count = cids.length }: ThroughEach,
  context: CaseContext,
): Promise<DeviceConnection[]> {
  const { vsock, peer, check } = context;
  const wanted = Array.from({ length: count }, (_, i) => cids[i % cids.length] ?? 0);
  const connections: DeviceConnection[] = [];
  if (role === "server") {
    using listener = vsock.listening(type, count);
    await peer.writeln("LISTENING");
    for (const cid of wanted) {
      const { socket, address } = await listener.accept();
      const seen = guest === "client" ? address.cid : socket.getsockname().cid;
      check.equal(seen, cid, "the guest's CID of what was accepted");
      connections.push([cid, socket]);
    }
    await peer.writeln("ACCEPTED");
    return connections;
  }
  await peer.expectln("LISTENING");
  for (const cid of wanted) {
    const socket = guest === "client"
      ? vsock.bound(type, { cid, port: VMADDR_PORT_ANY })
      : vsock.open(type);
    const to = guest === "client" ? vsock.peerAddress() : { ...vsock.peerAddress(), cid };
    await check.succeeds(`connect() for CID ${cid}`, () => socket.connect(to));
    connections.push([cid, socket]);
  }
  await peer.expectln("ACCEPTED");
  return connections;
}

/** What {@linkcode connectThroughEach} does, in the words of a case's `does`. */
export function eachText({ guest, role, type, count }: ThroughEach): string {
  const [verb, end] = role === "client" ? ["makes", "to"] : ["accepts", "on"];
  const place = `${guest === "client" ? "from" : end} each of ${
    role === guest ? "its" : "the guest's"
  }`;
  return count === undefined
    ? `${verb} a ${type} connection ${place} CIDs`
    : `${verb} ${count} ${type} connections, ${place} CIDs in turn`;
}

/** Closes connections when disposed of. */
export function closeAll(connections: Iterable<DeviceConnection>): Disposable {
  const stack = new DisposableStack();
  for (const [, socket] of connections) stack.use(socket);
  return stack;
}
