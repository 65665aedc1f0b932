/**
 * TCP ports of this machine at which nobody listens, and which nobody else is given meanwhile.
 *
 * @module
 */
import { SO_REUSEADDR, SOCK_CLOEXEC, SOCK_STREAM, SOL_SOCKET } from "../../sys/constants.ts";
import { SysError } from "../../sys/errno.ts";
import { call } from "../../sys/libc.ts";
import { bytes, int } from "../../sys/structs.ts";

const AF_INET = 2;

/**
 * A port of 127.0.0.1 to which a socket is bound that does not listen: connecting is refused, and
 * only who is told the port can listen there, since a listener of Deno's sets SO_REUSEADDR as well.
 */
export class ReservedPort implements Disposable {
  readonly port: number;
  readonly #fd: number;

  constructor() {
    const made = (what: string, result: number) => {
      if (result < 0) throw new SysError(what, -result);
      return result;
    };
    this.#fd = made("socket()", call("socket", AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    made("setsockopt()", call("setsockopt", this.#fd, SOL_SOCKET, SO_REUSEADDR, int(1), 4));
    // struct sockaddr_in: family, port, address
    const address = bytes(16);
    address.set([AF_INET, 0, 0, 0, 127, 0, 0, 1]);
    made("bind()", call("bind", this.#fd, address, address.length));
    made("getsockname()", call("getsockname", this.#fd, address, int(address.length)));
    this.port = new DataView(address.buffer).getUint16(2);
  }

  [Symbol.dispose](): void {
    call("close", this.#fd);
  }
}
