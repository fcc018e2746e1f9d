/** The names of `process_objects.ts`, which tell their content, written by `scripts/assemble.ts`. */
export const SONAMES = {
  sigbus: "oxbow-f5281101d7cffa266bc58951a9282a96.so",
  lentRelease: "oxbow-cb5182ef02ee593e792c0f4cbd784a93.so",
  lentAddon: "oxbow-ee8ac093a299ec3fe3084fe70d07d640.so",
  watch: "oxbow-153491db3bd5a603e5115293630b116a.so",
  calls: "oxbow-04cf78ad69fd991df7b3e39431c838e5.so",
} as const;
