/**
 * The lab end to end, through the command line: real kernels, both topologies, both directions.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";
import { CATALOGUE } from "../../suites/catalogue.ts";
import { matches } from "../../core/selector.ts";
import { runLab } from "./support.ts";

/** Kernels, and the baseline of each: what it gets wrong, see docs/kernels.md. */
const KERNELS = [
  ["debian:latest", "linux-7.3.txt"],
  ["debian:6.12", "linux-6.12.txt"],
  ["debian:6.1", "linux-6.1.txt"],
] as const;

/** Families whose verdicts are known on every kernel and topology. */
const KNOWN_EVERYWHERE = [
  ...["stream", "seqpacket", "ioctl", "sockopt", "zerocopy", "uring", "transport", "addressing"],
  ...["diag", "namespaces", "multi-device"],
];
/** And those whose verdicts are known on loopback of some kernels alone so far (docs/kernels.md). */
const KNOWN_ON_LOOPBACK: Readonly<Record<string, readonly string[]>> = {
  "debian:latest": [
    ...["sockets", "connect", "accept", "options", "errors", "device", "flow", "messages"],
    ...["half-close", "close", "events", "signals", "bpf"],
  ],
  "debian:6.12": ["sockets", "connect", "accept", "options", "errors", "device", "flow"],
};
/** It shows K-10, which is a race that need not happen. */
const RACE = "signals/connect/called-again-after-eintr";

/** What is run there; slow cases are left to people, since some take minutes when emulated. */
function chosen(kernel: string, topology: string): string[] {
  const more = topology === "loopback" ? KNOWN_ON_LOOPBACK[kernel] ?? [] : [];
  const families = [...KNOWN_EVERYWHERE, ...more];
  return CATALOGUE.filter(({ id, slow }) =>
    slow !== true && id !== RACE && families.includes(id.split("/")[0] ?? "")
  ).map(({ id }) => id);
}

/** A baseline, and what of it a topology shows. */
async function known(name: string, topology: string): Promise<{ path: string; ids: string[] }> {
  const path = fileURLToPath(new URL(`../../fixtures/baselines/${name}`, import.meta.url));
  const lines = (await Deno.readTextFile(path)).matchAll(/^([a-z]\S+)(.*)#/gm);
  const isShown = (where: string) => topology === "loopback" || !/\bloopback\b/.test(where);
  return { path, ids: [...lines].flatMap(([, id = "", where = ""]) => isShown(where) ? [id] : []) };
}

/** The ids of the result lines of KTAP, by result. */
function results(ktap: string): { ok: string[]; notOk: string[] } {
  const lines = [...ktap.matchAll(/^ {2}(ok|not ok) \d+ (\S+)/gm)];
  const ids = (wanted: string) =>
    lines.filter(([, result]) => result === wanted).map(([, , id = ""]) => id);
  return { ok: ids("ok"), notOk: ids("not ok") };
}

for (const [kernel, baseline] of KERNELS) {
  for (const [topology, directions] of [["loopback", 1], ["guest-host", 2]] as const) {
    if (kernel === "debian:6.1" && topology === "guest-host") continue;
    Deno.test(`lab judges every case on ${kernel}, ${topology}`, async () => {
      const cases = chosen(kernel, topology);
      const { path, ids: all } = await known(baseline, topology);
      const ids = all.filter((id) => cases.some((each) => matches(id, each)));
      const args = ["lab", "--kernel", kernel, "--topology", topology, "--ktap", ...cases];
      const more = ["--baseline", path, "--timeout", "1500"];
      const { stdout, stderr, code } = await runLab([...args, ...more]);
      const { ok, notOk } = results(stdout);
      const every = cases.flatMap((id) => Array<string>(directions).fill(id)).sort();
      assert.deepEqual([...ok, ...notOk].sort(), every, stdout + stderr);
      assert.deepEqual(notOk, [], stdout + stderr);
      const failed = [...stdout.matchAll(/ok \d+ (\S+) # XFAIL/g)].map(([, id]) => id);
      assert.deepEqual(new Set(failed), new Set(ids), stdout + stderr);
      assert.equal(code, 0, stderr);
      assert.match(stderr, /first verdict after .* \(.*(boot|restore) .*\)/);
    });
  }
}

Deno.test("lab judges CIDs in a guest with three of its own, two directions", async () => {
  const args = ["lab", "--topology", "three-cids", "--ktap", "addressing/**", "namespaces/**"];
  const { stdout, stderr, code } = await runLab(args);
  const { ok, notOk } = results(stdout);
  assert.deepEqual(notOk, [], stdout + stderr);
  assert.ok(ok.filter((id) => id.startsWith("addressing/")).length > 0);
  assert.doesNotMatch(stdout, /lacks a second local CID|lacks \/dev\/vhost-vsock/);
  assert.equal(code, 0);
});

Deno.test("lab says why a stock kernel leaves out a guest's other devices", async () => {
  const args = ["lab", "--topology", "three-devices", "--direction", "host-server", "--ktap"];
  const { stdout, stderr, code } = await runLab([...args, "multi-device/**"]);
  assert.match(stdout, /^ {2}ok \d+ multi-device\/stock\/second-is-busy$/m, stdout + stderr);
  assert.match(
    stdout,
    /multi-device\/cids\/listed-once # SKIP .*ENOTTY.*EBUSY.*it left out virtio/,
  );
  assert.equal(code, 0);
});

Deno.test("lab reports what Linux 6.1 gets wrong, and goes on", async () => {
  const args = ["lab", "--kernel", "debian:6.1", "--topology", "loopback", "--ktap"];
  const { stdout, code } = await runLab([...args, "seqpacket/receive-buffer"]);
  assert.match(stdout, /# server: .*expected EFAULT, got .*ENOMEM/);
  assert.equal(code, 1);
});
