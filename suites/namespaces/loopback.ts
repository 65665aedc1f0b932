/**
 * Sockets of one machine in separate namespaces: which reach each other, and which share ports.
 *
 * @module
 */
import {
  type ConformanceCase,
  defineCase,
  errorOf,
  kernel,
  type NamespaceMode,
  type NetNamespace,
  type SocketType,
  VMADDR_CID_LOCAL,
  type Vsock,
} from "../../kit/mod.ts";

const needs = [{ client: "namespaces" }, { client: "loopback-cid" }] as const;
const refs = [kernel("vsock_find_bound_socket_net"), kernel("vsock_loopback_work")];

/** Opens a socket in a namespace, bound to the port of the case. */
function openIn(namespace: NetNamespace, vsock: Vsock, type: SocketType = "stream") {
  return namespace.within(() => vsock.open(type));
}

/** Which namespaces the two ends are in; `same` if both are in one namespace. */
interface Reach {
  readonly id: string;
  readonly from: NamespaceMode;
  readonly to: NamespaceMode;
  readonly same?: boolean;
}

function reachCase({ id, from, to, same = false }: Reach) {
  const reaches = same || (from === "global" && to === "global");
  const what = same ? `a ${from} namespace to itself` : `a ${from} namespace to another, ${to} one`;
  return defineCase({
    id: `namespaces/loopback/${id}`,
    title: `loopback ${reaches ? "connects" : "does not connect"} ${what}`,
    requirement: reaches
      ? `connect() from ${what} MUST reach the listener there`
      : `connect() from ${what} MUST fail with ECONNRESET, as if nobody were listening`,
    refs,
    needs,
    does: {
      client: reaches
        ? `listens, and checks that connect() to VMADDR_CID_LOCAL from ${what} succeeds, that ` +
          "accept() returns that connection, and that a byte arrives"
        : `listens, and checks that connect() to VMADDR_CID_LOCAL from ${what} fails with ` +
          "ECONNRESET and that accept() there fails with EAGAIN",
    },
    async client({ vsock, check }) {
      using client = vsock.namespace(from);
      using other = same ? undefined : vsock.namespace(to);
      using listener = openIn(other ?? client, vsock);
      listener.bind(vsock.localAddress());
      listener.listen(1);
      listener.setNonblocking();
      using socket = openIn(client, vsock);
      const address = { cid: VMADDR_CID_LOCAL, port: vsock.localAddress().port };
      const connect = () => socket.connect(address);
      if (!reaches) {
        await check.fails("ECONNRESET", `connect() from ${what}`, connect);
        check.equal(errorOf(() => listener.acceptHere()), "EAGAIN", "accept() there");
        return;
      }
      await check.succeeds(`connect() from ${what}`, connect);
      using accepted = await check.succeeds("accept() there", () => listener.acceptHere());
      await check.sendsByte(socket);
      await check.receivesByte(accepted);
    },
  });
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** Every pair of modes. */
  reachCase({ id: "global-reaches-global", from: "global", to: "global" }),
  reachCase({ id: "global-misses-local", from: "global", to: "local" }),
  reachCase({ id: "local-misses-global", from: "local", to: "global" }),
  reachCase({ id: "local-misses-local", from: "local", to: "local" }),
  reachCase({ id: "local-reaches-itself", from: "local", to: "local", same: true }),
  /** The kernel does not support SOCK_SEQPACKET in local namespaces. */
  defineCase({
    id: "namespaces/loopback/seqpacket-in-local",
    title: "SOCK_SEQPACKET works on loopback in a local namespace",
    requirement:
      "connect() of a SOCK_SEQPACKET socket to VMADDR_CID_LOCAL SHOULD succeed if SOCK_STREAM " +
      "does",
    refs: [kernel("vsock_loopback_seqpacket_allow")],
    needs,
    does: {
      client:
        "listens with a seqpacket socket in a new local namespace, and checks that connect() " +
        "from there to VMADDR_CID_LOCAL succeeds",
    },
    async client({ vsock, check }) {
      using namespace = vsock.namespace("local");
      using listener = openIn(namespace, vsock, "seqpacket");
      listener.bind(vsock.localAddress());
      listener.listen(1);
      using socket = openIn(namespace, vsock, "seqpacket");
      const address = { cid: VMADDR_CID_LOCAL, port: vsock.localAddress().port };
      await check.succeeds("connect() in a local namespace", () => socket.connect(address));
    },
  }),
  /** One port space for all global namespaces, one for each local one. */
  defineCase({
    id: "namespaces/loopback/ports",
    title: "global namespaces share their ports, a local one has its own",
    requirement:
      "bind() to a port that is bound in another namespace MUST fail with EADDRINUSE if both are " +
      "global, and succeed if one of them is local",
    refs: [kernel("__vsock_find_bound_socket_net")],
    needs: [{ client: "namespaces" }],
    does: {
      client:
        "binds two sockets to one port in two new namespaces of each pair of modes, and checks " +
        "that the second fails with EADDRINUSE if both are global, and succeeds otherwise",
    },
    client({ vsock, check }) {
      const modes = ["global", "local"] as const;
      for (const first of modes) {
        for (const second of modes) {
          using one = vsock.namespace(first);
          using two = vsock.namespace(second);
          using holder = openIn(one, vsock);
          holder.bind(vsock.localAddress());
          using socket = openIn(two, vsock);
          const code = errorOf(() => socket.bind(vsock.localAddress()));
          const expected = first === "global" && second === "global" ? "EADDRINUSE" : undefined;
          check.equal(code, expected, `bind() in a ${second} namespace beside a ${first} one`);
        }
      }
    },
  }),
  /** A namespace lives as long as its sockets. */
  defineCase({
    id: "namespaces/loopback/connection-outlives-namespace",
    title: "a connection keeps working after the namespaces of both ends are gone",
    requirement:
      "a connection between two global namespaces MUST carry data after both were deleted",
    refs: [kernel("vsock_create")],
    needs,
    does: {
      client:
        "opens a socket in each of two new global namespaces, leaves both with nothing else in " +
        "them, connects one to the other over VMADDR_CID_LOCAL, and checks that a byte arrives " +
        "in each direction",
    },
    async client({ vsock, check }) {
      const address = { cid: VMADDR_CID_LOCAL, port: vsock.localAddress().port };
      const ends = () => {
        using one = vsock.namespace("global");
        using two = vsock.namespace("global");
        return [openIn(one, vsock), openIn(two, vsock)] as const;
      };
      // Their namespaces no longer have a thread or a descriptor.
      const [listener, socket] = ends();
      listener.bind(vsock.localAddress());
      listener.listen(1);
      await check.succeeds("connect()", () => socket.connect(address));
      const { socket: accepted } = await check.succeeds("accept()", () => listener.accept());
      using end = accepted;
      for (const [from, to] of [[socket, end], [end, socket]] as const) {
        await check.sendsByte(from);
        await check.receivesByte(to);
      }
    },
  }),
];
