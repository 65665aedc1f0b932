/**
 * A short process that makes many failing libc calls and prints those that gave a wrong errno.
 * Each kind of call fails for its own reason, so an errno that is another call's shows.
 *
 * @module
 */
import { AF_UNIX, SOCK_STREAM } from "../../sys/constants.ts";
import { errnoNumber } from "../../sys/errno.ts";
import { type Argument, call, callBlocking } from "../../sys/libc.ts";
import { bytes } from "../../sys/structs.ts";

const SYNCHRONOUS_ROUNDS = 4000;
const BLOCKING_ROUNDS = 25;
const O_DIRECTORY = 0o200000;

const path = (text: string) => new TextEncoder().encode(`${text}\0`);

const socket = call("socket", AF_UNIX, SOCK_STREAM, 0);
const address = bytes(110);
address[0] = AF_UNIX;
address.set(path("\0vsock-conformance/nobody-listens-here"), 2);

const CALLS = [
  ["EBADF", "close", [-1]],
  ["ENOENT", "open", [path("/nowhere/at/all"), 0]],
  ["ENOTDIR", "open", [path("/proc/self/exe"), O_DIRECTORY]],
  ["EAFNOSUPPORT", "socket", [999, SOCK_STREAM, 0]],
  ["ENOTCONN", "getpeername", [socket, bytes(16), new Uint8Array(Int32Array.of(16).buffer)]],
  ["ECONNREFUSED", "connect", [socket, address, address.length]],
  ["ENOTTY", "ioctl", [socket, 0x12345, bytes(8)]],
  ["EFAULT", "getsockname", [socket, 1n, 1n]],
  ["ENOTSOCK", "listen", [0, 1]],
] as const satisfies readonly (readonly [string, string, readonly Argument[]])[];

const wrong: string[] = [];
let made = 0;
/** Gives the engine reasons for system calls of its own. */
let garbage: Uint8Array[] = [];

function compare(how: string, result: number, name: typeof CALLS[number][0]): void {
  made++;
  if (result !== -errnoNumber(name)) wrong.push(`${how} ${name}: ${result}`);
}

for (let round = 0; round < SYNCHRONOUS_ROUNDS; round++) {
  for (const [name, symbol, args] of CALLS) {
    garbage = [...garbage.slice(-1000), new Uint8Array(64)];
    compare("synchronous", call(symbol, ...args), name);
  }
}
for (let round = 0; round < BLOCKING_ROUNDS; round++) {
  await Promise.all(CALLS.map(async ([name, symbol, args]) => {
    compare("blocking", (await callBlocking(symbol, args)).result, name);
  }));
}
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify({ made, wrong })));
