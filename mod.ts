/**
 * A systems toolkit for TypeScript on Deno, Bun and Node: memory maps, an epoll runtime, batched matrix
 * products and zero-copy formats, by direct `dlopen` into libc and BLAS, with no native build step.
 *
 * This module re-exports what most programs use; each room has an entry point of its own: `/mmap`, `/io`,
 * `/slab`, `/task`, `/stream`, `/channel`, `/sync`, `/net`, `/async_io`, `/process`, `/tls`, `/http`, `/websocket`, `/blas`,
 * `/safetensors`, and `/ffi`, which is unsafe.
 *
 * @example
 * ```ts
 * import { type Coroutine, run, sleep, spawn } from "@oxbow/oxbow";
 *
 * function* greet(name: string): Coroutine<string> {
 *   yield* sleep(1);
 *   return `hello, ${name}`;
 * }
 *
 * console.log(await run(async () => await spawn(greet, "ox"))); // hello, ox
 * ```
 *
 * @module
 */
export { Mmap } from "./lib/mem/mmap.ts";
export { Slab } from "./lib/slab.ts";
export { type Coroutine, Future, join, run, scope, select, sleep, spawn } from "./lib/task/mod.ts";
export { mpsc } from "./lib/task/channel.ts";
export { Stream } from "./lib/task/stream.ts";
export { TcpListener, TcpStream, UdpSocket, UnixListener, UnixStream } from "./lib/net/mod.ts";
export { serve } from "./lib/net/http.ts";
export { Blas } from "./lib/blas/mod.ts";
export { SafeTensors } from "./lib/formats/safetensors.ts";
