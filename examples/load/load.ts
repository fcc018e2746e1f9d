/**
 * The load itself: one thread, one epoll instance by edges, and for each connection a few numbers. Nothing is made for
 * a request, and an answer costs a receive, a send and its share of an epoll_wait.
 *
 * In the closed loop a connection asks again when it is answered. In the open loop request `i` is due at `i / rate`,
 * and its latency counts from then, whenever a connection is free to send it: a server that stands still for a second
 * is shown by all the requests that were due in it. What is due and not sent needs no queue: it is a number.
 *
 * @module
 */
import process from "node:process";
import {
  Epoll,
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  NativeBuffer,
  WouldBlock,
} from "../../lib/io/mod.ts";
import { WrongAnswer } from "./answers.ts";
import { Connection, RequestRow } from "./connection.ts";
import type { Histogram } from "./histogram.ts";
import type { Plan } from "./plan.ts";
import { Schedule } from "./schedule.ts";
import { Tally } from "./tally.ts";
import { type Cpu, type Used, Watched } from "./usage.ts";

const READ_BYTES = 1 << 18;
const WATCHED = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
const ENDING = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
/** Connections that are being made at a time: a listener's queue is short. */
const CONNECTING = 128;
/** How often it is looked for what takes too long, and connected again where that has failed. */
const SWEEP_MS = 100;
/** A thread that sleeps wakes late, which would count as the server's latency. */
const SPIN_MS = 2;

/** What was measured. */
export interface Measured {
  readonly seconds: number;
  /** Answers that were right. */
  readonly answers: number;
  readonly latencies: Histogram;
  /** Requests that had no answer at the end; in the open loop their latencies count, up to then. */
  readonly unanswered: number;
  readonly bytesRead: number;
  readonly errors: ReadonlyMap<string, number>;
  /** Connections that stood at the end: those that only wait are the second. */
  readonly standing: readonly [number, number];
  /** This process's own. */
  readonly load: Cpu;
  /** The plan's process's. */
  readonly used?: Used;
}

/** Does once what a plan says, and takes the thread until it is done. */
export class Load {
  #plan: Plan;
  #epoll: Epoll = new Epoll();
  #buffer: NativeBuffer = new NativeBuffer(READ_BYTES);
  #bytes: Uint8Array = this.#buffer.bytes;
  #row: RequestRow;
  /** By their tokens: those that ask, then those that only wait. */
  #connections: (Connection | null)[];
  #connecting = 0;
  /** The open loop's: those that may send, in the order in which they became free. */
  #free: Connection[] = [];
  #tally: Tally = new Tally();
  /** The open loop's. */
  #schedule: Schedule | null;
  #swept = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#row = new RequestRow(plan.request, plan.pipeline);
    const isOpen = plan.rate !== undefined && plan.connections > 0;
    this.#schedule = isOpen ? new Schedule(plan.rate) : null;
    this.#connections = new Array(plan.connections + plan.idle).fill(null);
  }

  /** Throws where the plan's process is not there. */
  run(): Measured {
    const { pid, warmUpMs, durationMs } = this.#plan;
    try {
      const watched = pid === undefined ? undefined : new Watched(pid);
      this.#connect();
      const connected = performance.now();
      this.#schedule?.begin(connected);
      this.#loopUntil(connected + warmUpMs);
      const own = process.cpuUsage();
      watched?.begin();
      const start = this.#tally.begin();
      this.#schedule?.begin(start);
      this.#loopUntil(start + durationMs);
      const end = performance.now();
      const used = watched?.used();
      const { user, system } = process.cpuUsage(own);
      return {
        seconds: (end - start) / 1000,
        answers: this.#tally.answers,
        unanswered: this.#countUnanswered(end),
        latencies: this.#tally.latencies,
        bytesRead: this.#tally.bytesRead,
        errors: this.#tally.errors,
        standing: this.#countStanding(),
        load: { userSeconds: user / 1e6, systemSeconds: system / 1e6 },
        used,
      };
    } finally {
      for (const connection of this.#connections) connection?.socket.fd.close();
      this.#epoll.close();
    }
  }

  #countUnanswered(end: number): number {
    let count = 0;
    const late = (due: number): void => {
      if (due < this.#tally.start) return;
      count++;
      if (this.#schedule !== null) this.#tally.latencies.record(end - due);
    };
    for (const connection of this.#connections) {
      while (connection !== null && connection.inFlight > 0) late(connection.answer());
    }
    const schedule = this.#schedule;
    while (schedule !== null && schedule.next <= end) late(schedule.take());
    return count;
  }

  #countStanding(): [number, number] {
    const standing = this.#connections.map((connection) => connection?.isConnected === true ? 1 : 0);
    const sum = (from: number, end: number): number =>
      standing.slice(from, end).reduce<number>((a, b) => a + b, 0);
    return [sum(0, this.#plan.connections), sum(this.#plan.connections, standing.length)];
  }

  /** Those that only wait first: the others begin to ask as soon as they are there. */
  #connect(): void {
    const { connections, idle, timeoutMs } = this.#plan;
    const end = performance.now() + timeoutMs;
    for (let i = 0; i < connections + idle || this.#connecting > 0;) {
      const now = performance.now();
      if (now > end) return;
      for (; i < connections + idle && this.#connecting < CONNECTING; i++) {
        this.#open(i < idle ? connections + i : i - idle);
      }
      this.#turn(Math.min(end - now, SWEEP_MS));
    }
  }

  #open(token: number): void {
    const { address, answers, pipeline } = this.#plan;
    try {
      const connection = new Connection(token, address, answers(), this.#row, pipeline);
      this.#connections[token] = connection;
      this.#connecting++;
      this.#epoll.add(connection.socket.fd, WATCHED, token);
    } catch (error) {
      this.#tally.failed(error);
    }
  }

  #close(connection: Connection): void {
    this.#connections[connection.token] = null;
    if (!connection.isConnected) this.#connecting--;
    connection.socket.fd.close();
  }

  #loopUntil(end: number): void {
    for (let now = performance.now(); now < end; now = performance.now()) {
      if (now - this.#swept > SWEEP_MS) this.#sweep(now);
      this.#turn(Math.min(end - now, SWEEP_MS, this.#pace(now)));
    }
  }

  /** Cuts what takes too long, and opens again what was closed: not at once, where it was closed for a fault. */
  #sweep(now: number): void {
    const { connections, timeoutMs } = this.#plan;
    this.#swept = now;
    for (let token = 0; token < this.#connections.length; token++) {
      const connection = this.#connections[token];
      if (connection === null) {
        if (token < connections && this.#connecting < CONNECTING) this.#open(token);
      } else if ((!connection.isConnected || connection.inFlight > 0) && now - connection.since > timeoutMs) {
        this.#tally.note(connection.isConnected ? "no answer in time" : "no connection in time");
        this.#close(connection);
      }
    }
  }

  /** The open loop's: sends what is due, by who is free. Returns for how long there is nothing to send. */
  #pace(now: number): number {
    const schedule = this.#schedule;
    if (schedule === null) return Infinity;
    while (schedule.next <= now) {
      const connection = this.#free.shift();
      // Until one is answered.
      if (connection === undefined) return Infinity;
      connection.isQueued = false;
      // Closed meanwhile.
      if (this.#connections[connection.token] !== connection) continue;
      if (connection.inFlight === 0) connection.since = now;
      connection.ask(schedule.take());
      this.#enqueue(connection);
      try {
        connection.flush();
      } catch (error) {
        this.#tally.failed(error);
        this.#close(connection);
      }
    }
    const wait = schedule.next - now;
    return wait < SPIN_MS ? 0 : wait - SPIN_MS;
  }

  #enqueue(connection: Connection): void {
    if (connection.isQueued || !connection.hasRoom) return;
    connection.isQueued = true;
    this.#free.push(connection);
  }

  #turn(timeoutMs: number): void {
    const epoll = this.#epoll;
    const count = epoll.wait(timeoutMs);
    for (let i = 0; i < count; i++) {
      const connection = this.#connections[epoll.token(i)];
      if (connection === null) continue;
      try {
        this.#advance(connection, epoll.events(i));
      } catch (error) {
        this.#tally.failed(error);
        this.#close(connection);
      }
    }
  }

  /** Does what can be done without waiting: an edge is told once. */
  #advance(connection: Connection, events: number): void {
    if (!connection.isConnected) this.#connected(connection);
    if (events & (EPOLLIN | ENDING)) {
      let count: number;
      do {
        count = connection.socket.read(this.#buffer);
        if (count === 0) return this.#ended(connection);
        if (count !== WouldBlock) this.#take(connection, count);
        if (connection.socket.fd.isClosed) return;
        // Less than there was room for is all there was; the end is no edge of its own.
      } while (count === READ_BYTES || (count !== WouldBlock && (events & ENDING) !== 0));
    }
    connection.flush();
  }

  #connected(connection: Connection): void {
    const { connections, pipeline } = this.#plan;
    const failure = connection.socket.takeError("connect");
    if (failure !== undefined) throw failure;
    connection.socket.setNoDelay(true);
    connection.isConnected = true;
    this.#connecting--;
    if (connection.token >= connections) return;
    const now = connection.since = performance.now();
    if (this.#schedule !== null) this.#enqueue(connection);
    else for (let i = 0; i < pipeline; i++) connection.ask(now);
  }

  /** Takes what was read, and asks again for what it answers. */
  #take(connection: Connection, count: number): void {
    const { answers } = connection;
    this.#tally.bytesRead += count;
    const answered = answers.take(this.#bytes, count);
    const now = connection.since = performance.now();
    for (let i = 0; i < answered; i++) this.#answered(connection, now);
    if (!answers.isLast || answered === 0) return;
    this.#close(connection);
    this.#open(connection.token);
  }

  #answered(connection: Connection, now: number): void {
    const due = connection.answer();
    this.#tally.answered(due, now);
    if (connection.answers.isLast) return;
    if (this.#schedule === null) connection.ask(now);
    else this.#enqueue(connection);
  }

  #ended(connection: Connection): void {
    if (connection.inFlight > 0) {
      if (connection.answers.end() === 1) this.#answered(connection, performance.now());
    } else if (connection.token >= this.#plan.connections) {
      throw new WrongAnswer("the server ended a connection that waited");
    }
    this.#close(connection);
    if (connection.answered > 0) this.#open(connection.token);
  }
}
