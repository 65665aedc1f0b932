import assert from "node:assert/strict";
import { caseNames, programSources } from "./makefile.ts";

const MAKEFILE = `all: test perf
test: one two
one: one.o more.o \\
     util.o
two: LDLIBS = -luring -lpthread
two: util.o two.o
CFLAGS += -I. -g
.PHONY: all
`;

Deno.test("programSources() finds the files and the libraries of a program", () => {
  assert.deepEqual(programSources(MAKEFILE, "one"), {
    files: ["one", "more", "util"],
    libraries: [],
  });
  assert.deepEqual(programSources(MAKEFILE, "two"), {
    files: ["util", "two"],
    libraries: ["-luring", "-lpthread"],
  });
  for (const name of ["perf", "test", "all"]) {
    assert.equal(programSources(MAKEFILE, name), undefined);
  }
});

Deno.test("caseNames() finds the names of a list, also those in two pieces", () => {
  const source = `static const struct option longopts[] = {
    { .name = "help" },
  };
  static struct test_case test_cases[] = {
    { .name = "one", .run_client = f },
    { .name="with a \\"quote\\"" },
    { .name = "in two "
              "pieces" },
    { .named = "no" }, { "neither" },
  };`;
  assert.deepEqual(caseNames(source), ["one", 'with a \\"quote\\"', "in two pieces"]);
});
