/**
 * An echo server behind TLS, by the host's own `node:tls` over our streams.
 *
 *     deno run -A examples/tls_echo.ts KEY.pem CERT.pem [PORT]
 *
 * Talk to it by `openssl s_client -connect localhost:PORT -quiet`. A pair to try it with:
 *
 *     openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
 *       -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem
 *
 * @module
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { TcpListener } from "../lib/net/mod.ts";
import { acceptTls, type AcceptTlsOptions, type TlsStream } from "../lib/net/tls.ts";
import type { SocketStream } from "../lib/net/socket_stream.ts";
import { type Coroutine, run, shutdownSignal, spawn } from "../lib/task/mod.ts";

/** A client has so long for its handshake. */
const HANDSHAKE_MS = 10_000;

function* echo(stream: TlsStream): Coroutine<void> {
  const bytes = new Uint8Array(16_384);
  for (;;) {
    const count = yield* stream.read(bytes);
    if (count === 0) return;
    yield* stream.writeAll(bytes.subarray(0, count));
  }
}

function* serve(tcp: SocketStream, options: AcceptTlsOptions): Coroutine<void> {
  try {
    using stream = yield* acceptTls(tcp, options).timeout(HANDSHAKE_MS);
    yield* echo(stream);
  } catch (error) {
    console.error(`a connection failed: ${error instanceof Error ? error.message : error}`);
  }
}

function* accept(listener: TcpListener, options: AcceptTlsOptions): Coroutine<void> {
  for (;;) {
    const { stream } = yield* listener.accept();
    spawn(serve, stream, options);
  }
}

const [keyFile, certFile, port = "0"] = process.argv.slice(2);
if (certFile === undefined) {
  console.error("tls_echo KEY.pem CERT.pem [PORT]");
  process.exit(2);
}
const options = { key: readFileSync(keyFile, "utf8"), cert: readFileSync(certFile, "utf8") };
await run(async () => {
  using listener = TcpListener.bind({ hostname: "127.0.0.1", port: Number(port) });
  console.log(listener.address.port);
  const accepting = spawn(accept, listener, options);
  await shutdownSignal();
  accepting.abort();
});
