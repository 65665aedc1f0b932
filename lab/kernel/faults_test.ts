import assert from "node:assert/strict";
import { LabError, LabUsageError } from "../error.ts";
import { parameterText, parseFault, readFaults, requireFault, withFaults } from "./faults.ts";

const SOURCE = `#include <x.h>

/* Adds. */
static int sum(int a,
	       int (*more)(int b))
{
	if (a)
		return 1;
	return more(a);
}
EXPORT_SYMBOL_GPL(sum);

void nothing(void)
{
	sum(1, 0);
}
`;

function patch(function_: string, lines: string): string {
  return `What is wrong,\nin words.\n\n--- a/f.c\n+++ b/f.c\n@@ -1,3 +1,3 @@ ${function_}\n${lines}`;
}

const WRONG_SUM = patch("sum", " \tif (a)\n-\t\treturn 1;\n+\t\treturn 2;\n");
const WRONG_CALL = patch("nothing", "-\tsum(1, 0);\n+\tsum(2, 0);\n");

Deno.test("parseFault() reads what is wrong, and where", () => {
  assert.deepEqual(parseFault({ name: "adds-wrongly.patch", text: WRONG_SUM }), {
    name: "adds-wrongly",
    what: "What is wrong, in words.",
    file: "f.c",
    function: "sum",
    right: "\tif (a)\n\t\treturn 1;\n",
    wrong: "\tif (a)\n\t\treturn 2;\n",
  });
});

Deno.test("parseFault() refuses what is not one change of one function, by the file's name", () => {
  for (
    const [text, why] of [
      [WRONG_SUM + WRONG_SUM, /give a patch of one file|give one hunk/],
      [WRONG_SUM + "@@ -9 +9 @@ sum\n-a\n+b\n", /give one hunk/],
      [patch("", "-a\n+b\n"), /name the function/],
      [WRONG_SUM.replace(/^[^]*?(?=---)/, ""), /say in a paragraph/],
      ["no patch", /give a patch of one file/],
    ] as const
  ) {
    assert.throws(() => parseFault({ name: "x.patch", text }), (error: unknown) => {
      assert.ok(error instanceof LabError);
      assert.match(error.message, why);
      assert.match(error.message, /^fixtures\/kernel\/faults\/x\.patch: /);
      return true;
    });
  }
});

Deno.test("withFaults() keeps each function in its right and its faulty forms, and switches", () => {
  const faults = [WRONG_SUM, WRONG_CALL].map((text, i) => parseFault({ name: `f${i}`, text }));
  const text = withFaults(SOURCE, faults.map((fault, i) => [i + 1, fault] as const));
  assert.match(
    text,
    /^extern int vsock_fault;\n#include <x\.h>\n\n\/\* Adds\. \*\/\nstatic int sum\(int a,\n/,
  );
  assert.match(text, /\nstatic int sum__right\(int a,\n[^}]*return 1;\n/);
  assert.match(text, /\nstatic int sum__1\(int a,\n[^}]*return 2;\n/);
  assert.match(
    text,
    /\tcase 1:\n\t\treturn sum__1\(a, more\);\n\tdefault:\n\t\treturn sum__right\(a, more\);\n/,
  );
  assert.match(text, /\nvoid nothing\(void\);\nstatic void nothing__right\(void\)\n/);
  assert.match(text, /\tcase 2:\n\t\treturn nothing__2\(\);\n/);
  assert.match(text, /\n}\nEXPORT_SYMBOL_GPL\(sum\);\n/);
});

Deno.test("withFaults() refuses a fault that does not fit the source", () => {
  for (
    const [text, why] of [
      [patch("sum", "-\t\treturn 3;\n+\t\treturn 2;\n"), /does not have its lines/],
      [patch("sum", " {\n+\tint x;\n"), /has its lines more than once/],
      [patch("nothing", "-\t\treturn 1;\n+\t\treturn 2;\n"), /is in sum\(\), not nothing\(\)/],
      [patch("x", "-#include <x.h>\n+#include <y.h>\n"), /is in no function/],
    ] as const
  ) {
    const fault = parseFault({ name: "x.patch", text });
    assert.throws(() => withFaults(SOURCE, [[1, fault]]), (error: unknown) => {
      assert.ok(error instanceof LabError);
      assert.match(error.message, why);
      assert.match(error.message, /^Cannot plant the fault "x" of f\.c: /);
      return true;
    });
  }
});

Deno.test("the faults of the repository are well formed, and cover every file of AF_VSOCK", async () => {
  const faults = await readFaults();
  assert.ok(faults.length >= 40, `${faults.length}`);
  assert.equal(new Set(faults.map(({ wrong, file }) => file + wrong)).size, faults.length);
  assert.ok(faults.every(({ name }) => /^[a-z0-9-]+$/.test(name)));
  assert.deepEqual([...new Set(faults.map(({ file }) => file))].sort(), [
    "drivers/vhost/vsock.c",
    "net/vmw_vsock/af_vsock.c",
    "net/vmw_vsock/diag.c",
    "net/vmw_vsock/virtio_transport.c",
    "net/vmw_vsock/virtio_transport_common.c",
    "net/vmw_vsock/vsock_addr.c",
    "net/vmw_vsock/vsock_loopback.c",
  ]);
  assert.match(parameterText(["a", "b"]), /\t"none",\n\t"a",\n\t"b",\n\};/);
});

Deno.test("requireFault() names the faults that there are", async () => {
  await requireFault({ kernel: "faults" });
  await requireFault({ kernel: "faults:reader-woken-late" });
  await requireFault({ kernel: "debug:x" });
  await assert.rejects(requireFault({ kernel: "faults:nonsense" }), (error: unknown) => {
    assert.ok(error instanceof LabUsageError);
    assert.match(
      error.message,
      /^There is no fault "nonsense"; there are: absent-guest-as-unreachable, /,
    );
    return true;
  });
});
