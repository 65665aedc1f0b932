/**
 * Sockets of one machine in namespaces of its own: who reaches whom, and who shares ports.
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

/** Opens a socket that is bound to the port of the case in a namespace. */
function openIn(namespace: NetNamespace, vsock: Vsock, type: SocketType = "stream") {
  return namespace.within(() => vsock.open(type));
}

/** Who connects to whom, and whether that is to succeed; `same` where it is one namespace. */
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
    title: `loopback ${reaches ? "leads" : "does not lead"} from ${what}`,
    requirement: reaches
      ? `connect() from ${what} MUST reach the listener there`
      : `connect() from ${what} MUST fail with ECONNRESET as if nobody listened`,
    refs,
    needs,
    does: {
      client: reaches
        ? `listens, and claims that connect() to VMADDR_CID_LOCAL from ${what} succeeds, that ` +
          "accept() gives that connection, and that a byte arrives"
        : `listens, and claims that connect() to VMADDR_CID_LOCAL from ${what} is ECONNRESET and ` +
          "that accept() there is EAGAIN",
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
  /** Messages are not for local namespaces, says the kernel. */
  defineCase({
    id: "namespaces/loopback/seqpacket-in-local",
    title: "SOCK_SEQPACKET works on loopback in a local namespace",
    requirement:
      "connect() of a SOCK_SEQPACKET socket to VMADDR_CID_LOCAL SHOULD succeed where SOCK_STREAM does",
    refs: [kernel("vsock_loopback_seqpacket_allow")],
    needs,
    does: {
      client:
        "listens with a seqpacket socket in a new local namespace, and claims that connect() from " +
        "there to VMADDR_CID_LOCAL succeeds",
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
    requirement: "bind() to a port that is bound in another namespace MUST fail with EADDRINUSE " +
      "where both are global, and succeed where one of them is local",
    refs: [kernel("__vsock_find_bound_socket_net")],
    needs: [{ client: "namespaces" }],
    does: {
      client:
        "binds two sockets to one port in two new namespaces of each pair of modes, and claims " +
        "that the second one is EADDRINUSE where both are global, else succeeds",
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
    title: "a connection goes on when the namespaces of its ends have been left",
    requirement:
      "a connection between two global namespaces MUST carry data after both were deleted",
    refs: [kernel("vsock_create")],
    needs,
    does: {
      client:
        "opens a socket in each of two new global namespaces, leaves both without anything else in " +
        "them, connects one to the other over VMADDR_CID_LOCAL, and claims that a byte arrives " +
        "either way",
    },
    async client({ vsock, check }) {
      const address = { cid: VMADDR_CID_LOCAL, port: vsock.localAddress().port };
      const ends = () => {
        using one = vsock.namespace("global");
        using two = vsock.namespace("global");
        return [openIn(one, vsock), openIn(two, vsock)] as const;
      };
      // Their namespaces have neither a thread nor a descriptor any more.
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
