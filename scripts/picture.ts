/**
 * Takes the README's pictures of the search page, light and dark, from the running program in headless
 * Chromium: the repository itself, indexed and served.
 *
 *     deno task picture
 */
import { indexFolder, SearchIndex } from "../examples/search/mod.ts";
import { serveIndex } from "../examples/search/server/serve.ts";
import { run } from "../lib/task/mod.ts";
import { launchChromium, openPage } from "../tests/search/server/browser.ts";

const QUERY = "waker reactor edge triggered";
const SIZE = { width: 1000, height: 640 };

Deno.chdir(new URL("..", import.meta.url));
Deno.mkdirSync("docs", { recursive: true });
const out = Deno.makeTempDirSync({ prefix: "oxbow-picture-" });
try {
  await indexFolder(".", { out });
  using index = SearchIndex.open(out);
  const browser = await launchChromium();
  try {
    await run(async () => {
      await using server = await serveIndex(index, { port: 0 });
      for (const colorScheme of ["light", "dark"] as const) {
        await using opened = await openPage(browser, `http://127.0.0.1:${server.address.port}/`);
        const { page } = opened;
        await page.setViewportSize(SIZE);
        await page.emulateMedia({ colorScheme });
        await page.getByRole("searchbox").fill(QUERY);
        await page.locator("mark").first().waitFor();
        await page.screenshot({ path: `docs/search-${colorScheme}.png` });
      }
    });
  } finally {
    await browser.close();
  }
} finally {
  Deno.removeSync(out, { recursive: true });
}
