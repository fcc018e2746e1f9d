import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import denoConfig from "../deno.json" with { type: "json" };
import manifest from "../package.json" with { type: "json" };

const root = new URL("../", import.meta.url);
const folders = [".ci", "benches", "docs", "examples", "ffi", "lib", "scripts", "tests"];

function read(path: string): string {
  return readFileSync(new URL(path, root), "utf8");
}

/** Every file that we wrote, relative to the root. */
function ourFiles(): string[] {
  const below = folders.filter((folder) => existsSync(new URL(folder, root))).flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: "utf8" }).map((name) =>
      `${folder}/${name}`
    )
  );
  return [...readdirSync(root), ...below].filter((path) => statSync(new URL(path, root)).isFile());
}

describe("the package", () => {
  for (const entry of Object.keys(denoConfig.exports)) {
    it(`can be imported as @oxbow/oxbow${entry.slice(1)}`, async () => {
      const module: Record<string, unknown> = await import(`@oxbow/oxbow${entry.slice(1)}`);
      assert(Object.keys(module).length > 0, "it exports nothing");
    });
  }

  it("is the same for Deno, Bun and Node", () => {
    const { name, version, license, exports } = denoConfig;
    assertEquals({ name, version, license, exports }, {
      name: manifest.name,
      version: manifest.version,
      license: manifest.license,
      exports: manifest.exports,
    });
  });

  it("imports the same packages through deno.json and package.json", () => {
    const installed = new Map(Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }));
    for (const [name, specifier] of Object.entries(denoConfig.imports)) {
      const [bare, slash] = name.endsWith("/") ? [name.slice(0, -1), "/"] : [name, ""];
      const range = installed.get(bare);
      assert(range !== undefined, `package.json lacks ${bare}`);
      if (!specifier.startsWith("npm:")) continue;
      // An alias names its package: `npm:ws@8.23.0`.
      const [, packageName = bare, version = range] = range.match(/^npm:(.+)@(.+)$/) ?? [];
      const major = version.replace("^", "").split(".")[0];
      assertEquals(specifier, `npm:${slash}${packageName}@^${major}${slash}`);
    }
  });
});

describe("the repository", () => {
  it("names one version of Deno in every command", () => {
    const versions = ["README.md", "CONTRIBUTING.md", "package.json", ".ci/run"].flatMap((path) => {
      const found = read(path).match(/(?<=\bdeno@)[\w.]+/g) ?? [];
      assert(found.length > 0, `${path} names no version of Deno`);
      return found;
    });
    assertEquals(versions, versions.map(() => versions[0]));
  });

  it("locks packages by checksum, with no address to download from", () => {
    const lock = read("package-lock.json");
    assert(lock.includes('"integrity"'));
    assert(
      !lock.includes('"resolved": "http'),
      "run npm install --package-lock-only with this folder's .npmrc",
    );
  });

  it("holds no path of the machine that it was written on", () => {
    const paths = new RegExp(`(?<![\\w.~-])/(?:${["root", "work", "home/[a-z]+"].join("|")})/`);
    assertEquals(ourFiles().filter((path) => paths.test(read(path))), []);
  });

  it("names its files in snake_case", () => {
    const sources = ourFiles().filter((path) => path.endsWith(".ts"));
    assertEquals(sources.filter((path) => !/^(?:[a-z0-9_]+\/)*[a-z0-9_]+\.ts$/.test(path)), []);
  });
});
