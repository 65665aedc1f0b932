/**
 * Packets that belong to no connection, and how they are refused.
 *
 * @module
 */
import { type ConformanceCase, kernel, spec } from "../../kit/mod.ts";
import { defineWireCase, FEATURE } from "../../kit/wire.ts";

const STREAM = spec("5.10.6.5 Stream Sockets");
const RECEIVE = spec("5.10.6.4 Receive and Transmit");

/** What is answered with RST where there is no connection. */
const UNCONNECTED = ["RESPONSE", "SHUTDOWN", "RW", "CREDIT_UPDATE", "CREDIT_REQUEST"] as const;

/** RST, with the ports the other way round and no credit asked for. */
const unconnected = UNCONNECTED.map((op) =>
  defineWireCase({
    id: `wire/refusal/${op.toLowerCase().replace("_", "-")}-unconnected`,
    title: `${op} for no connection is answered with RST`,
    requirement: `a host MUST answer ${op} for a connection that does not exist with RST`,
    refs: [STREAM, kernel("virtio_transport_reset_no_sock")],
    does: `sends ${op} from a raw guest to a port at which nobody listens, of either type, and ` +
      "checks that RST of that type comes back to its port",
    async raw({ guest }) {
      for (const type of ["stream", "seqpacket"] as const) {
        const line = guest.line(type);
        line.sends(op, op === "RW" ? { data: 5 } : { flags: op === "SHUTDOWN" ? 3 : 0 });
        await line.gets("RST");
        await line.getsNothing();
      }
    },
  })
);

/** Types that the specification does not have. */
const unknownTypes = ["nobody", "listener"].map((who) =>
  defineWireCase({
    id: `wire/refusal/unknown-type-to-${who}`,
    title: `a packet of an unknown type to ${
      who === "nobody" ? "no socket" : "a listener"
    } is reset`,
    requirement: "a device MUST answer a packet of an unknown type with RST",
    refs: [RECEIVE, kernel("virtio_transport_reset_no_sock")],
    does: `sends REQUEST of the types 0, 3 and 65535 from a raw guest to ${
      who === "nobody" ? "a port at which nobody listens" : "a listener"
    }, and checks that RST of the same type comes back`,
    async raw({ guest, peer }) {
      if (who === "listener") await peer.expectln("LISTENING");
      for (const type of [0, 3, 0xffff]) {
        const line = guest.line();
        line.sends("REQUEST", { type });
        await line.gets("RST", { type });
      }
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer }) {
      if (who === "listener") {
        vsock.listening("stream");
        await peer.writeln("LISTENING");
      }
      await peer.expectln("DONE");
    },
  })
);

/** A listener of one type, and a REQUEST of the other. */
const otherType = (["stream", "seqpacket"] as const).map((type) => {
  const other = type === "stream" ? "seqpacket" : "stream";
  return defineWireCase({
    id: `wire/refusal/${other}-to-${type}-listener`,
    title: `REQUEST of type ${other} to a ${type} listener is answered with RST`,
    requirement: `a host MUST answer REQUEST with RST where no ${other} socket listens`,
    refs: [STREAM, kernel("virtio_transport_reset_no_sock")],
    does:
      `sends REQUEST of type ${other} from a raw guest to a ${type} listener, and checks that ` +
      `RST comes, and RESPONSE to REQUEST of type ${type}`,
    async raw({ guest, peer }) {
      await peer.expectln("LISTENING");
      const wrong = guest.line(other);
      wrong.sends("REQUEST");
      await wrong.gets("RST");
      await guest.connectAgain(type);
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer }) {
      vsock.listening(type);
      await peer.writeln("LISTENING");
      await peer.expectln("DONE");
    },
  });
});

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  defineWireCase({
    id: "wire/refusal/nobody-listens",
    title: "REQUEST to a port at which nobody listens is answered with RST",
    requirement: "a host MUST answer REQUEST with RST where no socket listens",
    refs: [STREAM, kernel("virtio_transport_reset_no_sock")],
    does: "sends REQUEST of either type from a raw guest to a port at which nobody listens, and " +
      "checks that RST of that type comes back to its port, and nothing more",
    async raw({ guest }) {
      for (const type of ["stream", "seqpacket"] as const) {
        const line = guest.line(type);
        line.sends("REQUEST");
        await line.gets("RST");
        await line.getsNothing();
      }
    },
  }),
  ...unconnected,
  defineWireCase({
    id: "wire/refusal/unknown-op-unconnected",
    title: "a packet with an unknown op for no connection is answered with RST",
    requirement: "a host SHOULD answer a packet for a connection that does not exist with RST",
    refs: [STREAM, kernel("virtio_transport_reset_no_sock")],
    does:
      "sends the ops 0, 8, 77 and 65535 from a raw guest to a port at which nobody listens, and " +
      "checks that RST comes for each",
    async raw({ guest }) {
      for (const op of [0, 8, 77, 0xffff]) {
        const line = guest.line();
        line.sends(op);
        await line.gets("RST");
      }
    },
  }),
  defineWireCase({
    id: "wire/refusal/rst-is-not-answered",
    title: "RST for no connection is not answered",
    requirement: "a host MUST NOT answer RST, which would have no end",
    refs: [STREAM, kernel("virtio_transport_reset_no_sock")],
    does: "sends RST of either type from a raw guest to a port at which nobody listens and to a " +
      "listener, and checks that nothing comes back",
    async raw({ guest, peer }) {
      await peer.expectln("LISTENING");
      for (const type of ["stream", "seqpacket"] as const) {
        for (const to of [guest.port, guest.port + 1]) {
          const line = guest.line(type, to);
          line.sends("RST");
          await line.getsNothing();
        }
      }
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer }) {
      vsock.listening("stream");
      await peer.writeln("LISTENING");
      await peer.expectln("DONE");
    },
  }),
  defineWireCase({
    id: "wire/refusal/rw-to-listener",
    title: "data for a listener is answered with RST",
    requirement: "a host MUST answer with RST what a listener gets and is no REQUEST",
    refs: [STREAM, kernel("virtio_transport_reset_no_sock")],
    does:
      "sends RW, SHUTDOWN and CREDIT_REQUEST from a raw guest to a listener, and checks that RST " +
      "comes for each, and RESPONSE to REQUEST afterwards",
    async raw({ guest, peer }) {
      await peer.expectln("LISTENING");
      for (const op of ["RW", "SHUTDOWN", "CREDIT_REQUEST"] as const) {
        const line = guest.line();
        line.sends(op, op === "RW" ? { data: 1 } : { flags: op === "SHUTDOWN" ? 3 : 0 });
        await line.gets("RST");
      }
      await guest.connectAgain();
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer }) {
      vsock.listening("stream");
      await peer.writeln("LISTENING");
      await peer.expectln("DONE");
    },
  }),
  ...unknownTypes,
  ...otherType,
  defineWireCase({
    id: "wire/refusal/seqpacket-not-negotiated",
    title: "a guest without SEQPACKET is refused it, and loses no place in the queue by that",
    requirement:
      "a host MUST answer REQUEST of a type that was not negotiated with RST, and MUST " +
      "take the next good one",
    refs: [spec("5.10.3 Feature bits"), STREAM, kernel("virtio_transport_reset_no_sock")],
    guest: { features: FEATURE.version1 },
    does: "sends 8 times REQUEST of type SEQPACKET from a raw guest without that feature to a " +
      "SEQPACKET listener of backlog 1, and checks that RST comes for each, and that a stream " +
      "listener of backlog 1 still takes a connection",
    async raw({ guest, peer }) {
      await peer.expectln("LISTENING");
      for (let i = 0; i < 8; i++) {
        const line = guest.line("seqpacket");
        line.sends("REQUEST");
        await line.gets("RST");
      }
      const line = guest.line("stream", guest.port + 1);
      line.sends("REQUEST");
      await line.gets("RESPONSE");
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer }) {
      vsock.listening("seqpacket", 1);
      vsock.listening("stream", 1, vsock.localAddress(vsock.localAddress().port + 1));
      await peer.writeln("LISTENING");
      await peer.expectln("DONE");
    },
  }),
];
