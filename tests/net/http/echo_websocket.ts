import type { HttpServer } from "../../../lib/net/http.ts";
import {
  type ServerWebSocket,
  type ServerWebSocketEvents,
  upgradeWebSocket,
  type UpgradeWebSocketOptions,
} from "../../../lib/net/websocket.ts";
import { serving } from "./client.ts";
import { type Frame, TEXT } from "./websocket_wire.ts";

export const utf8: TextEncoder = new TextEncoder();

type Close = ServerWebSocketEvents["close"];

/** What the server saw of its sockets. */
interface Served {
  readonly server: HttpServer;
  readonly sockets: ServerWebSocket[];
  /** How the next socket closes. */
  closed(): Promise<Close>;
}

/** A server that gives every message back. */
export function echoing(
  options: UpgradeWebSocketOptions,
  body: (served: Served) => Promise<void>,
  shape: (socket: ServerWebSocket) => void = () => undefined,
): Promise<void> {
  const sockets: ServerWebSocket[] = [];
  const closes: Close[] = [];
  const waiting: ((close: Close) => void)[] = [];
  return serving(
    (request) => {
      const { socket, response } = upgradeWebSocket(request, options);
      sockets.push(socket);
      socket.onmessage = ({ data }) => socket.send(data);
      socket.onclose = (close) => {
        const heard = waiting.shift();
        if (heard === undefined) closes.push(close);
        else heard(close);
      };
      shape(socket);
      return response;
    },
    { onError: (error) => new Response(String(error), { status: 500 }) },
    (server) => {
      const closed = (): Promise<Close> => {
        const close = closes.shift();
        return close === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(close);
      };
      return body({ server, sockets, closed });
    },
  );
}

/** The host's own client, open. */
export async function connected(server: HttpServer, protocols: string[] = []): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${server.address.port}/`, protocols);
  client.binaryType = "arraybuffer";
  await new Promise<void>((resolve, reject) => {
    client.onopen = () => resolve();
    client.onerror = () => reject(new Error("the client cannot connect"));
  });
  return client;
}

export function nextMessage(client: WebSocket): Promise<unknown> {
  return new Promise((resolve) => client.onmessage = ({ data }) => resolve(data));
}

export function closeOf(client: WebSocket): Promise<{ code: number; reason: string }> {
  return new Promise((resolve) => client.onclose = ({ code, reason }) => resolve({ code, reason }));
}

export function text(payload: string, more: Partial<Frame> = {}): Frame {
  return { opcode: TEXT, payload: utf8.encode(payload), ...more };
}
