import { describe, it } from "node:test";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SystemError } from "../../../ffi/mod.ts";
import { serveFiles } from "../../../lib/net/http.ts";
import { DocumentRoot, findByLink, findByResolve } from "../../../lib/net/http/files/document_root.ts";
import { exchange, statusOf } from "./client.ts";
import { LETTERS, statusAt, textOf, withSite } from "./site.ts";

describe("serveFiles()", () => {
  it("is no way to what lies outside of its folder", () =>
    withSite({ hidden: true }, async ({ root, server }) => {
      symlinkSync("../secret.txt", join(root, "out.txt"));
      symlinkSync(join(root, "..", "secret.txt"), join(root, "absolute.txt"));
      symlinkSync("..", join(root, "up"));
      symlinkSync("/proc/self/root", join(root, "magic"));
      symlinkSync("self", join(root, "self"));
      const paths = [
        "/../secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/%2e%2e%2fsecret.txt",
        "/.%2e/secret.txt",
        "/sub/../../secret.txt",
        "/sub/%2e%2e/%2e%2e/secret.txt",
        "/sub/..%5c..%5csecret.txt",
        "/..\\secret.txt",
        "//../secret.txt",
        "/%252e%252e/secret.txt",
        "/..;/secret.txt",
        "/out.txt",
        "/absolute.txt",
        "/up/secret.txt",
        "/magic/etc/passwd",
        "/self",
        join(root, "..", "secret.txt"),
      ];
      for (const path of paths) {
        const request = `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
        const answer = await exchange(server, request);
        assert([400, 404].includes(statusOf(answer)), `${path} answered ${statusOf(answer)}`);
        assert(!answer.includes("secret\r\n") && !answer.endsWith("secret"));
      }
    }));

  it("gives no path that a file outside has, whatever a handler is asked", () => {
    const folder = mkdtempSync(join(tmpdir(), "oxbow-site-"));
    const root = join(folder, "root");
    mkdirSync(join(root, "a"), { recursive: true });
    writeFileSync(join(folder, "secret"), "secret");
    try {
      using files = serveFiles(root, { hidden: true });
      const piece = fc.constantFrom("..", "%2e%2e", ".", "a", "secret", "%2f", "%5c", "//", "%00", ";");
      fc.assert(fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const { status } = files(new Request(`http://localhost/${pieces.join("/")}`));
        // 301 to `a/`; nothing else is there.
        assert(status === 404 || status === 301);
      }));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("follows links that stay below its folder", () =>
    withSite({}, async ({ get, root }) => {
      symlinkSync("letters.txt", join(root, "link.txt"));
      symlinkSync("sub", join(root, "link"));
      assertStrictEquals(await textOf(get("/link.txt")), LETTERS);
      assertStrictEquals(await textOf(get("/link/")), "sub");
    }));

  it("shows what begins with a dot only where it is told to, and .well-known always", async () => {
    const make = (root: string): void => {
      mkdirSync(join(root, ".git"));
      mkdirSync(join(root, ".well-known"));
      mkdirSync(join(root, "sub", ".well-known"));
      for (const path of [".env", ".git/config", ".well-known/a", ".well-known/.b", "sub/.well-known/a"]) {
        writeFileSync(join(root, path), "dot");
      }
    };
    await withSite({}, async (site) => {
      make(site.root);
      for (
        const path of ["/.env", "/.git/config", "/%2egit/config", "/.well-known/.b", "/sub/.well-known/a"]
      ) {
        assertEquals([path, await statusAt(site, path)], [path, 404]);
      }
      assertStrictEquals(await statusAt(site, "/.well-known/a"), 200);
    });
    await withSite({ hidden: true }, async (site) => {
      make(site.root);
      assertStrictEquals(await statusAt(site, "/.git/config"), 200);
    });
  });

  it("gives no pipe, and does not wait for one", () =>
    withSite({}, async (site) => {
      execFileSync("mkfifo", [join(site.root, "pipe")]);
      symlinkSync("/dev/zero", join(site.root, "zero"));
      assertStrictEquals(await statusAt(site, "/pipe"), 404);
      assertStrictEquals(await statusAt(site, "/zero"), 404);
    }));
});

describe("DocumentRoot", () => {
  for (const find of [findByResolve, findByLink]) {
    it(`finds what lies below it and nothing else, by ${find.name}`, () =>
      withSite({}, ({ root }) => {
        symlinkSync("../secret.txt", join(root, "out.txt"));
        symlinkSync("letters.txt", join(root, "in.txt"));
        mkdirSync(`${root}-beside`);
        symlinkSync("../root-beside", join(root, "beside"));
        using folder = new DocumentRoot(root, [find]);
        for (const path of [".", "letters.txt", "in.txt", "sub", "sub/index.html"]) {
          using found = folder.find(path);
          assert(["regular", "directory"].includes(found.status().type));
        }
        using found = folder.find("letters.txt");
        using opened = DocumentRoot.open(found, "letters.txt");
        assertStrictEquals(opened.read(new Uint8Array(100)), 26);
        for (const path of ["out.txt", "beside", "sub/../../secret.txt", ".."]) {
          const error = assertThrows(() => folder.find(path), SystemError);
          assertEquals([path, error.code], [path, "EXDEV"]);
        }
        const missing = assertThrows(() => folder.find("none"), SystemError);
        assertStrictEquals(missing.code, "ENOENT");
        return Promise.resolve();
      }));
  }

  for (const [name, failure] of [["ENOSYS", -38], ["EPERM", -1]] as const) {
    it(`finds by the link where openat2 is not to be had, and says ${name}`, () =>
      withSite({}, ({ root }) => {
        let calls = 0;
        const refused = (): number => {
          calls++;
          return failure;
        };
        using folder = new DocumentRoot(root, [refused, findByLink]);
        for (let i = 0; i < 3; i++) folder.find("letters.txt")[Symbol.dispose]();
        assertStrictEquals(calls, 1);
        using none = new DocumentRoot(root, [refused]);
        assertStrictEquals(assertThrows(() => none.find("letters.txt"), SystemError).code, name);
        return Promise.resolve();
      }));
  }
});
