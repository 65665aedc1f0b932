/**
 * An agent in this process whose side of one case never ends by itself, so that the other side's
 * process is blocked in it for as long as a test likes.
 *
 * @module
 */
import { serveController, type SideRunner } from "../../agent/session.ts";
import { LineChannel, listenControl, showAddress } from "../../control/channel.ts";
import { findCase } from "../../suites/catalogue.ts";
import { executeSide } from "../../agent/execute.ts";
import { unixStandIn } from "../../sys/structs.ts";
import { FACTS } from "./hostile.ts";

/** Serves one controller over TCP, with cases over a stand-in. */
export class HoldingAgent implements AsyncDisposable {
  /** Where it listens. */
  readonly address: string;
  readonly #listener: Deno.TcpListener;
  readonly #served: Promise<void>;

  /**
   * @param standIn the name of the stand-in.
   * @param held the id of the case that it begins and does not play.
   */
  constructor(standIn: string, held: string) {
    this.#listener = listenControl({ host: "127.0.0.1", port: 0 });
    const { hostname: host, port } = this.#listener.addr as Deno.NetAddr;
    this.address = showAddress({ host, port });
    this.#served = this.#serve(runnerOf(standIn, held));
    // Whoever disposes of it sees how it failed.
    this.#served.catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#served.catch((error) => {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    });
  }

  async #serve(runSide: SideRunner): Promise<void> {
    const connection = await this.#listener.accept();
    await serveController(new LineChannel(connection), { facts: FACTS, runSide });
  }
}

function runnerOf(standIn: string, held: string): SideRunner {
  return async (order) => {
    if (order.id !== held) {
      const definition = findCase(order.id);
      if (definition === undefined) throw new Error(`there is no case ${order.id}`);
      const family = unixStandIn(standIn);
      return await executeSide(definition, order.role, { ...order, family, peerCid: 1 });
    }
    const { stop } = order;
    if (!stop.aborted) {
      await new Promise((resolve) => stop.addEventListener("abort", resolve, { once: true }));
    }
    const reasons = [`stopped: ${stop.reason.message}`];
    return { state: "stopped", reasons, step: "", milliseconds: 0 };
  };
}
