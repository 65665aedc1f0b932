/**
 * What send() and recv() may answer.
 *
 * @module
 */
import type { SocketCall } from "../core/socket_call.ts";
import { type Excuses, packetsOf } from "./excuses.ts";
import { fails, type FlagClaim, type Outcome } from "./outcome.ts";
import { lengthOf, type Message, type ModelSocket, type Segment, split } from "./state.ts";

type Send = Extract<SocketCall, { call: "send" }>;
type Receive = Extract<SocketCall, { call: "recv" }>;

/** send(2). */
export function sendOutcomes(socket: ModelSocket, call: Send, excuses: Excuses): Outcome[] {
  const { phase, own, peers, type } = socket;
  if (call.flags.includes("OOB")) return [fails("send/oob", "EOPNOTSUPP")];
  if (phase !== "connected") return [fails("send/unconnected", "ENOTCONN")];
  if (own.wr || peers.rd) return [fails("send/after-end", "EPIPE")];
  if (call.length === 0) return [{ rule: "send/nothing", least: 0, most: 0, then: () => {} }];
  return type === "stream" ? streamSend(socket, call) : messageSend(socket, call, excuses);
}

function streamSend(socket: ModelSocket, call: Send): Outcome[] {
  const { space: { least, most }, window } = socket;
  const full: Outcome = {
    ...fails("send/full", "EAGAIN"),
    then: () => {
      socket.inFlight.least = Math.max(socket.inFlight.least, window);
      socket.inFlight.most = Math.max(socket.inFlight.most, socket.inFlight.least);
    },
  };
  if (most === 0) return [full];
  const taken: Outcome = {
    rule: "send/window",
    least: Math.max(1, Math.min(call.length, least)),
    most: Math.min(call.length, most),
    then: ({ result }) => {
      const { inFlight } = socket;
      deliver(socket, { pattern: call.pattern, from: 0, to: result });
      inFlight.most = Math.min(inFlight.most + result, window);
      inFlight.least = result < call.length ? window : inFlight.least + result;
      // Where less was taken than was given, nothing more fits.
      if (result < call.length) inFlight.most = window;
    },
  };
  return least === 0 ? [taken, full] : [taken];
}

/** Hands bytes of a stream, or of a message that is under way, to the peer. */
function deliver({ peer, type }: ModelSocket, segment: Segment): void {
  if (peer === undefined || segment.to === segment.from) return;
  peer.packets += packetsOf(segment.to - segment.from, peer);
  (type === "stream" ? peer.bytes : peer.torn).push(segment);
}

function messageSend(socket: ModelSocket, call: Send, excuses: Excuses): Outcome[] {
  const { space, window, inFlight } = socket;
  const { length, pattern, flags } = call;
  const full: Outcome = {
    ...fails("send/message-waits", "EAGAIN"),
    then: () => {
      if (space.most > 0 && length <= window && excuses.takes("K-2")) {
        tear(socket, call, space.most);
      }
    },
  };
  if (length > window) {
    const tooLarge = fails("send/message-too-large", "EMSGSIZE");
    const also = space.least === 0 ? [fails("send/message-too-large", "EAGAIN")] : [];
    return [
      tooLarge,
      ...also,
      ...excuses.as("6.1-errors", fails("send/message-too-large", "ENOMEM")),
    ];
  }
  const sent: Outcome = {
    rule: "send/message",
    least: length,
    most: length,
    then: () => {
      deliver(socket, { pattern, from: 0, to: length });
      endMessage(socket.peer, flags.includes("EOR"));
      inFlight.least += length;
      inFlight.most += length;
    },
  };
  if (length <= space.least) return [sent];
  return length > space.most ? [full] : [full, sent];
}

/** K-2: what fits of a message goes out, although the call fails. */
function tear(socket: ModelSocket, { pattern }: Send, length: number): void {
  deliver(socket, { pattern, from: 0, to: length });
  socket.inFlight.least += length;
  socket.inFlight.most = socket.inFlight.least;
}

function endMessage(peer: ModelSocket | undefined, eor: boolean): void {
  if (peer === undefined) return;
  peer.messages.push({ segments: peer.torn, length: lengthOf(peer.torn), eor });
  peer.torn = [];
}

/** recvmsg(2). */
export function receiveOutcomes(socket: ModelSocket, call: Receive, excuses: Excuses): Outcome[] {
  const { phase, own, over, lostEnd } = socket;
  if (phase !== "connected") return [fails("recv/unconnected", "ENOTCONN")];
  const lost = lostEnd ? excuses.as("K-9", fails("recv/end", "ENOTCONN")) : [];
  if (call.flags.includes("OOB")) {
    const isOver = over || lostEnd ? [zero("recv/oob")] : [];
    return [fails("recv/oob", "EOPNOTSUPP"), ...isOver, ...lost];
  }
  if (own.rd) return [zero("recv/own-end"), ...lost];
  if (call.length === 0) return [zero("recv/no-room"), ...lost];
  const isStream = socket.type === "stream";
  const found = isStream
    ? streamReceive(socket, call, excuses)
    : messageReceive(socket, call, excuses);
  return [...found, ...lost];
}

/** Returns 0, with neither flag. */
function zero(rule: Outcome["rule"]): Outcome {
  return { rule, least: 0, most: 0, flags: flagClaims(false, false), then: () => {} };
}

function flagClaims(eor: boolean, truncated: boolean): FlagClaim[] {
  return [
    { flag: "EOR", is: eor, rule: "recv/eor" },
    { flag: "TRUNC", is: truncated, rule: "recv/truncated" },
  ];
}

/** Where there is nothing to read. */
function nothing({ peers }: ModelSocket): Outcome {
  return peers.wr ? zero("recv/end") : fails("recv/empty", "EAGAIN");
}

function streamReceive(socket: ModelSocket, call: Receive, excuses: Excuses): Outcome[] {
  const { bytes, lowat, buffer, unread } = socket;
  const { length, flags } = call;
  const target = flags.includes("WAITALL") ? length : Math.min(lowat, length);
  const isTooMuch = target >= buffer.size;
  const tooMuch = isTooMuch ? excuses.as("A-28", fails("recv/stream", "ENOMEM")) : [];
  if (unread === 0) return [nothing(socket), ...tooMuch];
  const peeks = flags.includes("PEEK");
  const count = Math.min(length, unread);
  return [{
    rule: peeks ? "recv/stream-peek" : "recv/stream",
    least: count,
    most: count,
    data: bytes,
    room: length,
    flags: flagClaims(false, false),
    then: () => {
      if (peeks) return;
      socket.bytes = split(bytes, count)[1];
      tellRead(socket, count);
    },
  }, ...tooMuch];
}

/** The sender may learn of what was read, and does when all is read. */
function tellRead(socket: ModelSocket, count: number): void {
  const { peer, unread } = socket;
  if (unread === 0) socket.packets = 0;
  if (peer === undefined) return;
  peer.inFlight.least = Math.max(unread, peer.inFlight.least - count);
  const isExact = unread === 0 || socket.type === "seqpacket";
  if (isExact) peer.inFlight = { least: unread, most: unread };
}

function messageReceive(socket: ModelSocket, call: Receive, excuses: Excuses): Outcome[] {
  const [message, ...rest] = socket.messages;
  if (message === undefined) return [nothing(socket)];
  const { length, flags } = call;
  const peeks = flags.includes("PEEK");
  const none = peeks ? excuses.as("6.1-peek", fails("recv/message-peek", "ENOMEM")) : [];
  return [{
    ...messageOutcome(message, length, flags.includes("TRUNC")),
    rule: peeks ? "recv/message-peek" : "recv/message",
    then: () => {
      if (peeks) return;
      socket.messages = rest;
      socket.packets -= Math.min(socket.packets, 1);
      tellRead(socket, message.length);
    },
  }, ...none];
}

function messageOutcome(message: Message, room: number, isReal: boolean): Omit<Outcome, "rule"> {
  const result = isReal ? message.length : Math.min(room, message.length);
  return {
    least: result,
    most: result,
    data: message.segments,
    room,
    flags: flagClaims(message.eor, message.length > room),
  };
}
