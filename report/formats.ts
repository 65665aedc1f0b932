/**
 * The names of the forms in which a report can be written.
 *
 * @module
 */

/** What each form is, for people. */
export const REPORT_FORMATS = {
  json: "the report itself, from which the others can be made later",
  ktap: "KTAP, one subtest for every direction: for kunit.py",
  "ktap-flat": "KTAP on one level, as kselftest's programs: for NIPA, LAVA, openQA",
  junit: "JUnit XML, one test suite for every direction",
  html: "one page without anything outside it",
  github: "annotations for GitHub Actions",
  markdown: "a summary, as for $GITHUB_STEP_SUMMARY",
  text: "what is shown while cases run",
} as const;

/** The name of a form. */
export type ReportFormat = keyof typeof REPORT_FORMATS;
