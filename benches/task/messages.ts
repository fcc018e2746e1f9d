import { mpsc, type Receiver, type Sender } from "../../lib/task/channel.ts";
import { type Context, Future, Pending, spawn } from "../../lib/task/mod.ts";
import { CAPACITY, checkSum } from "./rounds.ts";

class Produce extends Future<void> {
  readonly #tx: Sender<number>;
  #i: number;
  readonly #n: number;
  readonly #step: number;
  #sending: Future<void> | null = null;

  constructor(tx: Sender<number>, first: number, n: number, step: number) {
    super();
    this.#tx = tx;
    this.#i = first;
    this.#n = n;
    this.#step = step;
  }

  override poll(context: Context): void | Pending {
    for (; this.#i < this.#n; this.#i += this.#step) {
      this.#sending ??= this.#tx.send(this.#i);
      if (this.#sending.poll(context) === Pending) return Pending;
      this.#sending = null;
    }
    this.#tx.close();
  }
}

function produce(tx: Sender<number>, first: number, n: number, step: number): Produce {
  return new Produce(tx, first, n, step);
}

/** `mpsc_*` as hand-written futures: `n` messages from as many senders as are asked for. */
export class Messages extends Future<void> {
  readonly #n: number;
  readonly #senders: number;
  #rx: Receiver<number> | null = null;
  #receiving: Future<number | undefined> | null = null;
  #count = 0;
  #sum = 0;

  constructor(n: number, senders: number) {
    super();
    this.#n = n;
    this.#senders = senders;
  }

  #start(): Receiver<number> {
    const [tx, rx] = mpsc<number>(CAPACITY);
    for (let first = 0; first < this.#senders; first++) {
      spawn(produce, tx.clone(), first, this.#n, this.#senders);
    }
    tx.close();
    return rx;
  }

  override poll(context: Context): void | Pending {
    this.#rx ??= this.#start();
    for (;;) {
      this.#receiving ??= this.#rx.recv();
      const value = this.#receiving.poll(context);
      if (value === Pending) return Pending;
      this.#receiving = null;
      if (value === undefined) break;
      this.#count++;
      this.#sum += value;
    }
    checkSum(this.#sum, this.#count === this.#n ? this.#n : NaN);
  }
}
