/**
 * Where a thread's work comes from beside its tasks: jobs and their ends, in memory that threads share. Whichever runtime
 * drives the thread gives its sources their turns, and sleeps so that they can wake it.
 */
export interface Source {
  /** Runs what is there, or wakes who waits for it, for a moment. Returns how many. */
  poll(): number;
  /** Whether somebody waits for what comes from here, which keeps the process alive. */
  readonly isAwaited: boolean;
  /** Whether the thread is there for the source alone: it sleeps for ever where nothing else can wake it. */
  readonly hasThread: boolean;
  /** How many promises of async functions it waits for, which wait for tasks themselves, mostly. */
  readonly promises: number;
  /** Looks for a moment: whether something has come. */
  spin(): boolean;
  /** Sleeps until something has come, for at most `timeoutMs`; not at all where there is something. */
  sleep(timeoutMs: number): void;
  /** Before a sleep that `event` is to end: `false` where there is something already. */
  lieDown(): boolean;
  /** After a sleep that `lieDown` has allowed. */
  getUp(): void;
  /** The number of an eventfd that is written to where something has come for who has lain down. */
  readonly event: number;
}

/** A runtime of the thread's, by which it drives the sources where no other is before it. */
export interface SourceDriver {
  /** Whether it lives in the host's loop, and has its turns only where no runtime owns the thread. */
  readonly livesInHost: boolean;
  /** The source is no more. */
  forget(source: Source): void;
  /** It drives the sources from now on, or does no more: it may sleep. */
  changed(): void;
}

/** This thread's. */
export const sources: Source[] = [];
const drivers: SourceDriver[] = [];
let driver: SourceDriver | undefined;

/** Whether it is the one that drives the sources: of two, that would lie down and get up for each other. */
export function drivesSources(one: SourceDriver): boolean {
  return driver === one;
}

/** A runtime's own, which has begun. */
export function addDriver(one: SourceDriver): void {
  drivers.push(one);
  choose();
}

/** A runtime's own, which ends. */
export function removeDriver(one: SourceDriver): void {
  drivers.splice(drivers.indexOf(one), 1);
  choose();
}

function choose(): void {
  const before = driver;
  driver = drivers.findLast((one) => !one.livesInHost) ?? drivers.at(-1);
  if (before === driver) return;
  before?.changed();
  driver?.changed();
}

/** Has the thread's runtimes drive it from now on. */
export function addSource(source: Source): void {
  sources.push(source);
  driver?.changed();
}

/** Has it driven no more: to be called before its event is closed. */
export function removeSource(source: Source): void {
  const at = sources.indexOf(source);
  if (at < 0) return;
  sources.splice(at, 1);
  for (const one of drivers) one.forget(source);
}
