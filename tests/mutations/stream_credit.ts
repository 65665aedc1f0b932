/**
 * What the cases of stream/credit/ must notice.
 *
 * @module
 */
import { AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE } from "../../sys/constants.ts";
import { u64 } from "../../sys/structs.ts";
import { sendLosesLastByte } from "./data.ts";
import {
  errsWith,
  optionNotKept,
  optionWithoutEffect,
  pollNeverWakes,
  type Row,
} from "./mutation.ts";
import {
  nothingFits,
  ownBufferWithoutEffect,
  rcvlowatNotKept,
  rcvlowatWithoutEffect,
  sendTakesAPart,
} from "./streams.ts";

const ON_RCVLOWAT = "stream/credit/update-on-rcvlowat";
const BELOW_RCVLOWAT = "stream/credit/update-below-rcvlowat";
const OWN_BUFFER = "stream/credit/bound-by-own-buffer";

function crediting(id: string): Row[] {
  return [
    [
      id,
      "server",
      "SO_RCVLOWAT changes nothing",
      rcvlowatWithoutEffect,
      /recv\(65537, MSG_DONTWAIT\).*expected 65537, got 65536/,
    ],
    [id, "server", "SO_RCVLOWAT is not kept", rcvlowatNotKept, /expected 65537, got 1/],
    [id, "server", "poll() never wakes up", pollNeverWakes, /POLLRDNORM in .* not set/],
    [
      id,
      "server",
      "buffer size is not kept",
      optionNotKept(AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, u64(262_144n)),
      /expected 131072, got 262144/,
    ],
    [
      id,
      "server",
      "buffer size changes nothing",
      optionWithoutEffect(AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE),
      /131073 bytes came, expected 131072/,
    ],
    [id, "client", "send() takes a part", sendTakesAPart, /how much one send\(\) took/],
    [id, "client", "send() loses the last byte", sendLosesLastByte, /expected 65537, got 65536/, {
      noticed: "server",
    }],
  ];
}

/** Sockets that err about credit. */
export const creditMutations: readonly Row[] = [
  ...crediting(ON_RCVLOWAT),
  ...crediting(BELOW_RCVLOWAT),
  [
    OWN_BUFFER,
    "client",
    "own buffer has no limit",
    ownBufferWithoutEffect,
    /expected at most 65536/,
  ],
  [OWN_BUFFER, "client", "send() takes nothing", nothingFits, /send\(\) took nothing/],
  [
    OWN_BUFFER,
    "client",
    "EAGAIN is another errno",
    errsWith("send", "EAGAIN", "ENOBUFS"),
    /expected EAGAIN, got send.*ENOBUFS/,
  ],
  [
    OWN_BUFFER,
    "server",
    "buffer size is not kept",
    optionNotKept(AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, u64(262_144n)),
    /expected 2097152, got 262144/,
  ],
];
