/**
 * The queues: what goes on while one of them is full, and without notifications.
 *
 * @module
 */
import { bytes, type ConformanceCase, kernel, spec, until } from "../../kit/mod.ts";
import { defineWireCase } from "../../kit/wire.ts";

const FLOW = spec("5.10.6.1 Virtqueue Flow Control");

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  defineWireCase({
    id: "wire/queue/receives-while-it-cannot-send",
    title: "the TX queue is served while the RX queue has no buffers",
    requirement:
      "a device MUST process the TX queue even when the RX queue is full, as long as it has " +
      "other room for its replies",
    refs: [FLOW, kernel("vhost_vsock_handle_tx_kick")],
    guest: { receiveBuffers: 2 },
    does:
      "connects a raw guest, offers no buffers any more, sends 50 bytes one by one and 10 REQUESTs " +
      "to nobody, and checks that the host reads the bytes, and that RSTs come when there are buffers",
    async raw({ guest, peer, check }) {
      const { queues } = guest.raw;
      const line = await guest.connect();
      queues.setOffering(false);
      for (let i = 0; i < 50; i++) line.sends("RW", { data: 1 });
      const refused = Array.from({ length: 10 }, () => guest.line("stream", guest.port + 1));
      for (const each of refused) each.sends("REQUEST");
      await peer.expectln("RECEIVED");
      const all = 50 + 10 + 1;
      await until(() => queues.used >= all, { timeout: check.patience, pause: 1 });
      check.equal(queues.used, all, "buffers of the TX queue that were used");
      queues.setOffering(true);
      for (const each of refused) await each.gets("RST");
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      await check.receives(socket, 50);
      await peer.writeln("RECEIVED");
      await peer.expectln("DONE");
    },
  }),
  defineWireCase({
    id: "wire/queue/sends-when-buffers-come",
    title: "what waits for buffers is sent when there are some",
    requirement:
      "a device MUST send what it holds when the driver offers buffers, and lose nothing",
    refs: [FLOW, kernel("vhost_vsock_handle_rx_kick")],
    guest: { receiveBuffers: 1 },
    does:
      "connects a raw guest, offers no buffers any more while the host sends 20,000 bytes, then one " +
      "buffer at a time, and checks that these bytes come, in order",
    async raw({ guest, peer, check }) {
      const { queues } = guest.raw;
      queues.setOffering(false);
      const line = await guest.connect();
      await peer.expectln("SENT");
      const got = bytes(20_000);
      while (line.received < got.length) {
        queues.offerBuffers(1);
        const { data } = await line.gets("RW");
        got.set(data, line.received - data.length);
      }
      check.sameBytes(got, bytes(20_000).map((_, i) => i * 3), "what came");
      queues.setOffering(true);
      await line.getsNothing();
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      await check.sends(socket, bytes(20_000).map((_, i) => i * 3));
      await peer.writeln("SENT");
      await peer.expectln("DONE");
    },
  }),
  defineWireCase({
    id: "wire/queue/without-calls",
    title: "buffers are used also where the driver wants no calls",
    requirement: "a device MUST use buffers whether or not the driver wants notifications",
    refs: [spec("5.10.2 Virtqueues"), kernel("vhost_vsock_handle_tx_kick")],
    does:
      "asks for no calls in both queues of a raw guest, sends REQUEST to nobody, and checks that " +
      "RST comes, without a call",
    async raw({ guest, check }) {
      const { queues } = guest.raw;
      queues.setQuiet(true);
      const line = guest.line();
      line.sends("REQUEST");
      await until(() => queues.isUsed, { timeout: check.patience, pause: 1 });
      check.that(queues.isUsed, "no buffer of the RX queue was used");
      check.equal(queues.takeCalls(), 0, "calls");
      await line.gets("RST");
      queues.setQuiet(false);
    },
  }),
  defineWireCase({
    id: "wire/queue/many-connections",
    title: "20 connections of a guest do not disturb each other",
    requirement: "a device MUST keep flows of different ports apart",
    refs: [spec("5.10.6.2 Addressing"), kernel("vhost_vsock_handle_tx_kick")],
    does:
      "connects 20 sockets of a raw guest, sends a number on each, and checks that the host echoes " +
      "to each its own",
    async raw({ guest, peer }) {
      await peer.expectln("LISTENING");
      const lines = Array.from({ length: 20 }, () => guest.line());
      for (const line of lines) line.sends("REQUEST");
      for (const line of lines) await line.gets("RESPONSE");
      for (const [i, line] of lines.entries()) line.sends("RW", { data: Uint8Array.of(i) });
      for (const [i, line] of lines.entries()) await line.gets("RW", { data: Uint8Array.of(i) });
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer, check }) {
      for (const socket of await vsock.acceptSeveral("stream", 20)) {
        await check.sends(socket, await check.receives(socket, 1));
      }
      await peer.expectln("DONE");
    },
  }),
];
