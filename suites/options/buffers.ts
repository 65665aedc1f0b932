/**
 * SO_VM_SOCKETS_BUFFER_SIZE, _MIN_SIZE and _MAX_SIZE.
 *
 * @module
 */
import {
  AF_VSOCK,
  bytes,
  type Check,
  type ConformanceCase,
  connecting,
  defineCase,
  forBothTypes,
  int,
  kernel,
  man,
  SO_VM_SOCKETS_BUFFER_MAX_SIZE,
  SO_VM_SOCKETS_BUFFER_MIN_SIZE,
  SO_VM_SOCKETS_BUFFER_SIZE,
  type Socket,
  u64,
} from "../../kit/mod.ts";

const [SIZE, MIN, MAX] = [
  SO_VM_SOCKETS_BUFFER_SIZE,
  SO_VM_SOCKETS_BUFFER_MIN_SIZE,
  SO_VM_SOCKETS_BUFFER_MAX_SIZE,
];

/** The options by name, and what each is at first, in bytes. */
const DEFAULTS = [
  ["SO_VM_SOCKETS_BUFFER_SIZE", SIZE, 262_144n],
  ["SO_VM_SOCKETS_BUFFER_MIN_SIZE", MIN, 128n],
  ["SO_VM_SOCKETS_BUFFER_MAX_SIZE", MAX, 262_144n],
] as const;

/** Steps: which option is set to what, and what the size is then. */
const STEPS: readonly (readonly [name: string, option: number, value: bigint, size: bigint])[] = [
  ["SIZE", SIZE, 0n, 128n],
  ["SIZE", SIZE, 127n, 128n],
  ["SIZE", SIZE, 129n, 129n],
  ["SIZE", SIZE, 262_145n, 262_144n],
  ["SIZE", SIZE, 0xffffffffffffffffn, 262_144n],
  ["MAX", MAX, 1_048_576n, 262_144n],
  ["SIZE", SIZE, 1_048_577n, 1_048_576n],
  ["MAX", MAX, 100_000n, 100_000n],
  ["MIN", MIN, 4096n, 100_000n],
  ["SIZE", SIZE, 1n, 4096n],
  ["MIN", MIN, 8192n, 8192n],
  ["MIN", MIN, 1n, 8192n],
  ["SIZE", SIZE, 1n, 1n],
  // The maximum bounds a size also where the minimum is above it.
  ["MAX", MAX, 4096n, 1n],
  ["MIN", MIN, 8192n, 4096n],
  ["SIZE", SIZE, 6000n, 4096n],
];

/** Goes through the steps, and checks what the size is after each. */
async function clamps(check: Check, socket: Socket): Promise<void> {
  for (const [name, option, value, size] of STEPS) {
    const what = `${name} ${value}`;
    await check.succeeds(`set ${what}`, () => socket.setU64(AF_VSOCK, option, value));
    check.equal(socket.getU64(AF_VSOCK, SIZE), size, `the size after ${what}`);
  }
}

/** The largest window that a header of virtio can tell, in bytes. */
const LARGEST = 0xffffffffn;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...forBothTypes((type) =>
    defineCase({
      id: `options/buffers/${type}-defaults`,
      title: `a ${type} socket has a buffer of 256 KiB, which may be 128 bytes to 256 KiB`,
      requirement:
        "the buffer sizes of a new socket SHOULD be 262144, 128 and 262144, unsigned long long each",
      refs: [man("vsock", 7, "SO_VM_SOCKETS_BUFFER_SIZE"), kernel("vsock_connectible_getsockopt")],
      does: {
        client:
          `checks that the three sizes of a new ${type} socket are 262144, 128 and 262144, that ` +
          "getsockopt() stores 8 bytes of 32, and that both calls fail with EINVAL with 4 and 7",
      },
      async client({ vsock, check }) {
        using socket = vsock.open(type);
        for (const [name, option, value] of DEFAULTS) {
          check.equal(socket.getU64(AF_VSOCK, option), value, `${name} of a new socket`);
          const stored = socket.getsockopt(AF_VSOCK, option, 32).length;
          check.equal(stored, 8, `what ${name} stores with room for 32 bytes`);
          for (const size of [0, 4, 7]) {
            const get = () => socket.getsockoptAt(AF_VSOCK, option, bytes(8), int(size));
            await check.fails("EINVAL", `getsockopt(${name}) with ${size} bytes`, get);
            const set = () => socket.setsockoptAt(AF_VSOCK, option, u64(4096n), size);
            await check.fails("EINVAL", `setsockopt(${name}) with ${size} bytes`, set);
          }
          check.equal(socket.getU64(AF_VSOCK, option), value, `${name} after wrong calls`);
        }
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `options/buffers/${type}-clamped`,
      title: `the buffer of a ${type} socket stays between its minimum and its maximum`,
      requirement:
        "SO_VM_SOCKETS_BUFFER_SIZE MUST be bounded by the minimum and the maximum, silently, and " +
        "follow when these change",
      refs: [
        man("vsock", 7, "SO_VM_SOCKETS_BUFFER_MAX_SIZE"),
        kernel("vsock_connectible_setsockopt"),
      ],
      does: {
        client:
          `sets the size, the minimum and the maximum of a ${type} socket, 16 times, and checks ` +
          "after each what the size is",
      },
      async client({ vsock, check }) {
        using socket = vsock.open(type);
        await clamps(check, socket);
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `options/buffers/${type}-of-connection`,
      title: `the buffer of a ${type} connection is what was set before it, and can be changed`,
      requirement:
        "connect() MUST keep the buffer sizes that were set before it, and a connection take others",
      refs: [
        man("vsock", 7, "SO_VM_SOCKETS_BUFFER_SIZE"),
        kernel("virtio_transport_do_socket_init"),
      ],
      needs: connecting(type),
      does: {
        client:
          `sets the sizes of a ${type} socket to 4096, 8192 and 65536, connects it, checks that they ` +
          "are still those, changes them as on a new socket, and sends a byte",
        server: "accepts, and receives a byte when the client's sizes have changed",
      },
      async client({ vsock, peer, check }) {
        using socket = vsock.open(type);
        const sizes = [[MIN, 4096n], [SIZE, 8192n], [MAX, 65_536n]] as const;
        for (const [option, size] of sizes) await check.setsU64(socket, AF_VSOCK, option, size);
        await peer.expectln("LISTENING");
        await socket.connect(vsock.peerAddress());
        for (const [option, size] of sizes) {
          const kept = socket.getU64(AF_VSOCK, option);
          check.equal(kept, size, `option ${option} after connect()`);
        }
        for (const [, option, size] of DEFAULTS) socket.setU64(AF_VSOCK, option, size);
        socket.setU64(AF_VSOCK, SIZE, 262_144n);
        await clamps(check, socket);
        await check.sendsByte(socket);
        await peer.expectln("DONE");
      },
      async server({ vsock, peer, check }) {
        using socket = await vsock.accept(type);
        await check.receivesByte(socket);
        await peer.writeln("DONE");
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `options/buffers/${type}-four-gigabytes`,
      title: `the buffer of a ${type} connection is no larger than a window can be`,
      requirement:
        "the buffer size of a connection MUST be at most 4294967295 bytes, whatever was set",
      refs: [
        man("vsock", 7, "SO_VM_SOCKETS_BUFFER_MAX_SIZE"),
        kernel("virtio_transport_notify_buffer_size"),
      ],
      needs: connecting(type, "known-place"),
      does: {
        client:
          `sets the maximum and the size of a ${type} socket to 8 GiB, connects, checks that the ` +
          "size is 4294967295, also when it is set again, and receives a byte",
        server: "accepts, and sends a byte",
      },
      async client({ vsock, peer, check }) {
        using socket = vsock.open(type);
        const much = 1n << 33n;
        for (const option of [MAX, SIZE]) socket.setU64(AF_VSOCK, option, much);
        await peer.expectln("LISTENING");
        await socket.connect(vsock.peerAddress());
        check.equal(socket.getU64(AF_VSOCK, SIZE), LARGEST, "the size after connect()");
        socket.setU64(AF_VSOCK, SIZE, much);
        check.equal(socket.getU64(AF_VSOCK, SIZE), LARGEST, "the size when it is set again");
        await check.receivesByte(socket);
      },
      async server({ vsock, check }) {
        using socket = await vsock.accept(type);
        await check.sendsByte(socket);
        await vsock.waitRemoteClose(socket);
      },
    })
  ),
];
