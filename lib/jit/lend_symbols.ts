/** The symbols of the code that counts buffers. */
export const LENT = { release: "lent_release", finalize: "lent_finalize", make: "lent_make" } as const;
