import type { MapHandle } from "../../../mem/handle.ts";
import type { NetAddress } from "../../mod.ts";
import type { ListenerOptions } from "../server.ts";
import type { HandlerName } from "./load_handler.ts";

/** What a server on another thread is told when it starts: plain data. Descriptors are numbers, and stay the opener's. */
export interface Order extends HandlerName {
  readonly isLean: boolean;
  readonly options: Pick<ListenerOptions, "hostname" | "maxConnections" | "limits" | "timeouts">;
  readonly wrapGlobals: boolean;
  readonly address: NetAddress;
  readonly board: MapHandle;
  /** How many the board has. */
  readonly seats: number;
  readonly seat: number;
  /** The number of this start. */
  readonly sitter: number;
  /** The eventfd that it is woken by. */
  readonly bell: number;
  /** The opener's. */
  readonly openersBell: number;
  /** The listening socket that it accepts from; null where its connections are passed to it. */
  readonly listener: number | null;
}
