import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import {
  type FileHandler,
  type HttpServer,
  serveFiles,
  type ServeFilesOptions,
} from "../../../lib/net/http.ts";
import { serving } from "./client.ts";

export const LETTERS = "abcdefghijklmnopqrstuvwxyz";

interface Site {
  readonly root: string;
  readonly files: FileHandler;
  readonly server: HttpServer;
  get(path: string, headers?: Record<string, string>, method?: string): Promise<Response>;
}

/** A folder with a folder in it, served by a server of its own, for as long as `body` runs. */
export async function withSite(
  options: ServeFilesOptions,
  body: (site: Site) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "oxbow-site-"));
  const root = join(folder, "root");
  mkdirSync(join(root, "sub"), { recursive: true });
  writeFileSync(join(root, "index.html"), "<h1>home</h1>");
  writeFileSync(join(root, "letters.txt"), LETTERS);
  writeFileSync(join(root, "empty.bin"), "");
  writeFileSync(join(root, "sub", "index.html"), "sub");
  writeFileSync(join(root, "sub", "a b%é.txt"), "odd");
  writeFileSync(join(folder, "secret.txt"), "secret");
  try {
    using files = serveFiles(root, options);
    await serving(files, { onError: () => new Response("", { status: 500 }) }, async (server) => {
      await body({
        root,
        files,
        server,
        get: (path, headers = {}, method = "GET") =>
          fetch(`http://127.0.0.1:${server.address.port}${path}`, { headers, method, redirect: "manual" }),
      });
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function textOf(answer: Promise<Response>): Promise<string> {
  return await (await answer).text();
}

export async function statusAt(site: Site, path: string, headers?: Record<string, string>): Promise<number> {
  const response = await site.get(path, headers);
  await response.arrayBuffer();
  return response.status;
}

/** Descriptors of this process that are files below `root`. */
export function openBelow(root: string): number {
  const links = readdirSync("/proc/self/fd").map((name) => {
    try {
      return execFileSync("readlink", [`/proc/${process.pid}/fd/${name}`], { encoding: "utf8" });
    } catch {
      return "";
    }
  });
  return links.filter((link) => link.startsWith(`${root}/`)).length;
}
