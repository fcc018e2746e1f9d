/** Jobs that give and throw what is not looked at twice. */

/** Calls back a second time, when its job is long over. */
export function settlesTwice(): unknown {
  return {
    then(resolve: (value: string) => void): void {
      resolve("first");
      setTimeout(() => resolve("late"), 5);
    },
  };
}

export async function wait(ms: number): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return ms;
}

export function givesThrowingThen(): unknown {
  return {
    get then(): never {
      throw new RangeError("by its then");
    },
  };
}

export function givesRevokedProxy(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

export function throwsRevokedProxy(): never {
  throw givesRevokedProxy();
}

export function givesIterator(): unknown {
  return [1, 2].values();
}
