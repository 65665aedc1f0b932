import assert from "node:assert/strict";
import {
  countedFor,
  countsNow,
  likelyNames,
  probeScript,
  probesFor,
  refusedIn,
  sideCounts,
} from "./counts.ts";

/** What the kernel writes below tracefs. */
const FILES: Readonly<Record<string, string>> = {
  "kprobe_profile": `
  vsock_connect                                              3               0
  vsock_accept                                               0               0
  via_virtio_transport_recv_listen                           9               0
  via_virtio_transport_collapse_rx_queue                     5               0
`,
  "events/exercised/via_virtio_transport_recv_listen/hist": `# event histogram
#
# trigger info: hist:keys=caller.sym:vals=hitcount:sort=hitcount:size=2048 [active]
#

{ caller: [ffffffffc0770f33] other_function [other]                    } hitcount:          2
{ caller: [ffffffffc05e12a4] virtio_transport_recv_pkt [vmw_vsock_virtio_transport_common] } hitcount:          4
{ caller: [ffffffffc05e12f0] virtio_transport_recv_pkt [vmw_vsock_virtio_transport_common] } hitcount:          3

Totals:
    Hits: 9
    Entries: 3
    Dropped: 0
`,
  "events/exercised/via_virtio_transport_collapse_rx_queue/hist": `
{ caller: [ffffffffa1770f33] __pskb_pull_tail                          } hitcount:          5
`,
};

Deno.test("countsNow() has hits, and of what is inlined the calls that tell of it", () => {
  const counts = countsNow((path) => FILES[path] ?? assert.fail(path));
  assert.deepEqual(counts, { vsock_connect: 3, virtio_transport_recv_listen: 7 });
});

Deno.test("countedFor() counts from the first side's beginning to the last one's end", () => {
  const client = sideCounts("a/b/c", "client", { x: 1, y: 2 }, { x: 5, y: 2, z: 1 });
  const server = sideCounts("a/b/c", "server", { x: 2, y: 1 }, { x: 7, y: 2 });
  assert.deepEqual(countedFor([client, server]), { x: 6, y: 1, z: 1 });
  assert.deepEqual(countedFor([client]), { x: 4, z: 1 });
});

const KALLSYMS = [
  "ffffffffc05e0010 t vsock_linger.isra.0.cold\t[vsock]",
  "ffffffffc05e0020 t vsock_linger.part.0\t[vsock]",
  "ffffffffc05e0030 t vsock_linger\t[vsock]",
  "ffffffffc05e0040 t vsock_connect.isra.0\t[vsock]",
  "ffffffffc05e0050 d vsock_accept\t[vsock]",
  "ffffffffc05e0060 t __pfx_vsock_connect\t[vsock]",
  "ffffffffc05e0070 t virtio_transport_recv_pkt\t[vmw_vsock_virtio_transport_common]",
  "ffffffffc05e0080 T vsock_create_connected\t[vsock]",
  "ffffffff8bc00000 T sock_omalloc",
  "",
].join("\n");

Deno.test("probesFor() finds functions by what the compiler calls them", () => {
  const names = new Set(["vsock_linger", "vsock_connect", "vsock_accept", "sock_omalloc"]);
  assert.deepEqual(probesFor(KALLSYMS, names), [
    { name: "vsock_linger", symbol: "vsock:vsock_linger" },
    { name: "vsock_connect", symbol: "vsock:vsock_connect.isra.0" },
    { name: "sock_omalloc", symbol: "sock_omalloc" },
  ]);
});

Deno.test("probesFor() counts what is inlined by a call that only it makes, or not at all", () => {
  const names = new Set(["virtio_transport_recv_listen", "msg_zerocopy_alloc", "vsock_do_ioctl"]);
  assert.deepEqual(probesFor(KALLSYMS, names), [{
    name: "virtio_transport_recv_listen",
    symbol: "vsock:vsock_create_connected",
    within: "virtio_transport_recv_pkt",
  }]);
  const pattern = new RegExp(likelyNames(names));
  assert.ok(KALLSYMS.trimEnd().split("\n").every((line) => pattern.test(line)));
});

Deno.test("probesFor() can count every function of AF_VSOCK's modules", () => {
  const found = probesFor(KALLSYMS, new Set(), true).map(({ name }) => name).sort();
  assert.deepEqual(found, [
    "virtio_transport_recv_pkt",
    "vsock_connect",
    "vsock_create_connected",
    "vsock_linger",
  ]);
});

Deno.test("what a script of probes says was refused has none", () => {
  const script = probeScript(probesFor(KALLSYMS, new Set(["virtio_transport_recv_listen"])));
  assert.match(script, /^p:exercised\/via_virtio_transport_recv_listen vsock:vsock_create_c/m);
  const output = "sh: write error: Invalid argument\nrefused: p:exercised/via_vsock_a vsock:b\n" +
    "refused: p:exercised/vsock_c c\n";
  assert.deepEqual([...refusedIn(output)], ["vsock_a", "vsock_c"]);
});
