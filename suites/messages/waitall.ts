/**
 * MSG_WAITALL: a stream's recv() waits until all that was asked for is there.
 *
 * @module
 */
import {
  Blocked,
  bytes,
  type ConformanceCase,
  defineCase,
  kernel,
  man,
  MSG_WAITALL,
  POLLIN,
  SHUT_WR,
} from "../../kit/mod.ts";

const refs = [man("recv", 2, "MSG_WAITALL"), kernel("__vsock_connectible_recvmsg")];
const SIZES = [10, 5000, 70_000];
const TOTAL = SIZES.reduce((sum, size) => sum + size, 0);

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  defineCase({
    id: "messages/waitall/stream-waits-for-all",
    title: "recv(MSG_WAITALL) waits over several sends, until all is there",
    requirement: "recv(MSG_WAITALL) MUST wait until all that was asked for has come",
    refs,
    does: {
      client: "connects, and sends 10, 5000 and 70000 bytes, each when the server says so",
      server:
        "accepts, checks that one recv(MSG_WAITALL) of 75010 bytes still waits after each but " +
        "the last, and then gives all",
    },
    async client({ vsock, peer, check, random }) {
      using socket = await vsock.connect("stream");
      for (const size of SIZES) {
        await peer.expectln("SEND");
        await check.sends(socket, random.bytes(size));
        await peer.writeln("SENT");
      }
      await peer.expectln("DONE");
    },
    async server({ vsock, peer, check, random }) {
      using socket = await vsock.accept("stream");
      const into = bytes(TOTAL);
      const blocked = new Blocked(() => socket.recv(into, MSG_WAITALL));
      for (const size of SIZES) {
        check.that(await blocked.sleeps(), `recv(MSG_WAITALL) ended before ${size} bytes came`);
        await peer.writeln("SEND");
        await peer.expectln("SENT");
      }
      const count = await check.succeeds("recv(MSG_WAITALL)", () => blocked.result);
      check.equal(count, TOTAL, "what recv(MSG_WAITALL) returns");
      const expected = bytes(TOTAL);
      let at = 0;
      for (const size of SIZES) {
        expected.set(random.bytes(size), at);
        at += size;
      }
      check.sameBytes(into, expected, "what was received");
      await peer.writeln("DONE");
    },
  }),
  defineCase({
    id: "messages/waitall/stream-short-at-the-end",
    title: "recv(MSG_WAITALL) gives what there is when the end comes",
    requirement: "recv(MSG_WAITALL) MUST return what has come when no more will come",
    refs,
    does: {
      client: "connects, sends 100 bytes, and calls shutdown(SHUT_WR) when the server waits",
      server: "accepts, checks that recv(MSG_WAITALL) of 1000 bytes waits, then gives 100, then 0",
    },
    async client({ vsock, peer, check }) {
      using socket = await vsock.connect("stream");
      await check.sends(socket, bytes(100));
      await peer.writeln("SENT");
      await peer.expectln("WAITING");
      socket.shutdown(SHUT_WR);
      await peer.expectln("DONE");
    },
    async server({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      await peer.expectln("SENT");
      await check.succeeds("poll(POLLIN)", () => socket.poll(POLLIN, check.patience));
      const blocked = new Blocked(() => socket.recv(bytes(1000), MSG_WAITALL));
      check.that(await blocked.sleeps(), "recv(MSG_WAITALL) of more than there is does not wait");
      await peer.writeln("WAITING");
      const count = await check.succeeds("recv(MSG_WAITALL)", () => blocked.result);
      check.equal(count, 100, "what recv(MSG_WAITALL) returns at the end");
      await check.receivesEnd(socket);
      await peer.writeln("DONE");
    },
  }),
];
