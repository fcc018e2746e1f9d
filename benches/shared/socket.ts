/**
 * Messages of 64 bytes between two processes of the host under test, by node:net over a Unix socket, a write each.
 *
 *     socket.ts COUNT
 *
 * Prints nanoseconds of a message.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const MESSAGE = 64;

const [countText, path] = process.argv.slice(2);
const count = Number(countText);

async function flood(socket: Socket): Promise<void> {
  for (let i = 0; i < count; i++) {
    if (!socket.write(new Uint8Array(MESSAGE).fill(i))) {
      await new Promise<void>((resolve) => socket.once("drain", () => resolve()));
    }
  }
  socket.end();
}

/** The time from the first byte to the last. */
function receive(socket: Socket): Promise<number> {
  return new Promise((resolve, reject) => {
    let start = 0;
    let bytes = 0;
    socket.on("error", reject);
    socket.on("data", (part) => {
      if (bytes === 0) start = performance.now();
      bytes += part.length;
      if (bytes === count * MESSAGE) resolve(performance.now() - start);
    });
    socket.on("end", () => {
      if (bytes !== count * MESSAGE) reject(new Error(`${bytes} bytes came, not ${count * MESSAGE}`));
    });
  });
}

async function lead(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "oxbow-bench-"));
  const server = createServer();
  try {
    const address = join(folder, "socket");
    await new Promise<void>((resolve) => server.listen(address, resolve));
    const connected = new Promise<Socket>((resolve) => server.once("connection", resolve));
    const program = fileURLToPath(import.meta.url);
    const flags = Reflect.has(globalThis, "Deno") ? ["run", "-A"] : [];
    spawn(process.execPath, [...flags, program, countText, address], { stdio: "inherit" });
    console.log(1e6 * await receive(await connected) / count);
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
}

if (path === undefined) await lead();
else {
  const socket = connect(path);
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  await flood(socket);
}
