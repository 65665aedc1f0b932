/**
 * Two programs of which one waits for the other, each started by a script in a shell.
 *
 * @module
 */
import { until } from "../core/wait.ts";
import type { ArchTraits } from "./arch.ts";
import type { ScriptResult } from "./vm/shell.ts";
import { killQuietly } from "./vm/vm.ts";

/** Runs a script in a shell to its end; what it started in the background keeps running. */
export type ScriptRunner = (script: string) => Promise<ScriptResult>;

/** Something for each of the two. */
export interface Pair<T> {
  readonly server: T;
  readonly client: T;
}

/** How the two are run. */
export interface PairSettings {
  /** Where the server's output is kept; both have it as their working directory. */
  readonly folder: string;
  /** A shell's test that holds when the server listens; in that folder, which has server.log. */
  readonly isListening: string;
}

/**
 * For {@linkcode PairSettings.isListening}: the programs of `perf` say so, and vsock_perf does when
 * it is in accept(2).
 */
export function isListening({ acceptCall }: Pick<ArchTraits, "acceptCall">): string {
  return `grep -q 'Listen port' server.log || grep -q '^${acceptCall} ' ` +
    "/proc/$(cat server.pid)/syscall";
}

/** How long a server may outlive its client, in seconds. */
const SERVER_GRACE = 30;

/** Starts the server, runs the client when it listens, and waits for the server's end. */
export async function runPair(
  shells: Pair<ScriptRunner>,
  commands: Pair<string>,
  { folder, isListening }: PairSettings,
): Promise<Pair<ScriptResult>> {
  await shells.server(`cd ${folder}\n${serverScript(commands.server, isListening)}`);
  const client = await shells.client(`cd ${folder}\n${commands.client}`);
  const server = await shells.server(`cd ${folder}\n${END_OF_SERVER}`);
  return { server, client };
}

/** Starts a server that outlives the script, which ends when the server listens or has ended. */
function serverScript(command: string, isListening: string): string {
  return `rm -f server.log server.status server.pid
(
  ${command} >server.log 2>&1 &
  echo $! >server.pid
  wait $!
  echo $? >server.status.new
  mv server.status.new server.status
) >/dev/null 2>&1 &
until { ${isListening}; } 2>/dev/null || [ -e server.status ]; do sleep 0.1; done`;
}

/**
 * Waits for that server's end, and gives what it wrote and its exit code. Its client has ended, so
 * it must end soon, too; a C server whose client never reached it would wait for ever.
 */
const END_OF_SERVER =
  `(sleep ${SERVER_GRACE}; [ -e server.status ] || kill -9 $(cat server.pid)) >/dev/null 2>&1 &
until [ -e server.status ]; do sleep 0.1; done
kill $! 2>/dev/null
cat server.log
exit $(cat server.status)`;

/** How long the script that started a server may take to say that it has ended, in milliseconds. */
const STATUS_TIME = 5000;

/**
 * Ends a server on this machine whose client was interrupted, and that would wait for ever. The
 * script that started it then writes to the folder once more.
 */
export async function endServerIn(folder: string): Promise<void> {
  const text = (name: string) => Deno.readTextFile(`${folder}/${name}`).catch(() => undefined);
  const pid = Number(await text("server.pid"));
  const hasEnded = async () => await text("server.status") !== undefined;
  if (await hasEnded() || !(pid > 0)) return;
  killQuietly(pid, "SIGKILL");
  await until(hasEnded, { timeout: STATUS_TIME, pause: 10 });
}
