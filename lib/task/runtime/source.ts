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

/** Who has watched a source's event. */
export interface SourceWatcher {
  forget(source: Source): void;
}

/** This thread's. */
export const sources: Source[] = [];
/** This thread's. */
export const watchers: Set<SourceWatcher> = new Set();

/** Has the thread's runtimes drive it from now on. */
export function addSource(source: Source): void {
  sources.push(source);
}

/** Has it driven no more: to be called before its event is closed. */
export function removeSource(source: Source): void {
  const at = sources.indexOf(source);
  if (at < 0) return;
  sources.splice(at, 1);
  for (const watcher of watchers) watcher.forget(source);
}
