import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import type { Browser, Page } from "playwright-core";
import { type Answer, DEADLINE_MS, found, type Hit, MockServer, RIVER } from "./mock_server.ts";
import { skipping } from "../../skip.ts";
import { findChromium, launchChromium, NO_CHROMIUM, openPage } from "./browser.ts";

function numbered(query: string, k: number): Answer {
  const hits = Array.from({ length: Math.min(k, 25) }, (_, i): Hit => (
    { file: `f${i}.txt`, lines: [1, 2], score: 1 / (i + 1), text: `passage ${i}` }
  ));
  return { status: 200, body: { query, took_ms: 41.6, hits } };
}

/** Contrast of two colours after WCAG 2. */
function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

/** Of an `rgb(…)` colour, as `getComputedStyle` writes it. */
function luminance(color: string): number {
  const [r = 0, g = 0, b = 0] = (color.match(/[\d.]+/g) ?? []).map((channel) => {
    const c = Number(channel) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function styleOf(page: Page, selector: string, property: string): Promise<string> {
  return page.evaluate(`getComputedStyle(document.querySelector("${selector}")).${property}`);
}

function focused(page: Page): Promise<string> {
  return page.evaluate("document.activeElement.dataset.at ?? document.activeElement.id");
}

async function assertContrast(page: Page, selector: string, background: string): Promise<void> {
  const ratio = contrast(await styleOf(page, selector, "color"), background);
  assert(ratio >= 4.5, `${selector} has a contrast of ${ratio}`);
}

async function shows(page: Page, selector: string, hasText: string | RegExp): Promise<void> {
  await page.locator(selector, { hasText }).first().waitFor();
}

if (findChromium() === undefined) it("the search page", { skip: skipping(NO_CHROMIUM) });
else describe("the search page in Chromium", inChromium);

function inChromium(): void {
  const server = new MockServer();
  let browser: Browser;

  before(async () => {
    await server.start();
    browser = await launchChromium();
  });

  after(async () => {
    await browser?.close();
    await server.stop();
  });

  /** Opens the page, hands it to `read`, and then sees that nothing ran in it that should not. */
  async function visit(read: (page: Page) => Promise<void>, hash = ""): Promise<void> {
    server.asked.length = 0;
    await using opened = await openPage(browser, server.url + hash);
    await read(opened.page);
    assertEquals(opened.troubles, []);
  }

  /** Puts `q` into the field at once and waits for its answer to be shown. */
  async function search(page: Page, q: string): Promise<void> {
    await page.locator("#q").fill(q);
    await answered(page, q);
  }

  /** The page is `waiting` from before the server hears of `q` until its answer is shown. */
  async function answered(page: Page, q: string): Promise<void> {
    await server.asks(q);
    await page.locator("body:not(.waiting)").waitFor();
  }

  it("shows file, lines, score, text, count and time of what was typed", async () => {
    server.answer = found;
    await visit(async (page) => {
      assertEquals(await focused(page), "q");
      await shows(page, "#empty", "Ask in your own words");
      await page.keyboard.type("river");
      await answered(page, "river");
      assertEquals(await page.locator("h2").allTextContents(), [
        "notes/rivers/oxbow.md:12–19",
        "src/meander.ts:140–171",
        "README:7",
      ]);
      const scores = ["score 0.813", "score 0.406", "score 0.250"];
      assertEquals(await page.locator("li p").allTextContents(), scores);
      const bars =
        "[...document.querySelectorAll('li i')].map((bar) => bar.style.getPropertyValue('--part'))";
      assertEquals(await page.evaluate(bars), ["1", "0.5", String(0.25 / 0.8125)]);
      assertEquals(await page.locator("li div").allTextContents(), RIVER.map((hit) => hit.text));
      assertEquals(await page.locator("header .line p").first().textContent(), "3 passages in 3.1 ms");
      assertEquals(await page.locator("#empty").isVisible(), false);
      assertEquals(server.asked.at(-1)?.k, 10);
    });
  });

  it("asks once for letters that come within 80 ms of each other", async () => {
    server.answer = found;
    await visit(async (page) => {
      await page.clock.install();
      await page.clock.pauseAt(Date.now() + 60_000);
      await page.keyboard.type("riv");
      await page.clock.runFor(79);
      await page.keyboard.type("er ");
      await page.clock.runFor(79);
      assertEquals(server.asked, []);
      await page.clock.runFor(1);
      await answered(page, "river");
      await page.keyboard.type("  ");
      await page.clock.runFor(1000);
      assertEquals(server.asked.map(({ q }) => q), ["river"]);
    });
  });

  it("says that it waits, keeps what it has meanwhile, and drops the answer to a query typed over", async () => {
    const answers = { ri: Promise.withResolvers<Answer>(), riv: Promise.withResolvers<Answer>() };
    server.answer = (q) => q === "ri" || q === "riv" ? answers[q].promise : found(q);
    await visit(async (page) => {
      await search(page, "r");
      await page.keyboard.type("i");
      const { response } = await server.asks("ri");
      const ended = once(response, "close", { signal: AbortSignal.timeout(DEADLINE_MS) });
      await page.keyboard.type("v");
      await server.asks("riv");
      await ended;
      assertEquals(response.writableEnded, false);
      await shows(page, ".waiting #hits[aria-busy=true] > li", "oxbow");
      answers.riv.resolve(numbered("riv", 10));
      await answered(page, "riv");
      await shows(page, "#hits[aria-busy=false] > li", "passage 0");
      answers.ri.resolve(found("ri"));
      assertEquals(await page.locator("li", { hasText: "oxbow" }).count(), 0);
    });
  });

  it("shows HTML in the query, the file, the text and an error as text", async () => {
    const q = "<img src=x onerror=alert(1)>";
    const text = "<script>alert(2)</script><img src=x onerror=alert(3)> & <b>bold</b>";
    const file = "<img src=x onerror=alert(4)>.md";
    server.answer = (query) => {
      if (query === `${q}!`) return { status: 400, body: { error: text } };
      const hits = query === q ? [{ file, lines: [1, 1], score: 1, text }] : [];
      return { status: 200, body: { query, took_ms: 1, hits } };
    };
    await visit(async (page) => {
      await answered(page, q);
      assertEquals(await page.locator("#q").inputValue(), q);
      assertEquals(await page.locator("h2").textContent(), `${file}:1`);
      assertEquals(await page.locator("li div").textContent(), text);
      const injected = "document.querySelectorAll('img, main script, li div :not(mark)').length";
      assertEquals(await page.evaluate(injected), 0);
      await search(page, `${q}?`);
      await shows(page, "#none strong", `Nothing for “${q}?”.`);
      assertEquals(await page.evaluate(injected), 0);
      await search(page, `${q}!`);
      assertEquals(await page.locator("#failed strong").textContent(), text);
      assertEquals(await page.evaluate(injected), 0);
    }, `#${new URLSearchParams({ q })}`);
  });

  it("shows any text as it is, marks or none", async () => {
    const piece = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.constantFrom("<img src=x onerror=alert(1)>", "</div>", "<b", "&lt;", "\n", " img", "湖"),
    );
    const texts = fc.array(fc.array(piece).map((pieces) => pieces.join("")), { minLength: 1, maxLength: 10 });
    await visit(async (page) => {
      let run = 0;
      await fc.assert(
        fc.asyncProperty(texts, async (texts) => {
          const hits = texts.map((text, i): Hit => ({ file: `${text}.ts`, lines: [i, i], score: -i, text }));
          server.answer = (query) => ({ status: 200, body: { query, took_ms: 0, hits } });
          await search(page, `img b 湖 ${++run}`);
          assertEquals(await page.locator("li div").allTextContents(), texts);
          const paths = texts.map((text, i) => `${text}.ts:${i}`);
          assertEquals(await page.locator("h2").allTextContents(), paths);
        }),
        { numRuns: 5 },
      );
    });
  });

  it("marks the words of the query, whole or begun, in any case and in scripts without spaces", async () => {
    const text = "Oxbows, an OXBOW-lake; a flake. Lakes. Ca: cat, oca. 三日月湖です。 $1.*";
    const hits: Hit[] = [{ file: "a.txt", lines: [1, 2], score: 1, text }];
    server.answer = (query) => ({ status: 200, body: { query, took_ms: 1, hits } });
    await visit(async (page) => {
      await search(page, "oxbow lak CA 湖 .*");
      const marks = ["Oxbows", "OXBOW", "lake", "Lakes", "Ca", "湖"];
      assertEquals(await page.locator("mark").allTextContents(), marks);
      assertEquals(await page.locator("li div").textContent(), text);
      await search(page, ".*");
      assertEquals(await page.locator("mark").count(), 0);
    });
  });

  it("shows of a long passage the lines that match, and all of it when asked", async () => {
    const inside = `(() => {
      const box = document.querySelector(".long div").getBoundingClientRect();
      const mark = document.querySelector(".long mark").getBoundingClientRect();
      return mark.top >= box.top && mark.bottom <= box.bottom;
    })()`;
    const hidden = `(() => {
      const { scrollHeight, clientHeight } = document.querySelector(".long div");
      return scrollHeight - clientHeight;
    })()`;
    server.answer = found;
    await visit(async (page) => {
      await search(page, "river");
      assertEquals(await page.locator("li.long").count(), 1);
      assertEquals(await page.locator(".fold:visible").count(), 1);
      assertEquals(await page.evaluate(inside), true);
      assert(await page.evaluate<number>(hidden) > 0);
      await page.locator(".long .fold").click();
      assertEquals(await page.evaluate(hidden), 0);
      await shows(page, ".fold[aria-expanded=true]", "Show less");
      await page.locator(".long .fold").click();
      await shows(page, ".long .fold[aria-expanded=false]", "Show all");
      assertEquals(await page.evaluate(inside), true);
      await page.locator(".long div").click();
      assertEquals(await page.evaluate(hidden), 0);
    });
  });

  it("is driven by the keyboard alone", async () => {
    const behind = "getComputedStyle(document.querySelector('li'), '::before').backgroundColor";
    server.answer = found;
    await visit(async (page) => {
      await page.keyboard.type("j / k c");
      await answered(page, "j / k c");
      const unfocused = await page.evaluate(behind);
      await page.keyboard.press("ArrowDown");
      assertEquals(await focused(page), "notes/rivers/oxbow.md:12");
      assertNotEquals(await page.evaluate(behind), unfocused);
      await page.keyboard.press("Enter");
      await shows(page, "#said", "Copied notes/rivers/oxbow.md:12");
      assertEquals(await page.evaluate("navigator.clipboard.readText()"), "notes/rivers/oxbow.md:12");
      await page.keyboard.press("j");
      assertEquals(await focused(page), "src/meander.ts:140");
      await page.keyboard.press("Enter");
      await shows(page, "li.open", "step(0)");
      await page.keyboard.press("Enter");
      await shows(page, "li.long:not(.open)", "step(0)");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("j");
      assertEquals(await focused(page), "README:7");
      await page.keyboard.press("c");
      await shows(page, "#said", "Copied README:7");
      await page.keyboard.press("k");
      await page.keyboard.press("ArrowUp");
      assertEquals(await focused(page), "notes/rivers/oxbow.md:12");
      await page.keyboard.press("k");
      assertEquals(await focused(page), "q");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("/");
      assertEquals(await focused(page), "q");
      await page.keyboard.type("oxen");
      await answered(page, "oxen");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Escape");
      assertEquals(await focused(page), "q");
      assertEquals(await page.locator("#q").inputValue(), "");
      await shows(page, "#empty", "Ask in your own words");
      assertEquals(await page.locator("li").count(), 0);
    });
  });

  it("says that the server is gone, and recovers at the next keystroke", async () => {
    server.answer = found;
    await visit(async (page) => {
      await search(page, "r");
      await server.stop();
      await page.keyboard.type("i");
      await shows(page, "#failed[role=alert]", "The server does not answer.");
      assertEquals(await page.locator("li").count(), 0);
      await server.start();
      await page.keyboard.type(" ");
      await shows(page, "#count", "3 passages");
      assertEquals(await page.locator("#failed").isVisible(), false);
    });
  });

  it("shows what the server says is wrong, and that an answer cannot be read", async () => {
    await visit(async (page) => {
      for (const status of [400, 413, 414, 503]) {
        server.answer = () => ({ status, body: { error: `wrong in the way of ${status}` } });
        await page.keyboard.type("x");
        await shows(page, "#failed strong", `wrong in the way of ${status}`);
        await shows(page, "#failed", `Status ${status}.`);
      }
      for (const body of [null, {}, "<html>"]) {
        server.answer = () => ({ status: 200, body });
        await page.keyboard.type("y");
        await shows(page, "#failed", "no answer that this page can read");
        server.answer = found;
        await page.keyboard.press("Enter");
        await shows(page, "#count", "3 passages");
      }
    });
  });

  it("keeps the query in the address, so that links, back and forward work", async () => {
    server.answer = found;
    await visit(async (page) => {
      const link = await server.asks("oxen & yokes");
      assertEquals(link.k, 20);
      assertEquals(await page.locator("#q").inputValue(), "oxen & yokes");
      assertStringIncludes(await page.title(), "oxen & yokes");
      await page.keyboard.press("Enter");
      await search(page, "river");
      await page.waitForURL(/#q=river$/);
      await page.keyboard.press("Escape");
      assertEquals(await page.evaluate("location.hash"), "");
      const steps = [["back", "river"], ["back", "oxen & yokes"], ["forward", "river"]] as const;
      for (const [step, q] of steps) {
        server.asked.length = 0;
        await page.evaluate(`history.${step}()`);
        await answered(page, q);
        assertEquals(await page.locator("#q").inputValue(), q);
        assertEquals(await page.locator("li").count(), RIVER.length);
      }
      await page.evaluate("history.forward()");
      await shows(page, "#empty", "Ask in your own words");
      assertEquals(await page.locator("#q").inputValue(), "");
    }, "#q=oxen+%26+yokes&k=20");
  });

  it("shows more when asked, until there is no more", async () => {
    server.answer = numbered;
    await visit(async (page) => {
      await search(page, "passage");
      assertEquals(await page.locator("li").count(), 10);
      for (let i = 0; i < 11; i++) await page.keyboard.press("ArrowDown");
      assertEquals(await focused(page), "more");
      await page.keyboard.press("Enter");
      await shows(page, "#count", "20 passages");
      assertEquals(await focused(page), "f10.txt:1");
      assertEquals(await page.evaluate("location.hash"), "#q=passage&k=20");
      await page.locator("#more").click();
      await shows(page, "#count", "25 passages");
      await shows(page, "#took", "in 42 ms");
      assertEquals(await page.locator("#more").isVisible(), false);
      assertEquals(server.asked.map(({ k }) => k), [10, 20, 30]);
    });
  });

  it("fits screens of 320 and of 390 pixels, whatever the words", async () => {
    const overflow = "document.documentElement.scrollWidth - innerWidth";
    const word = "oxbow".repeat(60);
    const hits = ["md", "ts"].map((type): Hit => (
      {
        file: `${word}/${word}.${type}`,
        lines: [123456, 123499],
        score: 12345.678,
        text: `${word}\n`.repeat(9),
      }
    ));
    server.answer = (query) =>
      query.startsWith(word)
        ? { status: 200, body: { query, took_ms: 12345, hits } }
        : { status: 400, body: { error: word } };
    await visit(async (page) => {
      for (const width of [320, 390]) {
        await page.setViewportSize({ width, height: 640 });
        await search(page, `${word} ${width}`);
        assertEquals(await page.locator("li").count(), 2);
        assertEquals(await page.evaluate(overflow), 0);
        await page.locator("li div").last().click();
        await shows(page, "li.open", word);
        assertEquals(await page.evaluate(overflow), 0);
        await search(page, `x ${width}`);
        await shows(page, "#failed", word);
        assertEquals(await page.evaluate(overflow), 0);
      }
    });
  });

  it("is light or dark as the reader's system is, with a contrast of 4.5 or more", async () => {
    server.answer = (query) =>
      query.startsWith("river") ? found(query) : { status: 503, body: { error: "busy" } };
    await visit(async (page) => {
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        const paper = await styleOf(page, "body", "backgroundColor");
        assertEquals(luminance(paper) > 0.5, colorScheme === "light");
        await search(page, `river ${colorScheme}`);
        for (const selector of ["#q", "#count", "kbd", "h2 b", "h2 span", "li p", "li div", ".fold"]) {
          await assertContrast(page, selector, paper);
        }
        await assertContrast(page, "mark", await styleOf(page, "mark", "backgroundColor"));
        await search(page, `lake ${colorScheme}`);
        await assertContrast(page, "#failed strong", paper);
        await assertContrast(page, "#failed span", paper);
      }
    });
  });
}
