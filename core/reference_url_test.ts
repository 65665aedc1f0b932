import assert from "node:assert/strict";
import { CATALOGUE } from "../suites/catalogue.ts";
import { kernel, man, proposal, spec, upstream } from "./case.ts";
import { referenceUrl } from "./reference_url.ts";

Deno.test("referenceUrl() leads to the page, the section, the function, the message", () => {
  const urls = [
    man("recv", 2, "MSG_TRUNC"),
    man("bind", 2, "DESCRIPTION"),
    man("send", 2, "RETURN VALUE"),
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
    "https://man7.org/linux/man-pages/man2/send.2.html#RETURN_VALUE",
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

/** Pages that man7.org has, by section. To refer to another one, look it up there and add it. */
const PAGES: Readonly<Record<number, readonly string[]>> = {
  2: [
    "bpf",
    ...["accept", "accept4", "bind", "close", "connect", "dup", "epoll_ctl", "epoll_wait"],
    ...["fcntl", "fork", "getpeername", "getsockname", "getsockopt", "io_uring_enter", "ioctl"],
    ...["listen", "mmap", "pipe", "poll", "ppoll", "read", "readv", "recv", "recvfrom", "recvmmsg"],
    ...["recvmsg", "select", "send", "sendfile", "sendmmsg", "sendmsg", "sendto", "setsockopt"],
    ...["shutdown", "socket", "socketpair", "splice", "write", "writev"],
  ],
  7: ["capabilities", "epoll", "namespaces", "pipe", "signal", "sock_diag", "socket", "vsock"],
};

/** The sections about socket devices in version 1.3 of the virtio specification. */
const SECTION = /^5\.10(\.[1-5]|\.6(\.[1-7](\.1)?)?)?( |$)/;

Deno.test("every manual page of a case exists, and every section of the specification", () => {
  for (const { id, refs } of CATALOGUE) {
    for (const reference of refs) {
      if (reference.kind === "man") {
        const pages = PAGES[reference.section] ?? [];
        assert.ok(pages.includes(reference.page), `${id}: ${reference.page}(${reference.section})`);
      }
      if (reference.kind === "spec") {
        assert.match(reference.section, SECTION, id);
      }
      if (reference.kind === "kernel") assert.match(reference.function, /^[a-z_]\w+$/, id);
    }
  }
});
