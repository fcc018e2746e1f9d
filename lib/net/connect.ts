import { SystemError } from "../../ffi/mod.ts";
import { checkedAddress, familyOf } from "../../ffi/layout/numeric_address.ts";
import { requireNet } from "../../ffi/permissions.ts";
import { copyOf, type NetAddress, textOf } from "../io/net_address.ts";
import { type ConnectOptions, connectResolved, Socket } from "../io/socket.ts";
import { consumed, type Context, Future, Pending, type Waker } from "../task/future.ts";
import type { Reactor } from "../task/reactor/reactor.ts";
import type { ScheduledIo } from "../task/reactor/scheduled_io.ts";
import { currentRuntime } from "../task/runtime/current.ts";
import { sleep } from "../task/time/sleep.ts";
import { type HostAddress, lookup } from "./lookup.ts";

/** How long an attempt is waited for before the next address is tried beside it: RFC 8305, section 5. */
const ATTEMPT_DELAY_MS = 250;

/** None of a name's addresses could be connected to. */
export class ConnectError extends AggregateError {
  override readonly name = "ConnectError";
  readonly hostname: string;
  readonly port: number;
  /** What the first address's attempt has failed with: `"ECONNREFUSED"`. */
  readonly code: string;

  /** `errors` are in the order in which the attempts have failed. */
  constructor({ hostname, port }: NetAddress, errors: readonly Error[]) {
    const codes = errors.map((error) => error instanceof SystemError ? error.code : error.name);
    super(
      errors,
      `cannot connect to ${hostname}:${port}: ${errors.map((error) => error.message).join("; ")}`,
    );
    this.hostname = hostname;
    this.port = port;
    this.code = codes[0] ?? "ENOTFOUND";
  }
}

/** A socket that is on its way. */
interface Attempt {
  readonly socket: Socket;
  readonly io: ScheduledIo;
  readonly path: string;
}

/** A socket that has connected, and is watched. */
export interface Connected {
  readonly socket: Socket;
  readonly io: ScheduledIo;
}

/** The families by turns, that of the first address first: RFC 8305, section 4. */
export function interleaved(addresses: readonly HostAddress[]): HostAddress[] {
  const first = addresses.filter(({ family }) => family === addresses[0].family);
  const second = addresses.filter(({ family }) => family !== addresses[0].family);
  const all: HostAddress[] = [];
  for (let i = 0; i < Math.max(first.length, second.length); i++) {
    all.push(...first.slice(i, i + 1), ...second.slice(i, i + 1));
  }
  return all;
}

/** Happy eyeballs: RFC 8305, without its sorting, which is the resolver's. Nothing begins before the first poll. */
export class Connect extends Future<Connected> {
  readonly #address: NetAddress;
  readonly #options: ConnectOptions;
  readonly #isName: boolean;
  #lookup: Future<readonly HostAddress[]> | null;
  /** Addresses that were not tried. */
  #untried: NetAddress[] = [];
  #attempts: Attempt[] = [];
  #errors: Error[] = [];
  /** Until the next address is tried, where there is one. */
  #delay: Future<void> | null = null;
  /** Until it has taken too long. */
  #deadline: Future<void> | null;
  readonly #timeout: number;
  /** Addresses that were tried, for people. */
  #tried: string[] = [];
  #reactor: Reactor | null = null;
  #waker: Waker | null = null;
  #isOver = false;

  /** The addresses are nobody else's. `timeout` is in milliseconds, `Infinity` for none. */
  constructor(address: NetAddress, options: ConnectOptions, timeout: number) {
    super();
    const { hostname } = address;
    this.#address = address;
    this.#options = options;
    this.#timeout = timeout;
    this.#deadline = timeout === Infinity ? null : sleep(timeout);
    this.#isName = familyOf(hostname) === undefined;
    this.#lookup = this.#isName ? this.#lookUp() : null;
    if (!this.#isName) this.#untried.push(this.#address);
  }

  #lookUp(): Future<readonly HostAddress[]> {
    const { hostname } = this.#address;
    const local = this.#options.localAddress;
    if (local === undefined) return lookup(hostname);
    return lookup(hostname, { family: familyOf(local.hostname) ?? 4 });
  }

  override describe(): string {
    return `connect() to ${textOf(this.#address)}`;
  }

  override poll(context: Context): Connected | Pending {
    if (this.#isOver) throw consumed("connect()");
    try {
      return this.#poll(context);
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  #poll(context: Context): Connected | Pending {
    const reactor = this.#reactor ??= this.#start();
    if (this.#deadline !== null && this.#deadline.poll(context) !== Pending) throw this.#late();
    if (this.#lookup !== null) {
      const found = this.#lookup.poll(context);
      if (found === Pending) return Pending;
      this.#lookup = null;
      const { port } = this.#address;
      this.#untried = interleaved(found).map(({ hostname }) => ({ hostname, port }));
    }
    for (;;) {
      const hadAttempts = this.#attempts.length > 0;
      const connected = this.#settled(reactor);
      if (connected !== null) {
        this.#isOver = true;
        this.#delay?.drop();
        this.#deadline?.drop();
        return connected;
      }
      const next = this.#untried.length > 0 && (
        this.#attempts.length === 0 || (hadAttempts && this.#delay?.poll(context) !== Pending)
      );
      if (!next) break;
      this.#begin(reactor);
    }
    if (this.#attempts.length === 0) throw this.#failure();
    for (const { io } of this.#attempts) {
      if (this.#waker !== null && this.#waker !== context.waker) io.forgetWriter(this.#waker);
      io.waitWritable(context.waker);
    }
    this.#waker = context.waker;
    return Pending;
  }

  #start(): Reactor {
    if (this.#isName) requireNet(this.#address.hostname, this.#address.port);
    return currentRuntime().reactor;
  }

  /** The attempt that has connected, the others closed; those that have failed are told of and closed. */
  #settled(reactor: Reactor): Connected | null {
    for (const attempt of [...this.#attempts]) {
      const { socket, io, path } = attempt;
      if (!io.isWritable) continue;
      this.#attempts.splice(this.#attempts.indexOf(attempt), 1);
      let error: Error | undefined;
      try {
        error = io.isDeaf
          ? new Error(`cannot connect to ${path}: the runtime has ended`)
          : socket.takeError("connect", path);
      } catch (thrown) {
        close(reactor, attempt);
        throw thrown;
      }
      if (error === undefined) {
        for (const loser of this.#attempts.splice(0)) close(reactor, loser);
        return { socket, io };
      }
      close(reactor, attempt);
      this.#failed(error);
    }
    return null;
  }

  /** The next address's turn has come at once. */
  #failed(error: Error): void {
    this.#errors.push(error);
    this.#delay?.drop();
    this.#delay = null;
  }

  #begin(reactor: Reactor): void {
    const [address] = this.#untried.splice(0, 1);
    this.#tried.push(textOf(address));
    let socket: Socket;
    try {
      socket = this.#isName
        ? connectResolved(address, this.#options)
        : Socket.connect(address, this.#options);
    } catch (error) {
      if (!this.#isName || !(error instanceof Error)) throw error;
      this.#failed(error);
      return;
    }
    try {
      const io = reactor.register(socket.fd);
      // Not writable before it is connected, which is its first edge.
      io.clearWritable();
      this.#attempts.push({ socket, io, path: textOf(address) });
    } catch (error) {
      socket.fd.close();
      throw error;
    }
    this.#delay?.drop();
    this.#delay = this.#untried.length === 0 ? null : sleep(ATTEMPT_DELAY_MS);
  }

  #late(): DOMException {
    const tried = this.#tried.length === 0 ? "its name was looked up" : `tried ${this.#tried.join(", ")}`;
    return new DOMException(
      `cannot connect to ${textOf(this.#address)} within ${this.#timeout} ms: ${tried}`,
      "TimeoutError",
    );
  }

  #failure(): Error {
    return this.#isName ? new ConnectError(this.#address, this.#errors) : this.#errors[0];
  }

  override drop(): void {
    this.#isOver = true;
    this.#lookup?.drop();
    this.#lookup = null;
    this.#delay?.drop();
    this.#delay = null;
    this.#deadline?.drop();
    const reactor = this.#reactor;
    if (reactor === null) return;
    for (const attempt of this.#attempts.splice(0)) close(reactor, attempt);
  }
}

function close(reactor: Reactor, { socket, io }: Attempt): void {
  reactor.deregister(io);
  socket.fd.close();
}

/** A copy. Throws where it is no address, or name, with a port; `verb` is what the error says was tried. */
export function requireTarget(address: NetAddress, verb: string): NetAddress {
  const target = copyOf(address, verb);
  if (target.hostname === "") throw new TypeError(`cannot ${verb} "": hostname is empty`);
  if (familyOf(target.hostname) !== undefined) checkedAddress(target.hostname);
  return target;
}
