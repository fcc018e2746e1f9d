import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import type { Readable } from "node:stream";
import { connect as connectPlainly } from "node:net";
import { connect } from "node:tls";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { hostName } from "../../ffi/mod.ts";
import { moduleUrl } from "../child.ts";
import { certificateFiles, makeCertificate } from "../net/certificate.ts";
import { skipping } from "../skip.ts";

const skip = skipping(spawnSync("openssl", ["version"]).status === 0 ? false : "openssl is not installed");

function started(args: readonly string[]): ReturnType<typeof spawn> {
  const path = fileURLToPath(moduleUrl("examples/tls_echo.ts"));
  const host = hostName === "deno"
    ? ["run", "-A", "--quiet"]
    : hostName === "node"
    ? ["--experimental-ffi"]
    : [];
  return spawn(process.execPath, [...host, path, ...args], { stdio: ["ignore", "pipe", "pipe"] });
}

/** What it writes, once that holds `part`. It is read on, since who writes would fail otherwise. */
function written(stream: Readable | null, part: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    stream?.on("data", (piece) => {
      text += piece;
      if (text.includes(part)) resolve(text);
    });
    stream?.once("close", () => reject(new Error(`it ended with ${text}`)));
  });
}

describe("examples/tls_echo.ts", { skip }, () => {
  it("gives back what it is sent, survives a client that speaks no TLS, and ends when it is asked to", async () => {
    const pem = makeCertificate();
    using files = certificateFiles(pem);
    const server = started([files.key, files.cert]);
    const exit = once(server, "exit");
    const port = Number(await written(server.stdout, "\n"));
    const complaint = written(server.stderr, "a connection failed");
    const stranger = connectPlainly(port, "127.0.0.1");
    stranger.on("error", () => {});
    stranger.write("GET / HTTP/1.1\r\n\r\n");
    assertStringIncludes(await complaint, "a connection failed");
    stranger.destroy();
    const client = connect({ host: "127.0.0.1", port, servername: "localhost", ca: pem.cert });
    client.write("through the example");
    const [answer] = await once(client, "data");
    assertEquals(String(answer), "through the example");
    client.destroy();
    // Deno takes what its own `child.kill` has sent for how the child ended.
    if (server.pid !== undefined) process.kill(server.pid, "SIGTERM");
    const [code, signal] = await exit;
    assertEquals([code, signal], [0, null]);
  });

  it("says how it is used", async () => {
    const server = started([]);
    const line = await written(server.stderr, "[PORT]");
    assertStringIncludes(line, "KEY.pem CERT.pem");
    await once(server, "exit");
  });
});
