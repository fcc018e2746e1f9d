/** How much the tests do, by `OXBOW_TIER`: quick where nothing is said, full, or soak, which takes hours. */
import process from "node:process";

/** The one of the three that was asked for. */
export function tiered<T>(sizes: { quick: T; full: T; soak: T }): T {
  switch (process.env.OXBOW_TIER) {
    case "full":
      return sizes.full;
    case "soak":
      return sizes.soak;
    default:
      return sizes.quick;
  }
}
