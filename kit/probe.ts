/**
 * Probes: how it is found out whether a machine lacks a feature.
 *
 * @module
 */
import type { CallContext } from "../sys/descriptor.ts";
import type { Surroundings } from "./environment.ts";

/** Where features are looked for. */
export interface FeatureOptions extends Surroundings {
  /** Ends a probe that blocks. */
  readonly context?: CallContext;
}

/** Says why there is no such feature; undefined where there is, or where something else is wrong. */
export type Probe = (options: FeatureOptions) => string | undefined | Promise<string | undefined>;
