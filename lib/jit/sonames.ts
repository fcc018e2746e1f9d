/** The names of `process_objects.ts`, which tell their content, written by `scripts/assemble.ts`. */
export const SONAMES = {
  sigbus: "oxbow-f5281101d7cffa266bc58951a9282a96.so",
  lentRelease: "oxbow-cb5182ef02ee593e792c0f4cbd784a93.so",
  lentAddon: "oxbow-ee8ac093a299ec3fe3084fe70d07d640.so",
  watch: "oxbow-a4f59d00b1cc21815a558e6abebe759e.so",
  watchUvClose: "oxbow-ee6afd2b8e05a71fcfb130eeb52b3d8f.so",
} as const;
