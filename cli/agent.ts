/**
 * The command `agent`: waits for a controller and runs its side of the cases.
 *
 * @module
 */
import { reasonOf } from "../core/reason.ts";
import type { EndFacts } from "../core/event.ts";
import { EXIT } from "../core/outcome.ts";
import { serveController } from "../peer/agent.ts";
import { type ControlAddress, LineChannel, listenControl, showAddress } from "../peer/channel.ts";
import { interruptible } from "./conduct.ts";
import type { KernelWatch } from "./kernel_watch.ts";
import { ownFacts, sideRunner, type SideSettings, Watches } from "./side.ts";

/** How long a refused controller may take to introduce itself, in milliseconds. */
const REFUSAL_TIME = 1000;

/** Options of `agent`. */
export interface AgentOptions extends SideSettings {
  readonly listen: ControlAddress;
  readonly once?: boolean | undefined;
}

/** Serves controllers, one after the other, until it is interrupted (or once). */
export function agent(options: AgentOptions): Promise<number> {
  return interruptible(async (stop) => {
    using watches = await Watches.open(options);
    const facts = ownFacts("agent", options, watches);
    const runSide = watches.around(sideRunner(options));
    using listener = listenControl(options.listen);
    stop.addEventListener("abort", () => listener.close());
    const { hostname, port } = listener.addr as Deno.NetAddr;
    log(`listening on ${showAddress({ host: hostname, port })}`);
    let busy: Promise<void> | undefined;
    for (;;) {
      const connection = await listener.accept();
      if (busy !== undefined) {
        refuse(connection);
        continue;
      }
      tell(watches.log, "before this controller came");
      busy = serve(connection, facts, runSide, stop).finally(() => {
        busy = undefined;
        tell(watches.log, "after the last case");
      });
      if (options.once) {
        await busy;
        return EXIT.ok;
      }
    }
  });
}

async function refuse(connection: Deno.TcpConn): Promise<void> {
  using channel = new LineChannel(connection);
  try {
    await channel.writeLine("REFUSED another controller is using this agent");
    // Closed while its greeting is unread, the connection would be reset, and the line lost.
    await channel.readLine(REFUSAL_TIME);
  } catch {
    // It left or said nothing: there is nobody to be told.
  }
}

async function serve(
  connection: Deno.TcpConn,
  facts: EndFacts,
  runSide: ReturnType<typeof sideRunner>,
  stop: AbortSignal,
): Promise<void> {
  const { hostname, port } = connection.remoteAddr;
  const from = showAddress({ host: hostname, port });
  log(`${from} connected`);
  connection.setNoDelay(true);
  using channel = new LineChannel(connection);
  const onStop = () => channel.close();
  stop.addEventListener("abort", onStop, { once: true });
  try {
    await serveController(channel, facts, runSide);
    log(`${from} left`);
  } catch (error) {
    log(`${from}: ${reasonOf(error)}`);
  } finally {
    stop.removeEventListener("abort", onStop);
  }
}

/** Says here what no case's report will. */
function tell(watch: KernelWatch, when: string): void {
  for (const [first] of watch.look()) log(`${when} the kernel reported: ${first}`);
}

function log(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`agent: ${text}\n`));
}
