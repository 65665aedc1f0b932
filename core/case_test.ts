import assert from "node:assert/strict";
import {
  type Case,
  kernel,
  levelOf,
  man,
  referenceText,
  spec,
  upstream,
  upstreamName,
  validateCase,
} from "./case.ts";

const GOOD: Case<never> = {
  id: "stream/close/by-client",
  title: "a title",
  requirement: "it MUST work",
  refs: [man("recv", 2, "MSG_PEEK"), upstream("SOCK_STREAM client close")],
  does: { client: "connects", server: "accepts, and claims that recv() is EAGAIN (twice)" },
  client: () => {},
  server: () => {},
};

Deno.test("validateCase() takes a case of the right form", () => {
  validateCase(GOOD);
  validateCase({ ...GOOD, id: "a/1/2-b", requirement: "it SHOULD work" });
});

Deno.test("validateCase() refuses ids that do not read family/topic/claim", () => {
  const bad = ["", "stream", "stream/close", "stream/close/a/b", "Stream/close/a", "stream//a"];
  for (const id of [...bad, "1stream/close/a", "stream/close/a b", "stream/close/*", "a/b/c\n"]) {
    assert.throws(
      () => validateCase({ ...GOOD, id }),
      { name: "TypeError", message: /family/ },
      id,
    );
  }
});

Deno.test("validateCase() refuses a requirement without MUST or SHOULD, and no sources", () => {
  const requirement = "it must work; MUSTARD";
  assert.throws(() => validateCase({ ...GOOD, requirement }), { message: /MUST or SHOULD/ });
  assert.throws(() => validateCase({ ...GOOD, refs: [] }), { message: /no source/ });
});

Deno.test("validateCase() takes what each side does of those that have a body, and of no other", () => {
  const { server: _, ...alone } = GOOD;
  const client = "does nothing";
  validateCase({ ...alone, does: { client } });
  assert.throws(() => validateCase({ ...GOOD, does: { client } }), {
    message: /server .*no description/,
  });
  assert.throws(() => validateCase(alone), { name: "TypeError", message: /server .*no body/ });
  assert.throws(() => validateCase({ ...GOOD, does: {} }), { message: /client .*no description/ });
});

Deno.test("validateCase() refuses what is no sentence of what a side does", () => {
  const says = (server: string) => () => validateCase({ ...GOOD, does: { ...GOOD.does, server } });
  says(`accepts ${"x".repeat(232)}`)();
  const begin = /the server of stream\/close\/by-client does: it must begin with a verb/;
  for (
    const deed of ["", "Accepts", "accept a connection", " accepts", "it accepts", "2 accepts"]
  ) {
    assert.throws(says(deed), { name: "TypeError", message: begin }, deed);
  }
  for (const deed of ["accepts.", "accepts ", "accepts\nand waits", "accepts\n"]) {
    assert.throws(says(deed), { message: /one line without a period/ }, deed);
  }
  assert.throws(says(`accepts ${"x".repeat(233)}`), { message: /more than 240 characters/ });
});

Deno.test("levelOf() takes MUST before SHOULD, whole words, capitals only", () => {
  const level = (requirement: string) => levelOf({ requirement });
  assert.equal(level("it MUST NOT fail"), "must");
  assert.equal(level("it SHOULD work"), "should");
  assert.equal(level("it SHOULD, no, MUST work"), "must");
  assert.equal(level("it should, it must"), undefined);
  assert.equal(level("SHOULDER"), undefined);
});

Deno.test("upstreamName() finds the upstream case among the sources, if any", () => {
  assert.equal(upstreamName(GOOD), "SOCK_STREAM client close");
  assert.equal(upstreamName({ refs: [man("recv", 2, "x")] }), undefined);
});

Deno.test("referenceText() says where each kind of source is", () => {
  assert.deepEqual(
    [man("recv", 2, "MSG_PEEK"), spec("5.10.6.5"), kernel("vsock_poll"), upstream("X")].map(
      referenceText,
    ),
    [
      "recv(2): MSG_PEEK",
      "virtio 1.3, 5.10.6.5",
      "kernel, vsock_poll()",
      'tools/testing/vsock, "X"',
    ],
  );
});
