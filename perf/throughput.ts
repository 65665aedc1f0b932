/**
 * Throughput as the kernel's vsock_perf measures it: one end sends, the other receives, and either
 * may be that program. Between two of ours both may also send at once.
 *
 * @module
 */
import {
  MSG_DONTWAIT,
  POLLERR,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  SHUT_WR,
  SO_RCVLOWAT,
  SOL_SOCKET,
  VMADDR_CID_LOCAL,
} from "../sys/constants.ts";
import type { Socket } from "../sys/socket.ts";
import { unixStandIn } from "../sys/structs.ts";
import { connectTo, listenAt, setBuffers } from "./endpoint.ts";
import {
  type ReceivedFigures,
  Receiving,
  Sending,
  type SentFigures,
  type ThroughputOptions,
} from "./throughput_ends.ts";

export type { ReceivedFigures, SentFigures, ThroughputOptions } from "./throughput_ends.ts";

/** What an end has measured. */
export interface ThroughputFigures {
  readonly sent?: SentFigures;
  readonly received?: ReceivedFigures;
}

/** Connects to a receiver and sends. */
export async function runSender(
  cid: number,
  options: ThroughputOptions,
): Promise<ThroughputFigures> {
  await warmUp(options);
  using socket = await connectTo(options, cid, options.timeout);
  return options.both ? sendAndReceive(socket, options) : { sent: send(socket, options) };
}

/**
 * Waits for a sender, and receives what it sends.
 *
 * @param onListening is told when a sender may come.
 */
export async function runReceiver(
  options: ThroughputOptions,
  onListening: () => void,
): Promise<ThroughputFigures> {
  await warmUp(options);
  using listener = listenAt(options, 1);
  onListening();
  using socket = (await listener.accept()).socket;
  return options.both ? sendAndReceive(socket, options) : { received: receive(socket, options) };
}

/** The number of calls after which the engine has compiled the code that makes them. */
const WARM_UP = 3000;

/**
 * Makes the calls on AF_UNIX sockets until the engine has compiled the code, so that the kernel is
 * measured: in an emulated VM, interpreted code takes a tenth of the time of a 64 KiB call.
 */
async function warmUp({ type, timeout }: ThroughputOptions): Promise<void> {
  const place = { family: unixStandIn(`warm-up-${crypto.randomUUID()}`), type, port: 1 };
  using listener = listenAt(place, 1);
  const [client, { socket: server }] = await Promise.all([
    connectTo(place, VMADDR_CID_LOCAL, timeout),
    listener.accept(),
  ]);
  using _client = client;
  using _server = server;
  const options = {
    ...place,
    ...{ bufSize: 64, vskSize: 0, rcvlowat: 1, zerocopy: false, both: false, timeout },
    // More than is sent, and no small integer, as the engine has them.
    bytes: Number.MAX_SAFE_INTEGER,
  };
  using sending = new Sending(client, options);
  using receiving = new Receiving(server, options);
  for (let i = 0; i < WARM_UP; i++) {
    sending.step(0, sending.now());
    receiving.poll(POLLIN | POLLRDHUP);
    receiving.step(0);
  }
}

function send(socket: Socket, options: ThroughputOptions): SentFigures {
  using sending = new Sending(socket, options);
  let now = sending.now();
  while (!sending.done) now = sending.step(0, now);
  return sending.figures();
}

function receive(socket: Socket, options: ThroughputOptions): ReceivedFigures {
  prepareReceiver(socket, options);
  using receiving = new Receiving(socket, options);
  while (!receiving.done) {
    const events = receiving.poll(POLLIN | POLLRDHUP);
    if ((events & (POLLIN | POLLERR)) !== 0) receiving.step(0);
    else receiving.end();
  }
  return receiving.figures();
}

/** Both at once on one thread: whatever the socket is ready for. */
function sendAndReceive(socket: Socket, options: ThroughputOptions): ThroughputFigures {
  prepareReceiver(socket, options);
  using sending = new Sending(socket, options);
  using receiving = new Receiving(socket, options);
  while (!sending.done || !receiving.done) {
    const wanted = (sending.done ? 0 : POLLOUT) | (receiving.done ? 0 : POLLIN);
    const events = receiving.poll(wanted);
    if ((events & ~POLLOUT) !== 0 && !receiving.done) receiving.step(MSG_DONTWAIT);
    if ((events & ~POLLIN) !== 0 && !sending.done) {
      sending.step(MSG_DONTWAIT, sending.now());
      // The end of what is sent is all that tells the peer that it has everything.
      if (sending.done) socket.shutdown(SHUT_WR);
    }
  }
  return { sent: sending.figures(), received: receiving.figures() };
}

function prepareReceiver(socket: Socket, { vskSize, rcvlowat }: ThroughputOptions): void {
  setBuffers(socket, vskSize);
  socket.setInt(SOL_SOCKET, SO_RCVLOWAT, rcvlowat);
}
