/**
 * The other end of `perf latency` and `perf connect`: sends every request back.
 *
 * @module
 */
import { POLLIN } from "../sys/constants.ts";
import { bytes } from "../sys/structs.ts";
import type { Socket } from "../sys/socket.ts";
import { FastSocket, PollSet } from "./fast_socket.ts";
import { decodeGreeting, type Greeting, GREETING_SIZE } from "./greeting.ts";
import { type Endpoint, listenAt } from "./endpoint.ts";

/** How many connections may wait to be accepted. */
const BACKLOG = 128;
const GREETING_LENGTH = BigInt(GREETING_SIZE);

/** What the server can be told. */
export interface EchoOptions extends Endpoint {
  /** End after one client. */
  readonly once: boolean;
  /** How long a client may do nothing, in milliseconds. */
  readonly timeout: number;
  /** Told when a client may come. */
  readonly onListening: () => void;
  /** Told what went wrong with a client; the next one may come. */
  readonly onError: (error: unknown) => void;
}

/**
 * Serves one client after the other. It blocks this thread, so that nothing stands between a
 * request and its answer.
 *
 * @throws what a client caused, where it was to be the only one.
 */
export function runEcho(options: EchoOptions): void {
  using listener = listenAt(options, BACKLOG);
  options.onListening();
  do {
    try {
      serveClient(listener, options);
    } catch (error) {
      if (options.once) throw error;
      options.onError(error);
    }
  } while (!options.once);
}

/** A connection with its greeting; undefined from a client that only connects. */
interface Greeted {
  readonly socket: FastSocket;
  readonly fd: number;
  readonly greeting: Greeting | undefined;
}

function serveClient(listener: Socket, { timeout }: EchoOptions): void {
  using connections = new DisposableStack();
  const accept = (): Greeted => {
    const socket = connections.use(listener.acceptHere());
    const fast = new FastSocket(socket, timeout);
    const text = bytes(GREETING_SIZE);
    const greeting = fast.recvAll(text, GREETING_SIZE, GREETING_LENGTH)
      ? decodeGreeting(text)
      : undefined;
    return { socket: fast, fd: socket.fd, greeting };
  };
  const first = accept();
  if (first.greeting === undefined) return;
  const { size, connections: count } = first.greeting;
  if (count === 1) return answerOne(first.socket, size);
  const others = Array.from({ length: count - 1 }, accept);
  answerAll([first, ...others], size);
}

function answerOne(socket: FastSocket, size: number): void {
  const buffer = bytes(size);
  const length = BigInt(size);
  while (socket.recvAll(buffer, size, length)) socket.sendAll(buffer, size, length);
}

function answerAll(connections: readonly Greeted[], size: number): void {
  const buffer = bytes(size);
  const length = BigInt(size);
  const set = new PollSet(connections.map(({ fd }) => fd));
  connections.forEach((_, i) => set.want(i, POLLIN));
  for (let open = connections.length; open > 0;) {
    set.wait(-1);
    for (const [i, { socket }] of connections.entries()) {
      if (set.revents(i) === 0) continue;
      if (socket.recvAll(buffer, size, length)) {
        socket.sendAll(buffer, size, length);
      } else {
        set.remove(i);
        open--;
      }
    }
  }
}
