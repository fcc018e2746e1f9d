/**
 * A room in which everybody hears everybody: lines of text over TCP, as `nc` speaks them.
 *
 *     deno run -A examples/net/chat.ts [PORT]
 *     nc 127.0.0.1 PORT
 *
 * What is said goes through a broadcast that keeps the last hundred lines for those who are slow: whoever falls further
 * behind is told what was missed, and nobody waits for it. SIGINT and SIGTERM say goodbye to all.
 */
import process from "node:process";
import { BufReader } from "../../lib/net/async_io.ts";
import { TcpListener, type TcpStream } from "../../lib/net/mod.ts";
import {
  broadcast,
  type BroadcastReceiver,
  type BroadcastSender,
  LaggedError,
} from "../../lib/task/channel.ts";
import {
  type Coroutine,
  race,
  run,
  Scope,
  select,
  shutdownSignal,
  sleep,
  timeout,
} from "../../lib/task/mod.ts";

const KEPT_LINES = 100;
const NAME_BYTES = 40;
const LINE_BYTES = 2000;
const INTRODUCTION_MS = 60_000;
const GOODBYE_MS = 1000;

interface Said {
  readonly text: string;
  /** Who has said it, and need not be told; `null` is the room itself. */
  readonly by: TcpStream | null;
  /** Whether nothing will be said any more. */
  readonly isLast?: boolean;
}

const encoder = new TextEncoder();

function tell(guest: TcpStream, text: string): ReturnType<TcpStream["writeAll"]> {
  return guest.writeAll(encoder.encode(`${text}\n`));
}

/** The name that a guest gives; `null` where it goes instead. */
function* introduce(guest: TcpStream, reader: BufReader): Coroutine<string | null> {
  for (;;) {
    yield* tell(guest, "* What is your name?");
    const name = yield* reader.readLine({ limit: NAME_BYTES });
    if (name === null || /^[\p{L}\p{N}_-]+$/u.test(name)) return name;
    yield* tell(guest, "* Letters and digits, please.");
  }
}

function* hear(room: BroadcastReceiver<Said>): Coroutine<Said> {
  try {
    return (yield* room.recv()) ?? { text: "* Goodbye.", by: null, isLast: true };
  } catch (error) {
    if (!(error instanceof LaggedError)) throw error;
    return { text: `* You have missed ${error.missed} lines.`, by: null };
  }
}

/** Talks and listens at once, until the guest goes or the room closes. */
function* converse(
  guest: TcpStream,
  name: string,
  reader: BufReader,
  room: BroadcastSender<Said>,
): Coroutine<void> {
  using others = room.subscribe();
  for (;;) {
    // The branch that is second is dropped where it waits, and loses neither half a line nor a message.
    const next = yield* select({ line: reader.readLine({ limit: LINE_BYTES }), said: hear(others) });
    if (next.key === "line") {
      if (next.value === null) return;
      room.send({ text: `${name}: ${next.value}`, by: guest });
    } else {
      const { text, by, isLast } = next.value;
      if (by !== guest) yield* tell(guest, text);
      if (isLast) return;
    }
  }
}

function* visit(guest: TcpStream, room: BroadcastSender<Said>): Coroutine<void> {
  using connection = guest;
  const reader = new BufReader(connection, { capacity: 4096 });
  try {
    const name = yield* timeout(INTRODUCTION_MS, introduce(guest, reader));
    if (name === null) return;
    room.send({ text: `* ${name} has come.`, by: guest });
    try {
      yield* converse(guest, name, reader, room);
    } finally {
      room.send({ text: `* ${name} has gone.`, by: guest });
    }
  } catch (error) {
    // Reset, too long, no UTF-8, too slow: it ends this one guest's visit.
    console.error(String(error));
  }
}

function* accept(listener: TcpListener, guests: Scope, room: BroadcastSender<Said>): Coroutine<never> {
  console.log(`chatting on 127.0.0.1:${listener.address.port}`);
  for (;;) {
    const { stream } = yield* listener.accept();
    guests.spawn(visit, stream, room);
  }
}

await run(function* (): Coroutine<void> {
  using guests = new Scope();
  const [room, nobody] = broadcast<Said>(KEPT_LINES);
  using _room = room;
  nobody.close();
  using listener = TcpListener.bind({ hostname: "127.0.0.1", port: Number(process.argv[2] ?? 0) });
  yield* race<unknown>([shutdownSignal(), accept(listener, guests, room)]);
  listener.close();
  room.send({ text: "* Goodbye.", by: null, isLast: true });
  // Those who do not read it in time are cut off.
  yield* race<unknown>([guests.join(), sleep(GOODBYE_MS)]);
});
