/**
 * What a file costs a server.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compare } from "../compare.ts";
import { BUN_SERVE, chosen, CONNECTIONS, onEach, type Options, ours, times } from "./contenders.ts";
import { costOf, load } from "./loads.ts";
import { nginx, script, withServer } from "./servers.ts";

const FILE_BYTES = 1 << 20;

/** A file of 1 MiB, by what a CPU second sends of it. */
export async function files(options: Options): Promise<void> {
  using stack = new DisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "oxbow-files-"));
  stack.defer(() => rmSync(folder, { recursive: true }));
  const bytes = crypto.getRandomValues(new Uint8Array(65536));
  const file = { path: "/file.bin", length: FILE_BYTES };
  writeFileSync(
    folder + file.path,
    Uint8Array.from({ length: FILE_BYTES }, (_, i) => bytes[i % 65536] ^ (i >> 16)),
  );
  const servers = [
    ...await nginx(folder),
    ...ours("serveFiles", "file_server.ts", folder),
    ...script("Bun.file", "bun", "host_files.ts", BUN_SERVE, folder),
    ...script("Deno.open", "deno", "host_files.ts", "Deno.serve", folder),
  ];
  const asking = { connections: CONNECTIONS[0], ...times(options), file };
  const baseline = servers[0].name;
  await compare({
    title: `a file of 1 MiB, ${asking.connections} connections`,
    units: ["MiB a CPU second", "user µs a file", "system µs a file", "MiB/s"],
    baseline,
    contenders: chosen(servers, baseline, options).map((server) => ({
      name: server.name,
      sample: () =>
        withServer(server, async (running) => {
          const sent = await (await fetch(`http://127.0.0.1:${running.port}${file.path}`)).bytes();
          if (Buffer.compare(sent, readFileSync(folder + file.path)) !== 0) {
            throw new Error(`${server.name}: another file`);
          }
          const { user, system, answersPerSecond } = costOf(await load("http", running, asking));
          return [1e6 / (user + system), user, system, answersPerSecond];
        }),
    })),
    quick: options.quick,
    targets: baseline === "nginx" ? onEach("serveFiles", { atLeast: 0.8 }) : [],
  });
}
