/**
 * What calls may answer that make sockets and connections, and end them.
 *
 * @module
 */
import type { SocketCall } from "../core/socket_call.ts";
import type { Excuses } from "./excuses.ts";
import { fails, type Outcome, succeeds } from "./outcome.ts";
import { ModelSocket, type World } from "./state.ts";

type CallOf<N extends SocketCall["call"]> = Extract<SocketCall, { call: N }>;

/** socket(2). */
export function socketOutcomes(world: World, call: CallOf<"socket">): Outcome[] {
  const { socket, type, at } = call;
  return [succeeds("socket/made", () => void world.sockets.set(socket, new ModelSocket(type, at)))];
}

/** bind(2). */
export function bindOutcomes(world: World, socket: ModelSocket, port: number): Outcome[] {
  if (socket.bound !== undefined) return [fails("bind/twice", "EINVAL")];
  if (world.holderOf(port, socket.at) !== undefined) return [fails("bind/taken", "EADDRINUSE")];
  const bound = succeeds("bind/free", () => {
    socket.bound = { port, number: {}, isOwn: true };
  });
  return world.mayLinger(port, socket.at)
    ? [bound, fails("bind/lingering", "EADDRINUSE")]
    : [bound];
}

/** bind(2) to VMADDR_PORT_ANY. */
export function autobindOutcomes(socket: ModelSocket): Outcome[] {
  if (socket.bound !== undefined) return [fails("bind/twice", "EINVAL")];
  return [succeeds("bind/any", () => bindAnywhere(socket))];
}

function bindAnywhere(socket: ModelSocket): void {
  socket.bound ??= { port: undefined, number: {}, isOwn: true };
}

/** listen(2). */
export function listenOutcomes(socket: ModelSocket, backlog: number): Outcome[] {
  if (socket.phase === "connected") return [fails("listen/connected", "EINVAL")];
  if (socket.bound === undefined) return [fails("listen/unbound", "EINVAL")];
  return [succeeds("listen/bound", () => {
    socket.phase = "listening";
    socket.backlog = backlog;
  })];
}

/** connect(2), blocking. */
export function connectOutcomes(
  world: World,
  socket: ModelSocket,
  port: number,
  excuses: Excuses,
): Outcome[] {
  const { phase, own } = socket;
  if (phase === "listening") return [fails("connect/listening", "EINVAL")];
  if (phase === "connected") {
    const isShut = own.rd || own.wr;
    return [
      isShut ? fails("connect/after-shutdown", "EINVAL") : fails("connect/connected", "EISCONN"),
    ];
  }
  return [...attemptOutcomes(world, socket, port), ...pairInUse(world, socket, port, excuses)];
}

/** Of a socket that may try. */
function attemptOutcomes(world: World, socket: ModelSocket, port: number): Outcome[] {
  const target = world.holderOf(port, socket.peerAt);
  const refused = (rule: Outcome["rule"], errno = "ECONNRESET"): Outcome => ({
    ...fails(rule, errno),
    then: () => {
      bindAnywhere(socket);
      socket.refused = true;
    },
  });
  if (target === socket) {
    return [refused("connect/itself", "EPROTO"), refused("connect/itself", "ECONNRESET")];
  }
  if (target?.phase !== "listening") return [refused("connect/refused")];
  if (target.type !== socket.type) return [refused("connect/type")];
  if (target.queue.length > target.backlog) return [refused("connect/queue-full")];
  return [succeeds("connect/queued", () => {
    bindAnywhere(socket);
    const other = join(socket, target);
    const isReused = ends(world).some((end) => end !== other && isSamePair(end, target, socket));
    socket.isReused = other.isReused = isReused;
  })];
}

/** Where a connection with the same two ports may be open. */
function pairInUse(
  world: World,
  socket: ModelSocket,
  port: number,
  excuses: Excuses,
): Outcome[] {
  const own = socket.bound?.port;
  const other = ends(world)
    .find(({ bound, peer, at }) =>
      own !== undefined && bound?.port === port && at === socket.peerAt && peer?.bound?.port === own
    );
  if (other === undefined) return [];
  return excuses.as("pair-in-use", {
    ...fails("connect/refused", "ETIMEDOUT"),
    then: () => {
      socket.refused = true;
      other.spoiled = true;
      if (other.peer !== undefined) other.peer.spoiled = true;
    },
  });
}

/** All ends of connections that may still be there. */
function ends({ sockets, lingering }: World): ModelSocket[] {
  const some = [...sockets.values(), ...lingering];
  return some.flatMap((end) => end.peer === undefined ? [] : [end, end.peer]);
}

/** Whether an end was accepted by a listener's port from a client's. */
function isSamePair(end: ModelSocket, listener: ModelSocket, from: ModelSocket): boolean {
  const { bound, peer, open, at } = end;
  const isThere = open && at === listener.at && bound?.port === listener.bound?.port;
  return isThere && from.bound?.port !== undefined && peer?.bound?.port === from.bound.port;
}

/** Connects a socket to a listener, and gives the other end, which is then in its queue. */
function join(socket: ModelSocket, listener: ModelSocket): ModelSocket {
  const other = new ModelSocket(socket.type, listener.at);
  other.phase = socket.phase = "connected";
  socket.refused = false;
  other.accepted = true;
  other.bound = {
    port: listener.bound?.port,
    number: listener.bound?.number ?? {},
    isOwn: false,
  };
  other.buffer = { ...listener.buffer };
  other.connectTimeout = listener.connectTimeout;
  other.peer = socket;
  socket.peer = other;
  listener.queue.push(other);
  return other;
}

/** accept4(2), which waits for a moment. */
export function acceptOutcomes(world: World, socket: ModelSocket, as: number): Outcome[] {
  if (socket.phase !== "listening") return [fails("accept/not-listening", "EINVAL")];
  const [first, ...rest] = socket.queue;
  if (first === undefined) return [fails("accept/none", "EAGAIN")];
  return [succeeds("accept/first", () => {
    socket.queue = rest;
    world.sockets.set(as, first);
  })];
}

/** dup(2). */
export function dupOutcomes(world: World, socket: ModelSocket, as: number): Outcome[] {
  return [succeeds("dup/shares", () => void world.sockets.set(as, socket))];
}

/** close(2). */
export function closeOutcomes(world: World, name: number, socket: ModelSocket): Outcome[] {
  return [succeeds("close/done", () => {
    world.sockets.delete(name);
    if ([...world.sockets.values()].includes(socket)) return;
    for (const waiting of socket.queue) hangUp(world, waiting);
    hangUp(world, socket);
  })];
}

/** Closes a socket's side of its connection, if it has one. */
function hangUp(world: World, socket: ModelSocket): void {
  const { peer, bound } = socket;
  socket.open = false;
  if (peer === undefined || !peer.open) return;
  const waits = peer.unread > 0 || socket.spoiled || peer.spoiled;
  if (waits && bound?.isOwn) world.lingering.add(socket);
  peer.peers.rd = peer.peers.wr = true;
  if (peer.unread === 0) peer.over = true;
}

/** shutdown(2). */
export function shutdownOutcomes(
  socket: ModelSocket,
  { how }: CallOf<"shutdown">,
): Outcome[] {
  if (socket.phase !== "connected") return [fails("shutdown/unconnected", "ENOTCONN")];
  return [succeeds("shutdown/connected", () => {
    const { own, peers, peer, over } = socket;
    if (over || ModelSocket.areBoth(peers) && (own.rd || own.wr)) socket.lostEnd = true;
    own.rd ||= how !== "WR";
    own.wr ||= how !== "RD";
    if (peer === undefined || !peer.open) return;
    peer.peers.rd ||= own.rd;
    peer.peers.wr ||= own.wr;
    if (!ModelSocket.areBoth(peer.peers) || peer.unread > 0 || peer.over) return;
    // With both directions shut and nothing unread the peer answers that the connection is over.
    peer.over = socket.over = true;
    peers.rd = peers.wr = true;
  })];
}
