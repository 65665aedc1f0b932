/**
 * A machine's sockets in separate namespaces, and the peer on the other machine.
 *
 * @module
 */
import {
  type ConformanceCase,
  defineCase,
  kernel,
  type NamespaceMode,
  type Role,
  VMADDR_CID_HOST,
  VMADDR_CID_LOCAL,
} from "../../kit/mod.ts";

/** The deciding functions: where a client may connect, or which socket a server's port belongs to. */
const REFS = {
  client: [kernel("vsock_assign_transport")],
  server: [kernel("vsock_find_bound_socket_net")],
} as const;

/** The error of connect() from a local namespace, by where the peer is. */
function errorFromLocal(peerCid: number): string {
  // A guest's device belongs to the global namespaces of the host and of the guest.
  if (peerCid === VMADDR_CID_LOCAL) return "ECONNRESET";
  return peerCid === VMADDR_CID_HOST ? "ENETUNREACH" : "ENODEV";
}

/** What both sides do, in words. */
function doings(where: Role, mode: NamespaceMode): ConformanceCase["does"] {
  const reaches = mode === "global";
  const [from, at] = where === "client"
    ? [` from a new ${mode} namespace`, ""]
    : ["", ` in a new ${mode} namespace`];
  const refusals = where === "client"
    ? "ECONNRESET over loopback, ENETUNREACH to the host, ENODEV to a guest"
    : "ECONNRESET";
  return {
    client: reaches
      ? `connects${from}, sends a byte, and receives one`
      : `checks that connect()${from} fails with ${refusals}`,
    server: `listens${at}${
      reaches ? ", accepts, receives a byte, and sends one" : " until the client has been refused"
    }`,
  };
}

/** One side is in a namespace with the given mode; the other is where the tool runs. */
function peerCase(where: Role, mode: NamespaceMode) {
  const reaches = mode === "global";
  const claim = reaches ? "MUST reach each other" : "MUST NOT reach each other";
  return defineCase({
    id: `namespaces/peer/${where}-in-${mode}`,
    title: `a ${where} in a new ${mode} namespace ${
      reaches ? "reaches" : "does not reach"
    } the peer`,
    requirement: `a ${where} in a new ${mode} namespace and a peer in a global one ${claim}`,
    refs: REFS[where],
    needs: [{ [where]: "namespaces" }],
    does: doings(where, mode),
    async client({ vsock, peer, check }) {
      await peer.expectln("LISTENING");
      using namespace = where === "client" ? vsock.namespace(mode) : undefined;
      namespace?.write("g2h_fallback", "0");
      const open = () => vsock.open("stream");
      using socket = namespace?.within(open) ?? open();
      const connect = () => socket.connect(vsock.peerAddress());
      if (reaches) {
        await check.succeeds("connect()", connect);
        await check.sendsByte(socket);
        await check.receivesByte(socket);
      } else {
        const cid = vsock.peerAddress().cid;
        const code = where === "client" ? errorFromLocal(cid) : "ECONNRESET";
        await check.fails(code, "connect()", connect);
        await peer.writeln("REFUSED");
      }
    },
    async server({ vsock, peer, check }) {
      using namespace = where === "server" ? vsock.namespace(mode) : undefined;
      const open = () => vsock.open("stream");
      using listener = namespace?.within(open) ?? open();
      listener.bind(vsock.localAddress());
      listener.listen(1);
      await peer.writeln("LISTENING");
      if (!reaches) return await peer.expectln("REFUSED");
      const { socket } = await listener.accept();
      using accepted = socket;
      await check.receivesByte(accepted);
      await check.sendsByte(accepted);
    },
  });
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** Either side in either kind of namespace. */
  peerCase("client", "global"),
  peerCase("client", "local"),
  peerCase("server", "global"),
  peerCase("server", "local"),
];
