/**
 * Connections that nobody has accepted yet: their order, their data, and their end.
 *
 * @module
 */
import {
  bytes,
  type ConformanceCase,
  connecting,
  defineCase,
  forBothTypes,
  kernel,
  man,
  MSG_NOSIGNAL,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  SHUT_WR,
  SO_ERROR,
  SOL_SOCKET,
} from "../../kit/mod.ts";

/** How many connections wait. */
const WAITING = 5;
/** How much each sends that ends early, in bytes. */
const LENGTH = 1000;
/** What a peer's close leaves to be seen by poll(). */
const ENDED = POLLIN | POLLOUT | POLLRDHUP;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...forBothTypes((type) =>
    defineCase({
      id: `accept/queue/${type}-first-come`,
      title: `${type} connections are accepted in the order in which they came, with their data`,
      requirement:
        "accept() MUST give the connection that has waited longest, and what was sent meanwhile",
      refs: [man("accept", 2, "DESCRIPTION"), kernel("vsock_accept")],
      needs: connecting(type),
      does: {
        client:
          `connects 5 ${type} sockets, sends a byte on each, the last one's first, and tells their ` +
          "ports",
        server:
          "accepts 5 times when all have sent, and checks that the ports and bytes are in the order " +
          "of connect()",
      },
      async client({ vsock, peer, check }) {
        const sockets = await vsock.connectSeveral(type, WAITING);
        for (const [i, socket] of [...sockets.entries()].reverse()) {
          await check.sends(socket, Uint8Array.of(i));
        }
        await peer.writeNumbers(sockets.map((socket) => socket.getsockname().port));
        await peer.expectln("DONE");
      },
      async server({ vsock, peer, check }) {
        using listener = vsock.listening(type, WAITING);
        await peer.writeln("LISTENING");
        const ports = await peer.readNumbers();
        for (const [i, port] of ports.entries()) {
          const { socket, address } = await check.succeeds("accept()", () => listener.accept());
          using accepted = socket;
          check.equal(address.port, port, `the port of connection ${i}`);
          check.equal((await check.receives(accepted, 1))[0], i, `the byte of connection ${i}`);
        }
        await peer.writeln("DONE");
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `accept/queue/${type}-end-with-listener`,
      title: `${type} connections that nobody accepted end with their listener`,
      requirement:
        "close() of a listener MUST end the connections that nobody accepted: end of file, EPIPE, no " +
        "error; its port MUST be free at once",
      refs: [man("listen", 2, "DESCRIPTION"), kernel("__vsock_release")],
      needs: connecting(type),
      does: {
        client:
          `connects 5 ${type} sockets, sends on each other one, and checks, when the listener is ` +
          "closed, POLLIN, POLLOUT and POLLRDHUP alone, recv() 0, send() EPIPE, and SO_ERROR 0 on " +
          "each",
        server:
          "listens, closes the listener when 5 have connected, and checks that another can listen at " +
          "its port at once",
      },
      async client({ vsock, peer, check }) {
        const sockets = await vsock.connectSeveral(type, WAITING);
        for (const [i, socket] of sockets.entries()) if (i % 2 === 0) await check.sendsByte(socket);
        await peer.writeln("CONNECTED");
        await peer.expectln("CLOSED");
        for (const [i, socket] of sockets.entries()) {
          const which = `of connection ${i}`;
          await socket.poll(POLLRDHUP, check.patience);
          const revents = await socket.poll(ENDED | POLLHUP, 0);
          check.equal(revents, ENDED, `revents ${which}`);
          check.equal(socket.getInt(SOL_SOCKET, SO_ERROR), 0, `SO_ERROR ${which}`);
          await check.receivesEnd(socket);
          const send = () => socket.send(bytes(1), MSG_NOSIGNAL);
          await check.fails("EPIPE", `send() ${which}`, send);
        }
      },
      async server({ vsock, peer, check }) {
        const listener = vsock.listening(type, WAITING);
        await peer.writeln("LISTENING");
        await peer.expectln("CONNECTED");
        await listener.close();
        await check.succeeds("another listener", () => vsock.listening(type));
        await peer.writeln("CLOSED");
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `accept/queue/${type}-ended-before-accept`,
      title: `${type} connections that ended before they were accepted still give what was sent`,
      requirement:
        "accept() MUST give a connection whose peer has shut down or closed meanwhile, with its " +
        "data, then the end; one that was shut down for sending alone MUST still take an answer",
      refs: [man("accept", 2, "DESCRIPTION"), kernel("vsock_accept")],
      needs: connecting(type),
      does: {
        client:
          `connects two ${type} sockets, sends 1000 bytes on each, calls shutdown(SHUT_WR) on one ` +
          "and closes the other, and checks that the first receives an answer",
        server: "accepts both when that is done, checks that each gives 1000 bytes, then 0, " +
          "answers the first, and checks that send() on the second is EPIPE",
      },
      async client({ vsock, peer, check, random }) {
        const [first, second] = await vsock.connectSeveral(type, 2);
        if (first === undefined || second === undefined) throw new TypeError("Not connected");
        for (const socket of [first, second]) await check.sends(socket, random.bytes(LENGTH));
        first.shutdown(SHUT_WR);
        second[Symbol.dispose]();
        await peer.writeln("ENDED");
        await check.receivesByte(first);
        await peer.expectln("DONE");
      },
      async server({ vsock, peer, check, random }) {
        using listener = vsock.listening(type, 2);
        await peer.writeln("LISTENING");
        await peer.expectln("ENDED");
        for (const which of ["shut down", "closed"]) {
          const { socket } = await check.succeeds("accept()", () => listener.accept());
          using accepted = socket;
          const data = await check.receives(accepted, LENGTH);
          check.sameBytes(data, random.bytes(LENGTH), `what the peer sent that has ${which}`);
          await check.receivesEnd(accepted);
          if (which === "shut down") await check.sendsByte(accepted);
          else {
            const send = () => accepted.send(bytes(1), MSG_NOSIGNAL);
            await check.fails("EPIPE", "send() to a peer that has closed", send);
          }
        }
        await peer.writeln("DONE");
      },
    })
  ),
];
