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
  // What some of them do to a destination shows only where no guest's transport takes it.
  const run = "rmmod vmw_vsock_virtio_transport && cd /app && " +
    "deno run -A --no-check broken_peers.js vsock";
  const output = await inVm(lab, "host", run);
  await judge(t, "vsock", { output });
});
