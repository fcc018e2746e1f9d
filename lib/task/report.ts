/** An error that nobody can be given, as the host reports a promise that is rejected and not handled. */
export function report(error: unknown): void {
  Promise.reject(error);
}
