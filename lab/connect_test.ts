import assert from "node:assert/strict";
import { inCache } from "../tests/support/own_cache.ts";
import { connectAgents } from "./connect.ts";
import { LabError } from "./error.ts";

/** An agent that greets every controller with one line; stopped when disposed of. */
function agentThatSays(line: string) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let connections = 0;
  const serving = (async () => {
    for await (const connection of listener) {
      connections++;
      await connection.write(new TextEncoder().encode(`${line}\n`)).catch(() => {});
      connection.close();
    }
  })();
  const { port } = listener.addr as Deno.NetAddr;
  return {
    address: {
      vms: [{ name: "loopback", console: "", shell: "" }],
      agents: { host: port, guest: port },
    } as const,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

/** What connectAgents() fails with, and after how many milliseconds, where it may take so many. */
async function failure(address: Parameters<typeof connectAgents>[0], patience: number) {
  const started = performance.now();
  const error = await connectAgents(address, AbortSignal.timeout(patience)).then(
    () => assert.fail("it was let in"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof LabError, String(error));
  return { message: error.message, milliseconds: performance.now() - started };
}

Deno.test("connectAgents() ends at once where an agent refuses it, and says what to do", async () => {
  await inCache(async () => {
    await using agent = agentThatSays("REFUSED the token is wrong");
    const { message } = await failure(agent.address, 60_000);
    assert.match(
      message,
      /^the loopback's agent refused this controller \(.*token is wrong\): /,
    );
    assert.match(message, /VSOCK_CONFORMANCE_CACHE.*'lab down' and 'lab up'/);
    assert.equal(agent.connections(), 1);
  });
});

Deno.test("connectAgents() waits until its deadline for an agent that serves another", async () => {
  await inCache(async () => {
    await using agent = agentThatSays("BUSY it serves another controller");
    const { message, milliseconds } = await failure(agent.address, 500);
    assert.match(message, /^the loopback's agent does not answer: .*serves another controller/);
    assert.ok(milliseconds >= 490 && agent.connections() > 1, `${milliseconds} ms`);
  });
});
