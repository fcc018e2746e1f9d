/**
 * What `examples/net/all_cores.ts` serves on each thread.
 *
 * @module
 */
const id: string = crypto.randomUUID().slice(0, 8);
let count = 0;

/** `/` says which copy of the module answers, and how often it has; `/primes/N` computes for a while. */
export default {
  fetch(request: Request): Response {
    count++;
    const { pathname } = new URL(request.url);
    const limit = /^\/primes\/(\d{1,7})$/.exec(pathname)?.[1];
    if (limit !== undefined) return new Response(`${primesBelow(Number(limit))}\n`);
    if (pathname !== "/") return new Response("not here\n", { status: 404 });
    return new Response(`server ${id}, answer ${count}\n`);
  },
};

/** How many there are: the sieve of Eratosthenes. */
function primesBelow(limit: number): number {
  const isComposite = new Uint8Array(limit);
  let primes = 0;
  for (let i = 2; i < limit; i++) {
    if (isComposite[i] === 1) continue;
    primes++;
    for (let multiple = i * i; multiple < limit; multiple += i) isComposite[multiple] = 1;
  }
  return primes;
}
