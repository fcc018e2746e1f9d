/** A file server of the host's own, of the folder that is given: prints its port, and ends when its stdin does. */
import process from "node:process";

interface BunFiles {
  file(path: string): Blob;
  serve(options: { hostname: string; port: number; fetch: (request: Request) => Response }): { port: number };
}

declare const Bun: BunFiles;

const hostname = "127.0.0.1";
const [kind, folder] = process.argv.slice(2);

function pathOf(request: Request): string {
  return folder + new URL(request.url).pathname;
}

process.stdin.on("end", () => process.exit()).resume();
switch (kind) {
  case "Deno.serve":
    Deno.serve({ hostname, port: 0, onListen: ({ port }) => console.log(port) }, async (request) => {
      const file = await Deno.open(pathOf(request));
      const { size } = await file.stat();
      return new Response(file.readable, { headers: { "content-length": String(size) } });
    });
    break;
  case "Bun.serve":
    console.log(
      Bun.serve({ hostname, port: 0, fetch: (request) => new Response(Bun.file(pathOf(request))) }).port,
    );
}
