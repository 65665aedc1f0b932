/**
 * A server for `perf latency` that answers 200 requests, does nothing for a while, and goes on.
 * Its arguments are the name of a stand-in and how long that while is, in milliseconds.
 *
 * @module
 */
import { FastSocket, PollSet } from "../../perf/fast_socket.ts";
import { decodeGreeting, GREETING_SIZE } from "../../perf/greeting.ts";
import { listenAt } from "../../perf/endpoint.ts";
import { bytes, unixStandIn } from "../../sys/structs.ts";

const [name = "", stall] = Deno.args;
using listener = listenAt({ family: unixStandIn(name), type: "stream", port: 1234 }, 1);
Deno.stdout.writeSync(new TextEncoder().encode("listening\n"));
using socket = listener.acceptHere();
const fast = new FastSocket(socket, 10_000);
const greeting = bytes(GREETING_SIZE);
fast.recvAll(greeting, GREETING_SIZE, BigInt(GREETING_SIZE));
const { size } = decodeGreeting(greeting);
const buffer = bytes(size);
for (let answered = 0; fast.recvAll(buffer, size, BigInt(size)); answered++) {
  if (answered === 200) new PollSet([-1]).wait(Number(stall));
  fast.sendAll(buffer, size, BigInt(size));
}
