import assert from "node:assert/strict";
import { kernelLines, KernelLog } from "./kernel_log.ts";

Deno.test("kernelLines() takes the kernel's lines, and no program's", () => {
  const records = [
    "4,1201,47726032,-,caller=T151;WARNING: CPU: 0 PID: 1 at net/core/sock.c:1",
    " SUBSYSTEM=net",
    " DEVICE=+net:eth0",
    // Facility 1 (LOG_USER): what a program writes to /dev/kmsg always has another than 0.
    "12,1202,47726040,-;WARNING: CPU: 0 PID: 1 at a/program.c:1",
    "30,1203,47726041,-;BUG: systemd says so",
    "6,1204,47726042,c;tab\\x09and a backslash \\x5c",
    "1,1205,47726043,-;two\\x0alines",
    "",
  ].join("\n");
  assert.deepEqual(kernelLines(records), [
    "WARNING: CPU: 0 PID: 1 at net/core/sock.c:1",
    "tab\tand a backslash \\",
    "two",
    "lines",
  ]);
});

Deno.test("KernelLog gives what was logged, and what is after it was opened, each record once", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, "6,1,1,-;before\n");
    using log = KernelLog.open(undefined, path);
    assert.deepEqual(log.read(), { lines: ["before"], overrun: false });
    assert.deepEqual(log.read(), { lines: [], overrun: false });
    await Deno.writeTextFile(path, "6,2,2,-;first\n4,3,3,-;second\n", { append: true });
    assert.deepEqual(log.read(), { lines: ["first", "second"], overrun: false });
    assert.deepEqual(log.read(), { lines: [], overrun: false });
    // Where it is a device, each read gives one record.
    using behind = KernelLog.open(1, path);
    assert.deepEqual(behind.read(), { lines: [], overrun: false });
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("KernelLog.open() says why it cannot", () => {
  assert.throws(() => KernelLog.open(undefined, "/nonexistent/kmsg"), {
    name: "SysError",
    code: "ENOENT",
    message: /^open\(\/nonexistent\/kmsg\): ENOENT/,
  });
});
