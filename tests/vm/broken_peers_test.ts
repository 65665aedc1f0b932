/**
 * Every case against broken sockets of AF_VSOCK itself, both sides in one process of a loopback VM.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { bundle } from "../../lab/image/bundle.ts";
import { DEFAULT_KERNEL } from "../../lab/kernel/kernel.ts";
import { judge } from "../support/findings.ts";
import { inVm, testLab } from "./support.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** How long all of them may take, in milliseconds: there are hundreds. */
const PATIENCE = 900_000;

/** The program of the broken peers as one file. */
async function program(): Promise<Uint8Array> {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/run.js`;
    await bundle(ROOT, path, "tests/mutations/run.ts");
    return await Deno.readFile(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("every case notices broken sockets over AF_VSOCK, and passes over whole ones", async (t) => {
  const files = [{ path: "app/broken_peers.js", data: await program() }];
  const kernel = { kernel: DEFAULT_KERNEL };
  await using lab = await testLab({ topology: "loopback", kernel, files });
  const run = "cd /app && deno run -A --no-check broken_peers.js";
  await t.step("on a host that has the driver of a guest, too", async (t) => {
    await judge(t, "vsock", {
      output: await inVm(lab, "host", `${run} vsock`, undefined, PATIENCE),
    });
  });
  // Where connections lead is another without it, and what shows of a wrong destination.
  await t.step("on a host without it, where connections lead", async (t) => {
    const script = `rmmod vmw_vsock_virtio_transport && ${run} vsock-host`;
    await judge(t, "vsock-host", { output: await inVm(lab, "host", script, undefined, PATIENCE) });
  });
});
