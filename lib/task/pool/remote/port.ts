import { currentThread } from "../../../mem/thread.ts";
import { type Waiter, Waiters } from "../../channel/waiters.ts";
import type { Waker } from "../../future.ts";
import { Wakes } from "../../sync/wakes.ts";
import { type Bell, type Listener, threadBell } from "./bell.ts";
import {
  JOINS,
  OWN_PROMISED,
  OWN_RECEIVERS,
  OWN_SENDERS,
  OWN_WEAK,
  RUNG,
  SENDERS,
  SLEEPS,
  USERS,
  WEAK,
} from "./layout.ts";
import type { Memory } from "./memory.ts";
import { type EndKind, RECEIVING, Roster, SENDER, WEAK_SENDER } from "./roster.ts";

/** How often who never waits looks whether the others' threads are there. */
const REAP_MS = 100;

/** Those of this thread, by the channels' nonces. */
const ports: Map<string, Port> = new Map();

/** This thread's of the channel, where it has one. */
export function portOf(nonce: string): Port | undefined {
  return ports.get(nonce);
}

/** Those who wait for something that other threads may bring. */
export class RemoteWaiters extends Waiters {
  readonly #port: Port;

  constructor(port: Port) {
    super();
    this.#port = port;
  }

  override push(waiter: Waiter): void {
    super.push(waiter);
    this.#port.sleep();
  }

  override remove(waiter: Waiter): void {
    super.remove(waiter);
    this.#port.rest();
  }

  /** They wait no more, and are not woken. */
  forget(): void {
    while (this.first !== null) this.remove(this.first);
  }
}

/** Those who wait until nobody receives, which may be so by the time that they are heard. */
class DeafWaiters extends RemoteWaiters {
  readonly #port: Port;

  constructor(port: Port) {
    super(port);
    this.#port = port;
  }

  override push(waiter: Waiter): void {
    super.push(waiter);
    if (this.#port.isDeaf) this.wakeAll();
  }
}

/**
 * What a thread has of a channel: its map and its seat, which all its ends share, and those who wait in it. It leaves
 * the channel with the last of its ends, places and waiters; who leaves last ends the channel.
 */
export abstract class Port implements Listener {
  readonly memory: Memory;
  readonly roster: Roster;
  readonly awaitingDeaf: RemoteWaiters = new DeafWaiters(this);
  #bell: Bell = threadBell();
  #woken: Waker[] = [];
  #isAsleep = false;
  /** `JOINS` when its peers were last looked at. */
  #joins = 0;
  #nextReap = 0;

  constructor(memory: Memory) {
    this.memory = memory;
    this.roster = new Roster(memory);
  }

  /** Whether nobody will receive. */
  abstract get isDeaf(): boolean;
  /** Whether somebody waits in this thread. */
  protected abstract get isWaiting(): boolean;
  /** Wakes those of this thread who can go on. Not of who holds the mutex. */
  abstract look(): void;
  /** What has no receiver any more is given up. Not of who holds the mutex. */
  protected abstract discard(): void;
  /** Of who holds the mutex: those who wait in this thread will not go on. */
  protected abstract forget(): void;
  /** This thread is about to leave the channel, which stays for as long. */
  protected leaves(): void {}
  /** Nobody has the channel any more, but for its memory. */
  protected ends(): void {}
  /** Of who holds the mutex: an owner died. */
  protected abstract mend(): void;
  /** Of who holds the mutex: ends or places have gone. */
  protected abstract settle(): void;

  protected waiters(): RemoteWaiters {
    return new RemoteWaiters(this);
  }

  lock(): void {
    if (this.memory.lock()) {
      this.roster.mend();
      this.mend();
    }
  }

  /** Gives the mutex back, and wakes those who were to be woken meanwhile. */
  unlock(): void {
    this.memory.unlock();
    if (this.#woken.length > 0) {
      const wakes = new Wakes();
      for (const waker of this.#woken.splice(0)) wakes.wake(waker);
      wakes.end();
    }
    if (!this.roster.isRung) return;
    this.roster.isRung = false;
    this.look();
  }

  /** Wakes once the mutex is free. */
  wakeLater(waker: Waker): void {
    this.#woken.push(waker);
  }

  /** Takes a seat. Of who holds the mutex. */
  join(): void {
    if (this.roster.mine !== 0) return;
    this.roster.join(currentThread(), this.#bell.number);
    ports.set(this.memory.nonce, this);
    this.#bell.members.add(this);
  }

  /** Somebody waits: other threads ring from now on, or have brought already what is waited for. */
  sleep(): void {
    const { roster, memory } = this;
    if (!memory.isOpen) return;
    if (!this.#isAsleep) {
      this.#isAsleep = true;
      roster.set(RUNG, 0);
      roster.set(SLEEPS, 1);
    }
    this.#bell.hold(this);
    this.#watchPeers();
  }

  #watchPeers(): void {
    const joins = Atomics.load(this.memory.words, JOINS);
    if (joins === this.#joins) return;
    this.#joins = joins;
    for (const { thread } of this.roster.others()) this.#bell.watch(this, thread);
  }

  /** Somebody waits no more. */
  rest(): void {
    if (!this.#isAsleep || this.isWaiting) return;
    this.#isAsleep = false;
    this.#bell.release(this);
    if (this.memory.isOpen) this.roster.set(SLEEPS, 0);
  }

  rung(): void {
    if (!this.memory.isOpen || this.roster.own(RUNG) === 0) return;
    this.roster.set(RUNG, 0);
    if (this.#isAsleep) this.#watchPeers();
    this.look();
  }

  peerEnded(): void {
    this.reap();
  }

  /** Gives up what threads had that have ended. */
  reap(): void {
    if (!this.memory.isOpen) return;
    this.lock();
    try {
      if (this.roster.reap()) this.settle();
    } finally {
      this.unlock();
    }
    this.discard();
    this.look();
  }

  /** As `reap`, for who asks again and again and never waits. */
  reapSometimes(): void {
    const now = performance.now();
    if (now < this.#nextReap) return;
    this.#nextReap = now + REAP_MS;
    this.reap();
  }

  threadEnds(): void {
    if (!this.memory.isOpen) return;
    this.lock();
    try {
      this.forget();
      this.roster.disown(this.roster.mine);
      this.settle();
    } finally {
      this.unlock();
    }
    try {
      this.discard();
    } finally {
      this.leaveIfIdle();
    }
  }

  /** Leaves the channel, where this thread has nothing of it any more. */
  leaveIfIdle(): void {
    const { roster, memory } = this;
    if (!memory.isOpen || this.isWaiting) return;
    const ends = roster.own(OWN_SENDERS) + roster.own(OWN_WEAK) + roster.own(OWN_RECEIVERS);
    if (ends + roster.own(OWN_PROMISED) === 0) this.#leave();
  }

  #leave(): void {
    try {
      this.leaves();
    } finally {
      this.#unseat();
    }
  }

  /** Wakes nobody: without a seat this thread must not write to the memory, which may be gone already. */
  #unseat(): void {
    const { roster, memory } = this;
    this.lock();
    let isLast = false;
    try {
      roster.leave(roster.mine);
      isLast = memory.words[USERS] === 0;
    } finally {
      memory.unlock();
    }
    try {
      if (isLast) this.ends();
    } finally {
      ports.delete(memory.nonce);
      this.#bell.leave(this);
      memory.leave(isLast);
    }
  }

  /** Takes a seat with the first ends. */
  begin(kinds: readonly EndKind[]): void {
    this.lock();
    try {
      this.join();
      for (const kind of kinds) this.roster.count(kind, 1);
    } finally {
      this.unlock();
    }
  }

  /** One end more of this thread's. */
  add(kind: EndKind): void {
    this.lock();
    try {
      this.roster.count(kind, 1);
    } finally {
      this.unlock();
    }
  }

  /** One end of this thread's is gone. */
  remove(kind: EndKind): void {
    if (!this.memory.isOpen) return;
    this.lock();
    try {
      this.roster.count(kind, -1);
      this.settle();
    } finally {
      this.unlock();
    }
    this.discard();
    this.leaveIfIdle();
  }

  get senders(): number {
    return Atomics.load(this.memory.words, SENDERS);
  }

  get weak(): number {
    return Atomics.load(this.memory.words, WEAK);
  }

  senderAdded(): void {
    this.add(SENDER);
  }

  senderGone(): void {
    this.remove(SENDER);
  }

  weakAdded(): void {
    this.add(WEAK_SENDER);
  }

  weakGone(): void {
    this.remove(WEAK_SENDER);
  }

  receiverGone(): void {
    this.remove(RECEIVING);
  }
}
