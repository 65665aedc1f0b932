import assert from "node:assert/strict";
import { BootWatch } from "./boot_watch.ts";
import { MARKS } from "../layout.ts";

const NAMES = ["host", "guest"];

Deno.test("BootWatch finds a host that falls silent before its agent listens", () => {
  const watch = new BootWatch(NAMES, 0, 25_000);
  assert.equal(watch.take(["[ 0.1] Linux", ""], 1000), undefined);
  assert.equal(watch.take(["[ 0.1] Linux", ""], 25_900), undefined);
  assert.equal(watch.take(["[ 0.1] Linux", ""], 26_100), "the host has written nothing for 25 s");
});

Deno.test("BootWatch does not wait for a guest that was not started, nor for a VM that is up", () => {
  const watch = new BootWatch(NAMES, 0, 25_000);
  const host = `${MARKS.booted}\n${MARKS.listening}\n`;
  assert.equal(watch.take([host, ""], 1000), undefined);
  assert.equal(watch.take([host, ""], 99_000), undefined);
});

Deno.test("BootWatch finds a guest that stands still while its host lives", () => {
  const watch = new BootWatch(NAMES, 0, 25_000);
  const host = (seconds: number) => `${MARKS.guestStarted}\nlab: up ${seconds} s\n`;
  const guest = "Booting from ROM...";
  assert.equal(watch.take([host(1), ""], 1000), undefined);
  assert.equal(watch.take([host(2), guest], 2000), undefined);
  assert.equal(watch.take([host(20), guest], 20_000), undefined);
  assert.equal(watch.take([host(280), guest], 28_000), "the guest has written nothing for 26 s");
});

Deno.test("BootWatch shows the last line of the VM that booted last", () => {
  const watch = new BootWatch(NAMES, 0);
  assert.equal(watch.progress(["", ""]), "no console output yet");
  assert.equal(watch.progress(["a\nlab: up 3 s\n", ""]), "host: lab: up 3 s");
  assert.equal(watch.progress(["lab: up 9 s\n", "[ 1.0] x\r\n"]), "guest: [ 1.0] x");
});
