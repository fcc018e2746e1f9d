// What is awaited where no runtime runs lives in the host's loop.
import "../runtime/attach.ts";

export { remoteMpsc, remoteMpscBytes, type RemoteMpscOptions } from "./remote/mpsc.ts";
export { closeRemoteEnd } from "./remote/end_crossing.ts";
export type { RemoteEnd, RemoteEndHandle } from "./remote/handle.ts";
export { remoteOneshot, RemoteOneshotReceiver, RemoteOneshotSender } from "./remote/oneshot.ts";
export type { RemotePermit } from "./remote/permit.ts";
export { RemoteReceiver } from "./remote/receiver.ts";
export { RemoteSender } from "./remote/sender.ts";
export { remoteWatch, RemoteWatchReceiver, RemoteWatchSender } from "./remote/watch.ts";
