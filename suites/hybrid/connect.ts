/**
 * The Unix socket of a device in user space: what `CONNECT port` is answered with, and what the
 * device survives.
 *
 * @module
 */
import {
  type Bytes,
  bytes,
  type CaseContext,
  type ConformanceCase,
  connectPatiently,
  defineCase,
  errorOfBlocking,
  firecracker,
  MSG_NOSIGNAL,
  readAnswer,
  type Socket,
} from "../../kit/mod.ts";

const REFS = [firecracker("Host-Initiated Connections")];
/** Ports of the case: nobody listens at the second. */
const NOBODYS = 1;
/** What is no `CONNECT port` with a newline. */
const MALFORMED: readonly (readonly [what: string, text: string])[] = [
  ["no port", "CONNECT x\n"],
  ["a port of 33 bits", "CONNECT 4294967296\n"],
  ["another word", "HELLO 1\n"],
  ["bytes that are no text", "\u0000\u0001\u00ff\n"],
];
const MANY = 100;
/** Bytes that are on their way when the host closes. */
const IN_FLIGHT = 20_000;

function text(line: string): Bytes {
  return new TextEncoder().encode(line);
}

/** Connects to the device's socket. */
function reaches({ vsock, check }: CaseContext): Promise<Socket> {
  return check.succeeds("connect() to the device's socket", () => vsock.hybrid());
}

/** Asks for the case's port, with what follows in the same write. */
async function asks(context: CaseContext, behind: Bytes = bytes(0)): Promise<Socket> {
  const { vsock, check } = context;
  const socket = await reaches(context);
  const line = text(`CONNECT ${vsock.peerAddress().port}\n`);
  await check.sends(socket, Uint8Array.from([...line, ...behind]));
  const answer = await readAnswer(socket);
  check.that(/^OK \d+\n$/.test(answer), `CONNECT is answered with ${JSON.stringify(answer)}`);
  if (answer === "") throw check.stop("the socket was closed instead of an answer");
  return socket;
}

/** Accepts a connection with the host, and exchanges a byte. */
async function acceptsByte({ vsock, check }: CaseContext): Promise<void> {
  using socket = await vsock.accept("stream");
  await check.receivesByte(socket);
  await check.sendsByte(socket);
}

async function exchangesByte(context: CaseContext): Promise<void> {
  using socket = await asks(context);
  await context.check.sendsByte(socket);
  await context.check.receivesByte(socket);
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  defineCase({
    id: "hybrid/connect/ok-and-number",
    title: "CONNECT is answered with OK and a number, then the bytes are the guest's",
    requirement: "CONNECT with a port MUST be answered with OK, a decimal number and a newline",
    refs: REFS,
    needs: [{ client: "hybrid" }],
    does: {
      client: "connects to the device's socket, sends CONNECT and the port, checks the answer, " +
        "sends a byte and receives one",
      server: "accepts, receives a byte, and sends one",
    },
    async client(context) {
      await context.peer.expectln("LISTENING");
      await exchangesByte(context);
    },
    server: acceptsByte,
  }),
  defineCase({
    id: "hybrid/connect/nobody-listens",
    title: "CONNECT to a port at which nobody listens closes the socket",
    requirement: "CONNECT to a port without a listener MUST close the socket without an answer",
    refs: REFS,
    needs: [{ client: "hybrid" }],
    does: {
      client: "sends CONNECT with a port at which nobody listens, and checks that the socket " +
        "is closed without an answer",
    },
    async client(context) {
      const { vsock, check } = context;
      using socket = await reaches(context);
      await check.sends(socket, text(`CONNECT ${vsock.peerAddress().port + NOBODYS}\n`));
      check.equal(await readAnswer(socket), "", "the answer to CONNECT");
    },
  }),
  defineCase({
    id: "hybrid/connect/data-behind",
    title: "what follows CONNECT in the same write is data, as is what follows OK",
    requirement: "bytes behind CONNECT or OK MUST reach the other side, all and in order",
    refs: REFS,
    needs: [{ client: "hybrid" }],
    does: {
      client: "sends CONNECT and 1000 bytes in one call, checks the answer, and that 500 bytes " +
        "follow it",
      server: "accepts, sends 500 bytes at once, and checks that the client's 1000 bytes come",
    },
    async client(context) {
      const { peer, check, random } = context;
      await peer.expectln("LISTENING");
      using socket = await asks(context, random.bytes(1000));
      const data = await check.receives(socket, 500);
      check.sameBytes(data, random.bytes(500), "what followed OK");
    },
    async server({ vsock, check, random }) {
      using socket = await vsock.accept("stream");
      const expected = random.bytes(1000);
      await check.sends(socket, random.bytes(500));
      check.sameBytes(await check.receives(socket, 1000), expected, "what followed CONNECT");
    },
  }),
  defineCase({
    id: "hybrid/connect/malformed",
    title: "a malformed CONNECT costs its own connection alone",
    requirement: "a malformed CONNECT MUST NOT be answered with OK, nor end other connections",
    refs: REFS,
    needs: [{ client: "hybrid" }],
    does: {
      client: "sends lines that are no CONNECT with a port, checks that each socket is closed " +
        "without OK, closes one in the middle of its line, and exchanges a byte over a good one",
      server: "accepts, receives a byte, and sends one",
    },
    async client(context) {
      const { peer, check } = context;
      await peer.expectln("LISTENING");
      for (const [what, line] of MALFORMED) {
        using socket = await reaches(context);
        await check.sends(socket, text(line));
        check.equal(await readAnswer(socket), "", `the answer to ${what}`);
      }
      using cut = await reaches(context);
      await check.sends(cut, text("CONNECT 1"));
      await check.succeeds("close() in the middle of a line", () => cut.close());
      await exchangesByte(context);
    },
    server: acceptsByte,
  }),
  defineCase({
    id: "hybrid/connect/guest-reaches-port-socket",
    title: "a guest's connection reaches the socket of its port",
    requirement: "connect() of the guest to the host MUST reach the socket path_port",
    refs: [firecracker("Guest-Initiated Connections")],
    needs: [{ server: "hybrid" }],
    does: {
      client: "connects to the host, sends a byte, and receives one",
      server: "listens on the socket of the port, accepts, receives a byte, and sends one",
    },
    async client({ vsock, peer, check }) {
      await peer.expectln("LISTENING");
      using socket = vsock.open("stream");
      connectPatiently(socket);
      await check.succeeds("connect()", () => socket.connect(vsock.peerAddress()));
      await check.sendsByte(socket);
      await check.receivesByte(socket);
    },
    server: acceptsByte,
  }),
  defineCase({
    id: "hybrid/connect/closed-with-data-in-flight",
    title: "a host that closes with data in flight, a hundred times, ends its connections alone",
    requirement: "the end of the host's socket MUST end its connection, and no other",
    refs: REFS,
    needs: [{ client: "hybrid" }],
    timeFactor: 2,
    does: {
      client: "connects a hundred times, closing each with what the guest sent unread, and then " +
        "exchanges a byte",
      server: "accepts a hundred connections, sends into each until it ends, and then exchanges " +
        "a byte",
    },
    async client(context) {
      const { peer, check } = context;
      await peer.expectln("LISTENING");
      for (let i = 0; i < MANY; i++) {
        using socket = await asks(context);
        await check.receivesByte(socket);
      }
      await exchangesByte(context);
    },
    async server({ vsock, peer, check }) {
      using listener = vsock.listening("stream", MANY);
      await peer.writeln("LISTENING");
      for (let i = 0; i < MANY; i++) {
        const { socket } = await listener.accept();
        using accepted = socket;
        await check.sendsByte(accepted);
        // The client closes meanwhile: whether this fails then, and how, is its timing.
        await errorOfBlocking(() => accepted.send(bytes(IN_FLIGHT), MSG_NOSIGNAL));
      }
      const { socket } = await listener.accept();
      using accepted = socket;
      await check.receivesByte(accepted);
      await check.sendsByte(accepted);
    },
  }),
];
