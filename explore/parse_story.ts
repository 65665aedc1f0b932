/**
 * Reads the calls of a story as a person reads them: what explore printed can be played again.
 *
 * @module
 */
import { MACHINES, type SocketCall } from "../core/socket_call.ts";
import { decodeCall } from "../control/puppet_wire.ts";

/** A call within a line: perhaps a machine, the socket, the call, and its arguments. */
const CALL = new RegExp(`(?:\\b(${MACHINES.join("|")}) +)?\\b(\\d+)\\.([a-z]+)\\(([^()]*)\\)`);

/**
 * The calls of a story, one a line; whatever else the lines say does not count.
 *
 * @throws {ProtocolError} for a call that there is not, or with other arguments than it has.
 */
export function parseStory(text: string): SocketCall[] {
  let sends = 0;
  return text.split("\n").flatMap((line) => {
    const [, at, socket, call = "", inner = ""] = CALL.exec(line) ?? [];
    if (socket === undefined) return [];
    const args = inner === "" ? [] : inner.split(", ");
    const pattern = call === "send" ? { pattern: sends++ } : {};
    const place = call === "socket" && at !== undefined ? { at } : {};
    const fields = fieldsOf(call, args);
    return [decodeCall({ call, socket: Number(socket), ...place, ...pattern, ...fields })];
  });
}

function fieldsOf(call: string, args: readonly string[]): Record<string, unknown> {
  const [first = "", second = "", ...rest] = args;
  const [, length = "", pieces] = /^(\d+) in (\d+)$/.exec(first) ?? [];
  const number = Number(length || /\d+$/.exec(first)?.[0]);
  switch (call) {
    case "socket":
      return { type: first };
    case "bind":
    case "connect":
      return { port: number };
    case "listen":
      return { backlog: number };
    case "accept":
    case "dup":
      return { as: number };
    case "send":
    case "recv": {
      const words = [second, ...rest].filter((word) => word !== "");
      const flags = words.filter((word) => word !== "waits");
      const parts = pieces === undefined ? {} : { pieces: Number(pieces) };
      return { length: number, flags, wait: words.includes("waits"), ...parts };
    }
    case "shutdown":
      return { how: first };
    case "getsockopt":
      return { option: first };
    case "setsockopt":
      return { option: first, value: Number(second) };
    case "ioctl":
      return { request: first };
    default:
      return {};
  }
}
