/** Nobody is at the other end of a channel any more. */
export class ClosedError extends Error {
  override name = "ClosedError";
  /** The message that was not sent, where there was one. */
  readonly value: unknown;

  constructor(message: string, value?: unknown) {
    super(message);
    this.value = value;
  }
}

/** A receiver of a broadcast was too slow: its oldest messages were written over. The next `recv` gives the oldest kept. */
export class LaggedError extends Error {
  override name = "LaggedError";
  /** How many messages it has missed. */
  readonly missed: number;

  constructor(missed: number) {
    super(
      `the receiver has missed ${missed} message${missed === 1 ? "" : "s"}: ` +
        "others were sent before it took them; go on, take them faster, or give the channel more room",
    );
    this.missed = missed;
  }
}
