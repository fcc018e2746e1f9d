/**
 * A SOCKS5 proxy, which connects to where its clients ask: RFC 1928, and RFC 1929 for a user and a password.
 *
 *     deno run -A examples/net/socks5.ts [PORT] [USER:PASSWORD]
 *     curl --socks5-hostname 127.0.0.1:PORT https://example.org/
 *
 * The bytes after the handshake go both ways until both sides have ended, each in its own time, and do not come into
 * the process where the kernel can splice them. Without USER:PASSWORD everybody may connect: listen on loopback alone.
 */
import process from "node:process";
import { BufReader, copyBidirectional } from "../../lib/net/async_io.ts";
import { type NetAddress, TcpListener, TcpStream } from "../../lib/net/mod.ts";
import { SystemError } from "../../ffi/mod.ts";
import { type Coroutine, race, run, Scope, shutdownSignal, timeout } from "../../lib/task/mod.ts";

const HANDSHAKE_MS = 10_000;
const CONNECT_MS = 10_000;
const SOCKS5 = 5;
const CONNECT = 1;
const LOGIN = 1;

const Method = { open: 0, password: 2, none: 255 } as const;
const AddressType = { ipv4: 1, name: 3, ipv6: 4 } as const;
const Reply = {
  ok: 0,
  failed: 1,
  network: 3,
  host: 4,
  refused: 5,
  late: 6,
  command: 7,
  addressType: 8,
} as const;
const REPLIES: Record<string, number> = {
  ENETUNREACH: Reply.network,
  EHOSTUNREACH: Reply.host,
  ENOTFOUND: Reply.host,
  ECONNREFUSED: Reply.refused,
  ETIMEDOUT: Reply.late,
};

/** The client is no client of ours: what it has been told, if anything, was the last. */
class Refused extends Error {
  override name = "Refused";
}

/** Bytes behind one that counts them. */
function* counted(reader: BufReader): Coroutine<Uint8Array> {
  const bytes = new Uint8Array(yield* reader.readNumber("u8"));
  yield* reader.readExact(bytes);
  return bytes;
}

function* expect(reader: BufReader, what: string, byte: number): Coroutine<void> {
  const found = yield* reader.readNumber("u8");
  if (found !== byte) throw new Refused(`${what} is ${found}, not ${byte}`);
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a[i] ^ (b[i] ?? 0);
  return difference === 0;
}

/** Agrees on a method, and has the client say who it is where that is asked for: `login` is USER:PASSWORD. */
function* authenticate(client: TcpStream, reader: BufReader, login: string | undefined): Coroutine<void> {
  yield* expect(reader, "the version", SOCKS5);
  const offered = yield* counted(reader);
  const wanted = login === undefined ? Method.open : Method.password;
  const isOffered = offered.includes(wanted);
  yield* client.writeAll(Uint8Array.of(SOCKS5, isOffered ? wanted : Method.none));
  if (!isOffered) throw new Refused(`the client knows the methods ${[...offered]}, and not ${wanted}`);
  if (login === undefined) return;
  yield* expect(reader, "the login's version", LOGIN);
  const [user, password] = [yield* counted(reader), yield* counted(reader)];
  const isRight = isSame(Uint8Array.of(...user, 0x3a, ...password), new TextEncoder().encode(login));
  yield* client.writeAll(Uint8Array.of(LOGIN, isRight ? 0 : 1));
  if (!isRight) throw new Refused("the user or the password is wrong");
}

/** Where the client wants to be connected to. */
function* readRequest(client: TcpStream, reader: BufReader): Coroutine<NetAddress> {
  yield* expect(reader, "the version", SOCKS5);
  const command = yield* reader.readNumber("u8");
  yield* expect(reader, "the reserved byte", 0);
  const type = yield* reader.readNumber("u8");
  let hostname: string;
  if (type === AddressType.name) {
    hostname = new TextDecoder("utf-8", { fatal: true }).decode(yield* counted(reader));
  } else if (type === AddressType.ipv4) {
    const bytes = new Uint8Array(4);
    yield* reader.readExact(bytes);
    hostname = bytes.join(".");
  } else if (type === AddressType.ipv6) {
    const groups: string[] = [];
    for (let i = 0; i < 8; i++) groups.push((yield* reader.readNumber("u16be")).toString(16));
    hostname = groups.join(":");
  } else {
    yield* reply(client, Reply.addressType);
    throw new Refused(`the address is of type ${type}`);
  }
  const port = yield* reader.readNumber("u16be");
  if (command === CONNECT) return { hostname, port };
  yield* reply(client, Reply.command);
  throw new Refused(`the command is ${command}, not CONNECT`);
}

/** The address that we connect from is nobody's business: zeros. */
function reply(client: TcpStream, code: number): ReturnType<TcpStream["writeAll"]> {
  return client.writeAll(Uint8Array.of(SOCKS5, code, 0, AddressType.ipv4, 0, 0, 0, 0, 0, 0));
}

function* connect(client: TcpStream, address: NetAddress): Coroutine<TcpStream> {
  try {
    return yield* timeout(CONNECT_MS, TcpStream.connect(address));
  } catch (error) {
    const isLate = error instanceof DOMException && error.name === "TimeoutError";
    const code = error instanceof SystemError ? REPLIES[error.code] : isLate ? Reply.late : undefined;
    yield* reply(client, code ?? Reply.failed);
    throw error;
  }
}

function* proxy(stream: TcpStream, login: string | undefined): Coroutine<void> {
  using client = stream;
  const reader = new BufReader(client, { capacity: 1024 });
  try {
    const address = yield* timeout(
      HANDSHAKE_MS,
      function* (): Coroutine<NetAddress> {
        yield* authenticate(client, reader, login);
        return yield* readRequest(client, reader);
      }(),
    );
    using server = yield* connect(client, address);
    yield* reply(client, Reply.ok);
    // What the client has sent without waiting for the reply.
    yield* server.writeAll(reader.buffered.slice());
    yield* copyBidirectional(client, server);
  } catch (error) {
    console.error(String(error));
  }
}

function* accept(listener: TcpListener, clients: Scope, login: string | undefined): Coroutine<never> {
  console.log(`SOCKS5 on 127.0.0.1:${listener.address.port}`);
  for (;;) {
    const { stream } = yield* listener.accept();
    clients.spawn(proxy, stream, login);
  }
}

await run(function* (): Coroutine<void> {
  const [port = "0", login] = process.argv.slice(2);
  using clients = new Scope();
  using listener = TcpListener.bind({ hostname: "127.0.0.1", port: Number(port) });
  yield* race<unknown>([shutdownSignal(), accept(listener, clients, login)]);
});
