import assert from "node:assert/strict";
import {
  isOwnGroup,
  objectionTo,
  type Ownership,
  privateFolder,
  type Trust,
} from "./private_folder.ts";

const ME = 1000;
const TRUST: Trust = {
  uid: ME,
  isOwnGroup: (gid) => gid === ME,
  isUnmapped: (uid) => uid === 65534,
};

function folder(uid: number, mode: number, gid = 50): Ownership {
  return { uid, gid, mode: 0o040000 | mode, isSymlink: false };
}

for (
  const [what, info, above, last] of [
    ["of this user", folder(ME, 0o755), true, true],
    ["of root", folder(0, 0o755), true, true],
    ["of nobody's who is known here", folder(65534, 0o755), true, true],
    ["of somebody else", folder(1001, 0o700), false, false],
    ["that a group may write to", folder(ME, 0o775), false, false],
    ["that this user's own group may write to", folder(ME, 0o775, ME), true, true],
    ["that all may write to", folder(ME, 0o757, ME), false, false],
    ["like /tmp", folder(0, 0o1777), true, false],
    ["like /tmp, of somebody else", folder(1001, 0o1777), false, false],
  ] as const
) {
  Deno.test(`objectionTo() a folder ${what}: ${above}, ${last}`, () => {
    assert.equal(objectionTo("/f", info, false, TRUST) === undefined, above);
    assert.equal(objectionTo("/f", info, true, TRUST) === undefined, last);
  });
}

Deno.test("objectionTo() root to a user's folder, and to a user's link", () => {
  const root = { ...TRUST, uid: 0 };
  assert.match(objectionTo("/f", folder(ME, 0o700), false, root) ?? "", /belongs to the user 1000/);
  const link = { uid: ME, gid: ME, mode: 0o777, isSymlink: true };
  assert.match(objectionTo("/l", link, false, root) ?? "", /belongs to the user 1000/);
  assert.equal(objectionTo("/l", link, true, TRUST), undefined);
});

Deno.test("isOwnGroup() wants a group of the user's name and nobody else in it", () => {
  const passwd = "root:x:0:0::/root:/bin/sh\nme:x:1000:1000::/home/me:/bin/sh\n";
  const own = (group: string, users = passwd) => isOwnGroup(1000, 1000, users, group);
  assert.ok(own("users:x:100:me\nme:x:1000:\n"));
  assert.ok(own("me:x:1000:me\n"));
  assert.ok(!own("me:x:1000:me,you\n"));
  assert.ok(!own("users:x:1000:\n"));
  assert.ok(!own("me:x:1000:\nus:x:1000:you\n"));
  assert.ok(!own("me:x:1000:\n", `${passwd}you:x:1001:1000::/:/bin/sh\n`));
  assert.ok(!own(""));
});

/** Calls `body` with a folder of its own. */
async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const above = await Deno.makeTempDir({ prefix: "vsock-conformance-test-" });
  try {
    await body(above);
  } finally {
    await Deno.remove(above, { recursive: true });
  }
}

Deno.test("privateFolder() follows symbolic links, and looks at all folders on the way", async () => {
  await inFolder(async (above) => {
    await Deno.mkdir(`${above}/open`);
    await Deno.mkdir(`${above}/closed/in`, { recursive: true });
    await Deno.chmod(`${above}/open`, 0o777);
    await Deno.symlink("../closed/../closed/in", `${above}/open/link`);
    await Deno.symlink(`${above}/closed/in`, `${above}/straight`);
    await Deno.symlink("open/link", `${above}/around`);
    await Deno.symlink("circle", `${above}/circle`);
    await privateFolder(`${above}/straight/a/b`);
    assert.ok((await Deno.stat(`${above}/closed/in/a/b`)).isDirectory);
    for (const way of ["open/x", "open/link/a", "around/a"]) {
      await assert.rejects(privateFolder(`${above}/${way}`), /others may write to .*\/open /);
    }
    await assert.rejects(Deno.stat(`${above}/open/x`), Deno.errors.NotFound);
    await assert.rejects(privateFolder(`${above}/circle/a`), /too many symbolic links/);
  });
});

// Only root can make one.
if (Deno.uid() === 0) {
  Deno.test("privateFolder() refuses root a folder in another user's", async () => {
    await inFolder(async (above) => {
      await Deno.mkdir(`${above}/theirs/cache`, { recursive: true });
      await Deno.chown(`${above}/theirs`, 12345, 12345);
      await assert.rejects(privateFolder(`${above}/theirs/cache`), /belongs to the user 12345/);
      await Deno.chown(`${above}/theirs`, 0, 0);
      await Deno.chown(`${above}/theirs/cache`, 12345, 12345);
      await assert.rejects(privateFolder(`${above}/theirs/cache`), /belongs to the user 12345/);
    });
  });
}
