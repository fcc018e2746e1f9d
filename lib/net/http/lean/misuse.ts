/**
 * A request or a response of `serveLean` was used when it was over: answered twice, changed after its end, or after the
 * client had gone.
 */
export class LeanError extends Error {
  override readonly name = "LeanError";
  /** What it was used after. */
  readonly after: "end" | "disconnect";

  constructor(after: "end" | "disconnect", what: string) {
    super(
      after === "end"
        ? `cannot ${what}: the request was answered`
        : `cannot ${what}: the client has gone, or the server has cut the connection`,
    );
    this.after = after;
  }
}
