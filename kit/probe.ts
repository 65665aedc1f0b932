/**
 * Probes, which find out whether a machine has a feature.
 *
 * @module
 */
import type { CallContext } from "../sys/descriptor.ts";
import type { Surroundings } from "./environment.ts";

/** The environment of a probe. */
export interface FeatureOptions extends Surroundings {
  /** Ends a blocking probe if aborted. */
  readonly context?: CallContext;
}

/** Returns why the feature is missing; undefined if it is not, or if something else is wrong. */
export type Probe = (options: FeatureOptions) => string | undefined | Promise<string | undefined>;
