/**
 * A cache for a test alone.
 *
 * @module
 */

/**
 * Calls `body` with a cache of its own. The variable itself is the whole process's, and with it that
 * of the tests beside this one and of what they start.
 *
 * @param name of its folder, which may be an awkward one.
 */
export async function inCache(
  body: (folder: string) => Promise<void>,
  name = "cache",
): Promise<void> {
  const above = await Deno.makeTempDir({ prefix: "vsock-conformance-test-" });
  const folder = `${above}/${name}`;
  await Deno.mkdir(folder);
  try {
    await withVariables({ VSOCK_CONFORMANCE_CACHE: folder }, () => body(folder));
  } finally {
    await Deno.remove(above, { recursive: true });
  }
}

/** Calls `body`, for which some variables of the environment are others, or none. */
export async function withVariables(
  variables: Readonly<Record<string, string | undefined>>,
  body: () => Promise<void> | void,
): Promise<void> {
  const { get } = Deno.env;
  Deno.env.get = (name) => Object.hasOwn(variables, name) ? variables[name] : get(name);
  try {
    await body();
  } finally {
    Deno.env.get = get;
  }
}
