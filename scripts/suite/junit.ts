/**
 * Reads the JUnit report of one test file as Deno, Bun and Node write it.
 *
 * @module
 */

/** One test of the report, named by its suites and itself: `suite > test`. */
export interface TestCase {
  name: string;
  outcome: "passed" | "failed" | "skipped";
  /** Why it was skipped, where the host's report says so: Node's alone does. */
  reason?: string;
}

const TAG = /<(\/?)(testsuites|testsuite|testcase|failure|error|skipped)((?:\s+[\w:]+="[^"]*")*)\s*(\/?)>/g;

const ENTITIES = new Map([["lt", "<"], ["gt", ">"], ["quot", '"'], ["apos", "'"], ["amp", "&"]]);

function unescape(text: string): string {
  return text.replace(
    /&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi,
    (whole, decimal, hex, word) =>
      decimal || hex
        ? String.fromCodePoint(parseInt(decimal ?? hex, hex ? 16 : 10))
        : ENTITIES.get(word) ?? whole,
  );
}

function attribute(attributes: string, name: string): string | undefined {
  const match = new RegExp(`\\s${name}="([^"]*)"`).exec(attributes);
  return match === null ? undefined : unescape(match[1]);
}

/** The tests of a report, in its order. */
export function readReport(xml: string): TestCase[] {
  const cases: TestCase[] = [];
  const suites: string[] = [];
  // Deno and Bun name the root, and put a suite named after the file around its tests; Node does neither.
  let outermost = 0;
  for (const [, closes, tag, attributes, isEmpty] of xml.matchAll(TAG)) {
    if (tag === "testsuites") {
      if (attribute(attributes, "name") !== undefined) outermost = 1;
    } else if (tag === "testsuite") {
      if (closes) suites.pop();
      else if (!isEmpty) suites.push(attribute(attributes, "name") ?? "");
    } else if (closes) {
      continue;
    } else if (tag === "testcase") {
      const name = [...suites.slice(outermost), attribute(attributes, "name")].join(" > ");
      cases.push({ name, outcome: "passed" });
    } else {
      const current = cases[cases.length - 1];
      current.outcome = tag === "skipped" ? "skipped" : "failed";
      const reason = attribute(attributes, "message");
      if (tag === "skipped" && reason !== undefined && reason !== "true") current.reason = reason;
    }
  }
  return withoutSuites(cases);
}

/** Deno reports a `describe` as one more test: it counts only where it failed and none of its tests did. */
function withoutSuites(cases: TestCase[]): TestCase[] {
  return cases.filter((suite) => {
    const children = cases.filter(({ name }) => name.startsWith(`${suite.name} > `));
    if (children.length === 0) return true;
    return suite.outcome === "failed" && children.every(({ outcome }) => outcome !== "failed");
  });
}

/** What a file has printed that it skips for (tests/skip.ts), joined where it is more than one thing. */
export function reasonsIn(output: string): string | undefined {
  const reasons = new Set([...output.matchAll(/^skipping: (.+)$/gm)].map(([, reason]) => reason));
  return reasons.size === 0 ? undefined : [...reasons].join("; or ");
}
