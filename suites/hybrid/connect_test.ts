import assert from "node:assert/strict";
import { knownCase } from "../../tests/support/known_case.ts";
import { runBothSides } from "../../tests/support/both_sides.ts";
import { HYBRID_FAULTS, StandInDevice } from "../../tests/support/hybrid_device.ts";
import type { ConformanceCase } from "../../kit/mod.ts";
import { hybridFamily, hybridSockets } from "../../sys/hybrid.ts";
import { CATALOGUE } from "../catalogue.ts";

/** A deadline in milliseconds that a case reaches only where a device never answers. */
const TIMEOUT = 20_000;

/** Plays a case between the host of a device and its guest. */
async function play(definition: ConformanceCase, device: StandInDevice, host = "client") {
  const path = device.path;
  const hostSide = {
    ...{ family: hybridFamily(path), hybrid: path, socketClass: hybridSockets(path) },
    timeout: TIMEOUT,
  };
  const family = hybridFamily(host === "client" ? device.guestPath : device.outPath);
  const guest = { family, timeout: TIMEOUT };
  return await runBothSides(
    definition,
    host === "client" ? { client: hostSide, server: guest } : { client: guest, server: hostSide },
  );
}

function hostOf({ id }: ConformanceCase): string {
  return id.includes("guest-reaches") ? "server" : "client";
}

Deno.test("every case of hybrid/ passes over a device that errs in nothing", async () => {
  for (const definition of CATALOGUE.filter(({ id }) => id.startsWith("hybrid/"))) {
    await using device = await StandInDevice.start();
    const { outcome, reasons } = await play(definition, device, hostOf(definition));
    assert.equal(outcome, "pass", `${definition.id}: ${reasons.join("\n")}`);
  }
});

Deno.test("every case of hybrid/ fails over a device that errs", async (t) => {
  for (const { id, fault, what, reason } of HYBRID_FAULTS) {
    await t.step(`${id}: ${what}`, async () => {
      const definition = knownCase(id);
      await using device = await StandInDevice.start(fault);
      const { outcome, reasons } = await play(definition, device, hostOf(definition));
      assert.equal(outcome, "fail", reasons.join("\n"));
      assert.match(reasons.join("\n"), reason);
    });
  }
});

Deno.test("a case of another family is skipped on a device's socket, with that reason", async () => {
  const others = CATALOGUE.filter(({ id }) => /^(close\/dup|options\/buffers|sockets\/)/.test(id));
  assert.ok(others.length > 3);
  for (const definition of others) {
    await using device = await StandInDevice.start();
    const { outcome, reasons } = await play(definition, device);
    assert.equal(outcome, "skip", `${definition.id}: ${reasons.join("\n")}`);
    assert.match(reasons.join("\n"), /only the cases of hybrid\/ are played/);
  }
});
