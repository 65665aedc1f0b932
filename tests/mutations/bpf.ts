/**
 * What the cases of bpf/ must notice.
 *
 * @module
 */
import { recvChangesData } from "./data.ts";
import type { Row, ShownElsewhere } from "./mutation.ts";

/** Data that is wrong behind a sockmap. */
export const mutations: readonly Row[] = ["stream", "seqpacket"].map((type): Row => [
  `bpf/sockmap/${type}-passes-data`,
  "server",
  "recv() flips a bit",
  recvChangesData,
  /piece 0: byte/,
]);

/** Maps that are wrong. */
export const shownElsewhere: readonly ShownElsewhere[] = [{
  id: "bpf/sockmap/takes-connected-alone",
  on: "client",
  what: "sockmap takes any socket",
  noticed: "client",
  file: "suites/bpf/sockmap_test.ts",
  test: "bpf/sockmap/takes-connected-alone fails where any socket is taken",
}, {
  id: "bpf/sockmap/waiting-reader-is-woken",
  on: "server",
  what: "recv() in a sockmap is not woken",
  noticed: "server",
  file: "suites/bpf/sockmap_test.ts",
  test: "bpf/sockmap/waiting-reader-is-woken fails where recv() is not",
}];
