import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { readReport, reasonsIn } from "../scripts/suite/junit.ts";

const passed = { name: 'outer > passes <& "x"', outcome: "passed" };
const failed = { name: "outer > inner > fails", outcome: "failed" };

describe("readReport", () => {
  it("reads Deno's report, where suites are tests and names are whole", () => {
    const report = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="5" failures="3" errors="0" time="0.019">
    <testsuite name="./tests/a_test.ts" tests="2" disabled="0" errors="0" failures="2">
        <testcase name="outer" classname="./tests/a_test.ts" time="0.005" line="3" col="1">
            <failure message="1 test step failed">1 test step failed.</failure>
        </testcase>
        <testcase name="hooked" classname="./tests/a_test.ts" time="0.002" line="2" col="1">
            <failure message="Uncaught Error: a hook fails">Error: a hook fails</failure>
        </testcase>
        <testcase name="hooked &gt; waits for the hook" classname="./tests/a_test.ts" time="0.002" line="2" col="1">
        </testcase>
    </testsuite>
    <testsuite name="ext:deno_node/testing.ts" tests="4" disabled="1" errors="0" failures="1">
        <testcase name="outer &gt; passes &lt;&amp; &quot;x&quot;" classname="ext" time="0.000" line="1" col="23191">
        </testcase>
        <testcase name="outer &gt; waits" classname="ext" time="0.000" line="1" col="21231">
            <skipped/>
        </testcase>
        <testcase name="outer &gt; inner" classname="ext" time="0.002" line="1" col="21231">
            <failure message="1 test step failed">1 test step failed.</failure>
        </testcase>
        <testcase name="outer &gt; inner &gt; fails" classname="ext" time="0.002" line="1" col="21231">
            <failure message="Uncaught Error: no">Error: no</failure>
        </testcase>
    </testsuite>
</testsuites>`;
    assertEquals(readReport(report), [
      { name: "hooked", outcome: "failed" },
      { name: "hooked > waits for the hook", outcome: "passed" },
      passed,
      { name: "outer > waits", outcome: "skipped" },
      failed,
    ]);
  });

  it("reads Bun's report, where the outermost suite is the file", () => {
    const report = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="3" assertions="0" failures="1" skipped="1" time="0.025516504">
  <testsuite name="tests/a_test.ts" file="tests/a_test.ts" tests="3" assertions="0" failures="1" skipped="1">
    <testsuite name="outer" file="tests/a_test.ts" line="3" tests="3" assertions="0" failures="1" skipped="1">
      <testcase name="passes &lt;&amp; &quot;x&quot;" classname="outer" time="0.001641" file="tests/a_test.ts" />
      <testcase name="waits" classname="outer" time="0" file="tests/a_test.ts" line="5" assertions="0">
        <skipped />
      </testcase>
      <testsuite name="inner" file="tests/a_test.ts" line="8" tests="1" assertions="0" failures="1" skipped="0">
        <testcase name="fails" classname="inner &gt; outer" time="0.001061" file="tests/a_test.ts" line="8">
          <failure type="AssertionError" message="1 !== 2&#10;">AssertionError: 1 !== 2&#10;</failure>
        </testcase>
      </testsuite>
    </testsuite>
    <testcase name="top" classname="" time="0.000027" file="tests/a_test.ts" line="12" assertions="0" />
  </testsuite>
</testsuites>`;
    assertEquals(readReport(report), [
      passed,
      { name: "outer > waits", outcome: "skipped" },
      failed,
      { name: "top", outcome: "passed" },
    ]);
  });

  it("reads Node's report, which has no suite for the file and the reasons of skipped tests", () => {
    const report = `<?xml version="1.0" encoding="utf-8"?>
<testsuites>
	<testsuite name="outer" time="0.002995" disabled="0" errors="0" tests="4" failures="1" skipped="2" hostname="vm">
		<testcase name="passes &lt;&amp; &quot;x&quot;" time="0.000651" classname="outer" file="a_test.ts"/>
		<testcase name="waits" time="0.000107" classname="outer" file="a_test.ts">
			<skipped type="skipped" message="no BLAS &lt;here> &#233;"/>
		</testcase>
		<testcase name="says nothing" time="0.000107" classname="outer" file="a_test.ts">
			<skipped type="skipped" message="true"/>
		</testcase>
		<testsuite name="inner" time="0.000711" disabled="0" errors="0" tests="1" failures="1" skipped="0">
			<testcase name="fails" time="0.000710" classname="inner" file="a_test.ts" failure="1 !== 2">
				<failure type="testCodeFailure" message="1 !== 2">
[Error [ERR_TEST_FAILURE]: &lt;testcase name="none"/>]
				</failure>
			</testcase>
		</testsuite>
	</testsuite>
	<!-- tests 4 -->
</testsuites>`;
    assertEquals(readReport(report), [
      passed,
      { name: "outer > waits", outcome: "skipped", reason: "no BLAS <here> é" },
      { name: "outer > says nothing", outcome: "skipped" },
      failed,
    ]);
  });

  it("finds no test in an empty report", () => {
    assertEquals(
      readReport('<?xml version="1.0"?>\n<testsuites name="deno test" tests="0">\n</testsuites>'),
      [],
    );
  });
});

describe("reasonsIn", () => {
  it("finds each reason once that a file has printed", () => {
    const output =
      "skipping: gcc is not installed\nnot skipping: this\nskipping: gcc is not installed\nskipping: no /proc";
    assertEquals(reasonsIn(output), "gcc is not installed; or no /proc");
    assertEquals(reasonsIn("ran 3 tests"), undefined);
  });
});
