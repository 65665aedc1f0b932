import assert from "node:assert/strict";

Deno.test("findDebugKernel() knows the faulty builds wherever the repository is", async () => {
  const folder = await Deno.makeTempDir({ prefix: "a folder " });
  const cache = `${folder}/cache`;
  try {
    await Deno.mkdir(`${cache}/kernels/debug-x86_64`, { recursive: true });
    await Deno.writeTextFile(`${cache}/kernels/debug-x86_64/order.json`, "[]");
    await Deno.symlink(new URL("../..", import.meta.url), `${folder}/repository`);
    const module = new URL(`file://${folder}/repository/lab/kernel/debug.ts`).href;
    const script = `
      const { findDebugKernel } = await import(${JSON.stringify(module)});
      const { archTraits } = await import("./lab/arch.ts");
      console.log(await findDebugKernel("right", archTraits("x86_64")).catch(({ message }) => message));
    `;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", script],
      env: { VSOCK_CONFORMANCE_CACHE: cache },
      cwd: new URL("../..", import.meta.url),
    }).output();
    assert.match(
      new TextDecoder().decode(stdout),
      /^There is no faulty build "right"; there are: accept-queue, completion, error-queue\n$/,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
