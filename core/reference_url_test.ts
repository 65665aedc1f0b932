import assert from "node:assert/strict";
import { CATALOGUE } from "../suites/catalogue.ts";
import { kernel, man, proposal, spec, upstream } from "./case.ts";
import { referenceUrl } from "./reference_url.ts";

Deno.test("referenceUrl() leads to the page, the section, the function, the message", () => {
  const urls = [
    man("recv", 2, "MSG_TRUNC"),
    man("bind", 2, "DESCRIPTION"),
    man("vsock", 7, "Local communication"),
    spec("5.10.6.3 Buffer Space Management"),
    spec("5.10.4 Device configuration layout"),
    spec("2.7 Split Virtqueues"),
    kernel("vsock_bind"),
    proposal("0/5"),
    upstream("SOCK_STREAM SHUT_WR"),
  ].map(referenceUrl);
  assert.deepEqual(urls, [
    "https://man7.org/linux/man-pages/man2/recv.2.html#:~:text=MSG_TRUNC",
    "https://man7.org/linux/man-pages/man2/bind.2.html#DESCRIPTION",
    "https://man7.org/linux/man-pages/man7/vsock.7.html#:~:text=Local%20communication",
    "https://docs.oasis-open.org/virtio/virtio/v1.3/csd01/virtio-v1.3-csd01.html#x1-4800006",
    "https://docs.oasis-open.org/virtio/virtio/v1.3/csd01/virtio-v1.3-csd01.html#x1-4780004",
    "https://docs.oasis-open.org/virtio/virtio/v1.3/csd01/virtio-v1.3-csd01.html",
    "https://elixir.bootlin.com/linux/v7.3/A/ident/vsock_bind",
    "https://lore.kernel.org/all/20240517144607.2595798-1-niuxuewei.nxw@antgroup.com/",
    "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree/tools/testing/vsock?h=v7.3",
  ]);
});

Deno.test("referenceUrl() gives a well-formed https URL for each reference of each case", () => {
  for (const { id, refs } of CATALOGUE) {
    for (const reference of refs) {
      const text = referenceUrl(reference);
      const url = new URL(text);
      assert.equal(url.protocol, "https:", id);
      assert.equal(url.href, text, id);
      assert.doesNotMatch(text, /undefined|NaN|[\s"'<>\\^`{|}]/, id);
      if (reference.kind === "spec") assert.match(url.hash, /^#x1-\d+$/, id);
    }
  }
});
