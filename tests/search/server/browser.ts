/**
 * A headless Chromium for the tests that look at a page as its reader does.
 *
 * `playwright-core` brings no browser of its own: it drives the one that `$OXBOW_CHROMIUM` names, or else
 * the first of the usual names on the PATH. A test that finds neither is skipped with `NO_CHROMIUM`.
 *
 * @module
 */
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { env } from "node:process";
import { type Browser, chromium, type Page } from "playwright-core";

/** The one without a window to draw has a page up in half the time. */
const NAMES = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"];

const SWITCHES = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Why a test of a page did not run. */
export const NO_CHROMIUM =
  "no Chromium found; install the package chromium-headless-shell or chromium, or set OXBOW_CHROMIUM";

/** The path of a Chromium; `$OXBOW_CHROMIUM` is taken at its word. */
export function findChromium(): string | undefined {
  if (env.OXBOW_CHROMIUM) return env.OXBOW_CHROMIUM;
  const folders = (env.PATH ?? "").split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

/** Starts the Chromium that was found; whoever starts it closes it. */
export function launchChromium(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error(NO_CHROMIUM);
  return chromium.launch({ executablePath, args: SWITCHES, timeout: 30_000 });
}

/** One page in a context of its own, so that no test sees what another left. */
export interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  /** Dialogs, uncaught errors and breaches of the content security policy since the page was opened. */
  readonly troubles: readonly string[];
}

/** Opens `url`; every wait on the page ends with an error after ten seconds. */
export async function openPage(browser: Browser, url: string): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: "light" });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const troubles: string[] = [];
  page.on("dialog", async (dialog) => {
    troubles.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on("pageerror", (error) => troubles.push(`uncaught: ${error.message}`));
  page.on("console", (message) => {
    // Chromium logs each failed request as an error, which a page that handles it cannot prevent.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
      troubles.push(`console: ${message.text()}`);
    }
  });
  await page.goto(url);
  return { page, troubles, [Symbol.asyncDispose]: () => context.close() };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
