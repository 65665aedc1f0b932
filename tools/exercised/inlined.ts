/**
 * Functions of the kernel that its compiler puts into others, and how they are seen all the same.
 *
 * @module
 */

/** A call that only an inlined function makes. */
export interface TellingCall {
  /** What is called. */
  readonly callee: string;
  /** The function that the caller is part of in the machine's code. */
  readonly within: string;
}

/**
 * Inlined functions, each with a call that it makes wherever it does its work, and that nothing
 * else makes in the function that it is part of. A function that is not here and has no symbol
 * cannot be counted: a case names one that can.
 */
export const INLINED: Readonly<Record<string, TellingCall>> = Object.fromEntries(
  [
    ["virtio_transport_collapse_rx_queue", "skb_copy_bits", "virtio_transport_recv_pkt"],
    ["virtio_transport_recv_listen", "vsock_create_connected", "virtio_transport_recv_pkt"],
    ["msg_zerocopy_alloc", "sock_omalloc", "msg_zerocopy_realloc"],
  ].map(([name = "", callee = "", within = ""]) => [name, { callee, within }]),
);
