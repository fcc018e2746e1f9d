import { EventFd } from "../../io/event_fd.ts";
import { Fd } from "../../io/fd.ts";
import { registerCrossing } from "../../mem/crossing.ts";
import {
  CLOSED,
  DESCRIPTOR,
  FIRST,
  GENERATIONS,
  GIVEN,
  LOOKS,
  NONCE,
  PLACES,
  type RemoteNotifyHandle,
  RUNG,
  USERS,
} from "./cells.ts";

/** Whether it is what `RemoteNotify.handle` gives. */
export function isHandle(handle: unknown): handle is RemoteNotifyHandle {
  if (typeof handle !== "object" || handle === null) return false;
  if (!("cells" in handle && "place" in handle && "generation" in handle)) return false;
  const { cells, place, generation } = handle;
  return cells instanceof SharedArrayBuffer && cells.byteLength === 4 * (FIRST + PLACES) &&
    typeof place === "number" && Number.isInteger(place) && place >= 0 && place < PLACES &&
    typeof generation === "number" && Number.isInteger(generation) && generation > 0 &&
    generation < GENERATIONS;
}

/** This thread's descriptors of other threads' hubs, by their nonces. */
const bells: Map<number, EventFd> = new Map();

/** A `RemoteNotify` as another thread has it. */
export class RemoteNotifier {
  #cells: SharedArrayBuffer;
  #words: Int32Array;
  #place: number;
  #generation: number;

  static {
    registerCrossing<RemoteNotifier, RemoteNotifyHandle>({
      name: "RemoteNotifier",
      type: RemoteNotifier,
      give: (notifier) => ({
        cells: notifier.#cells,
        place: notifier.#place,
        generation: notifier.#generation,
      }),
      isData: isHandle,
      take: RemoteNotifier.of,
      drop() {},
    });
  }

  private constructor(cells: SharedArrayBuffer, place: number, generation: number) {
    this.#cells = cells;
    this.#words = new Int32Array(cells);
    this.#place = place;
    this.#generation = generation;
  }

  /** Of what `RemoteNotify.handle` was. Throws a `TypeError` for what is none. */
  static of(handle: RemoteNotifyHandle): RemoteNotifier {
    if (!isHandle(handle)) throw new TypeError("cannot notify: handle is none of a RemoteNotify's");
    const { cells, place, generation } = handle;
    return new RemoteNotifier(cells, place, generation);
  }

  /**
   * Notifies. Gives `false` where nobody listens any more, because the `RemoteNotify` was disposed or its runtime has
   * ended. Never waits.
   */
  notify(): boolean {
    const words = this.#words;
    const mine = this.#generation << 1;
    if (Atomics.load(words, USERS) & CLOSED) return this.#hangUp();
    const before = Atomics.compareExchange(words, FIRST + this.#place, mine, mine | GIVEN);
    if (before !== mine && before !== (mine | GIVEN)) return false;
    const looks = Atomics.load(words, LOOKS);
    if (Atomics.load(words, RUNG) === looks) return true;
    const bell = bellOf(words);
    if (bell === undefined) return this.#hangUp();
    bell.write();
    Atomics.store(words, RUNG, looks);
    return true;
  }

  /** This thread's descriptor of a hub that is closed is of no use any more. */
  #hangUp(): false {
    const nonce = this.#words[NONCE];
    bells.get(nonce)?.close();
    bells.delete(nonce);
    return false;
  }
}

/** A descriptor of this thread's own, so that the runtime's end closes nothing under it. */
function bellOf(words: Int32Array): EventFd | undefined {
  const nonce = words[NONCE];
  const known = bells.get(nonce);
  if (known !== undefined) return known;
  const users = Atomics.add(words, USERS, 1);
  try {
    if (users & CLOSED) return undefined;
    const bell = new EventFd(Fd.unsafeOwn(words[DESCRIPTOR]).dup());
    bells.set(nonce, bell);
    return bell;
  } finally {
    // The last of those who kept the hub from closing it.
    if (Atomics.sub(words, USERS, 1) === (CLOSED | 1) && users < CLOSED) {
      Fd.unsafeOwn(words[DESCRIPTOR]).close();
    }
  }
}
