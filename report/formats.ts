/**
 * The formats in which a report can be written.
 *
 * @module
 */

/** A description of each format, for people. */
export const REPORT_FORMATS = {
  json: "the report itself, from which the other formats can be made later",
  ktap: "KTAP with a subtest for each direction, for kunit.py",
  "ktap-flat": "KTAP on one level, as in kselftest, for NIPA, LAVA, openQA",
  junit: "JUnit XML with a test suite for each direction",
  html: "one HTML page that needs no other files",
  github: "annotations for GitHub Actions",
  markdown: "a summary, as for $GITHUB_STEP_SUMMARY",
  text: "the text that is shown while cases run",
} as const;

/** The name of a format. */
export type ReportFormat = keyof typeof REPORT_FORMATS;
