/**
 * WebSockets on the HTTP server of `/http`, as `Deno.upgradeWebSocket` reads: a socket, and the answer that opens it.
 * The protocol is spoken by the package `ws`, over a `Duplex` of the connection, which is the socket's alone from its
 * handshake on. An entry of its own, so that a server without WebSockets needs no package.
 *
 * @example
 * ```ts
 * import { run } from "@oxbow/oxbow/task";
 * import { serve } from "@oxbow/oxbow/http";
 * import { upgradeWebSocket } from "@oxbow/oxbow/websocket";
 *
 * await run(async () => {
 *   await using server = serve((request) => {
 *     const { socket, response } = upgradeWebSocket(request);
 *     socket.onmessage = ({ data }) => socket.send(`you said: ${data}`);
 *     return response;
 *   }, { port: 0 });
 *   const client = new WebSocket(`ws://127.0.0.1:${server.address.port}/`);
 *   client.onopen = () => client.send("hello");
 *   const answer = await new Promise((resolve) => client.onmessage = ({ data }) => resolve(data));
 *   console.log(answer); // you said: hello
 *   client.close();
 * });
 * ```
 *
 * Follows RFC 6455 and RFC 7692.
 *
 * @module
 */
export type { ServerWebSocket, ServerWebSocketEvents } from "./http/websocket/server_websocket.ts";
export {
  type UpgradedWebSocket,
  upgradeWebSocket,
  type UpgradeWebSocketOptions,
} from "./http/websocket/websocket.ts";
