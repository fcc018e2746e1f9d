import { type Context, type Future, Pending } from "../../task/future.ts";
import { requireReader, requireWriter } from "./arguments.ts";
import { abortableBy, AnyMover, type CopyOptions } from "./copy.ts";
import { Operation } from "./operation.ts";
import type { AsyncRead, AsyncWrite } from "./traits.ts";

/** How many bytes went each way. */
export interface Copied {
  readonly aToB: number;
  readonly bToA: number;
}

/** One way: moves, then ends what is written. */
class Direction {
  #mover: AnyMover;
  #writer: AsyncWrite;
  #shutdown: Future<void> | null = null;
  #total: number | null = null;
  #isOver = false;

  constructor(reader: AsyncRead, writer: AsyncWrite) {
    this.#mover = new AnyMover(reader, writer);
    this.#writer = writer;
  }

  poll(context: Context): number | Pending {
    if (this.#total === null) {
      const total = this.#mover.poll(context);
      if (total === Pending) return Pending;
      this.#total = total;
    }
    if (this.#isOver) return this.#total;
    this.#shutdown ??= this.#writer.shutdown();
    if (this.#shutdown.poll(context) === Pending) return Pending;
    this.#isOver = true;
    return this.#total;
  }

  drop(): void {
    this.#mover.drop();
    this.#shutdown?.drop();
  }

  describe(): string {
    return this.#shutdown === null ? this.#mover.describe() : this.#shutdown.describe();
  }
}

class CopyBidirectional extends Operation<Copied> {
  #aToB: Direction;
  #bToA: Direction;
  /** They begin by turns: the first of a turn may spend all of its budget. */
  #isTurned = true;

  constructor(aToB: Direction, bToA: Direction) {
    super();
    this.#aToB = aToB;
    this.#bToA = bToA;
  }

  override describe(): string {
    return `copyBidirectional(${this.#aToB.describe()} | ${this.#bToA.describe()})`;
  }

  protected override step(context: Context): Copied | Pending {
    try {
      const isTurned = this.#isTurned = !this.#isTurned;
      const first = (isTurned ? this.#bToA : this.#aToB).poll(context);
      const second = (isTurned ? this.#aToB : this.#bToA).poll(context);
      if (first === Pending || second === Pending) return Pending;
      return isTurned ? { aToB: second, bToA: first } : { aToB: first, bToA: second };
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  protected override abandon(): void {
    this.#aToB.drop();
    this.#bToA.drop();
  }
}

/**
 * Copies both ways, as a proxy does, until both have ended. The end of one direction is handed on by `shutdown`, and the
 * other goes on; an error of either ends both. Closes neither stream. The bytes move as `copy` moves them, and as much
 * of them is lost where it is dropped.
 *
 * @example
 * ```ts
 * import { copyBidirectional, duplex } from "@oxbow/oxbow/async_io";
 * import { run, spawn } from "@oxbow/oxbow/task";
 *
 * await run(async () => {
 *   const [client, a] = duplex(64);
 *   const [b, server] = duplex(64);
 *   const proxy = spawn(() => copyBidirectional(a, b));
 *   await client.writeAll(Uint8Array.of(1, 2, 3));
 *   await client.shutdown();
 *   await server.writeAll(Uint8Array.of(4));
 *   await server.shutdown();
 *   console.log(JSON.stringify(await proxy)); // {"aToB":3,"bToA":1}
 * });
 * ```
 */
export function copyBidirectional(
  a: AsyncRead & AsyncWrite,
  b: AsyncRead & AsyncWrite,
  options: CopyOptions = {},
): Future<Copied> {
  const what = "cannot copy both ways";
  for (const [name, stream] of Object.entries({ a, b })) {
    requireReader(what, stream, name);
    requireWriter(what, stream, name);
  }
  return abortableBy(new CopyBidirectional(new Direction(a, b), new Direction(b, a)), what, options);
}
