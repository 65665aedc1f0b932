import assert from "node:assert/strict";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { imageConfig } from "./ikconfig.ts";

const CONFIG = "CONFIG_VSOCKETS=y\n";

function joined(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  const arrays = parts.map((part) =>
    typeof part === "string" ? new TextEncoder().encode(part) : part
  );
  const all = new Uint8Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}

/** A kernel as it is in memory. */
const KERNEL = joined(new Uint8Array(1000), "IKCFG_ST", gzipSync(CONFIG), "IKCFG_ED", "the rest");

/** A bzImage that unpacks this. */
function bzImage(payload: Uint8Array): Uint8Array {
  const setup = new Uint8Array(5 * 512 + 32);
  const view = new DataView(setup.buffer);
  view.setUint8(0x1f1, 4);
  view.setUint32(0x202, 0x53726448, true);
  view.setUint32(0x248, 32, true);
  view.setUint32(0x24c, payload.length, true);
  return joined(setup, payload, "what follows");
}

Deno.test("imageConfig() finds the configuration in each kind of image", () => {
  assert.equal(imageConfig(KERNEL), CONFIG);
  assert.equal(imageConfig(gzipSync(KERNEL)), CONFIG);
  assert.equal(imageConfig(bzImage(gzipSync(KERNEL))), CONFIG);
  const size = new Uint8Array(4);
  assert.equal(imageConfig(bzImage(joined(zstdCompressSync(KERNEL), size))), CONFIG);
});

Deno.test("imageConfig() finds nothing where there is nothing, or nothing that it reads", () => {
  for (const image of [new Uint8Array(), new Uint8Array(2000), bzImage(new Uint8Array(100))]) {
    assert.equal(imageConfig(image), undefined);
  }
  assert.equal(
    imageConfig(joined(new Uint8Array(700), "IKCFG_ST", "damaged", "IKCFG_ED")),
    undefined,
  );
});
