/**
 * Connected AF_UNIX sockets for tests, under names that no other test has.
 *
 * @module
 */
import type { CallContext } from "../../sys/descriptor.ts";
import { Socket, type SocketType } from "../../sys/socket.ts";
import { type Address, type AddressFamily, unixStandIn } from "../../sys/structs.ts";

let made = 0;

/** A name that no other test, here or in another process, uses. */
export function freshName(): string {
  return `test-${Deno.pid}-${crypto.randomUUID().slice(0, 8)}-${++made}`;
}

/** AF_UNIX in AF_VSOCK's place, with names of its own. */
export function freshFamily(): AddressFamily {
  return unixStandIn(freshName());
}

/** An address within a family of {@linkcode freshFamily}; the CID does not count there. */
export function at(port: number): Address {
  return { cid: 1, port };
}

/** Two sockets, each the other's peer, both closed when disposed of. */
export interface SocketPair extends Disposable {
  readonly client: Socket;
  readonly server: Socket;
}

/** Connects a pair. */
export async function connectedPair(
  type: SocketType,
  context: CallContext = {},
): Promise<SocketPair> {
  const family = freshFamily();
  using listener = Socket.open(family, type, context);
  listener.bind(at(1));
  listener.listen(1);
  const client = Socket.open(family, type, context);
  client.bind(at(2));
  await client.connect(at(1));
  const { socket: server } = await listener.accept();
  return {
    client,
    server,
    [Symbol.dispose]() {
      client[Symbol.dispose]();
      server[Symbol.dispose]();
    },
  };
}
