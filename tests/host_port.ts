/** A port for a server of the host's own. */
import type { Server } from "node:net";

/** The port of 127.0.0.1 that the kernel has chosen for it. */
export async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the server has no port");
  return address.port;
}
