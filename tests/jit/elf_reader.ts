/** Reads a shared object as the loader does, by its segments and dynamic section alone. */

interface Segment {
  type: number;
  flags: number;
  offset: number;
  address: number;
  fileSize: number;
  size: number;
}

interface ElfSymbol {
  name: string;
  type: number;
  isDefined: boolean;
  address: number;
  size: number;
}

export interface Elf {
  segments: Segment[];
  dynamic: Map<number, number>;
  needed: string[];
  relocations: { address: number; type: number; symbol: number; addend: number }[];
  symbols: ElfSymbol[];
  /** The symbol of that name by the hash table. */
  find(name: string): ElfSymbol | undefined;
}

export function readElf(image: Uint8Array<ArrayBuffer>): Elf {
  const view = new DataView(image.buffer);
  const u32 = (at: number): number => view.getUint32(at, true);
  const u64 = (at: number): number => Number(view.getBigUint64(at, true));
  const segments = Array.from({ length: view.getUint16(56, true) }, (_, i): Segment => {
    const at = u64(32) + 56 * i;
    return {
      type: u32(at),
      flags: u32(at + 4),
      offset: u64(at + 8),
      address: u64(at + 16),
      fileSize: u64(at + 32),
      size: u64(at + 40),
    };
  });
  const dynamic = new Map<number, number>();
  const needed: number[] = [];
  for (let at = segments.find(({ type }) => type === 2)?.offset ?? 0; u64(at) !== 0; at += 16) {
    if (u64(at) === 1) needed.push(u64(at + 8));
    else dynamic.set(u64(at), u64(at + 8));
  }
  const [hash, strings, table] = [4, 5, 6].map((tag) => dynamic.get(tag) ?? 0);
  const text = (offset: number): string => {
    const from = strings + offset;
    return new TextDecoder().decode(image.subarray(from, image.indexOf(0, from)));
  };
  const [buckets, count] = [u32(hash), u32(hash + 4)];
  const symbols = Array.from({ length: count }, (_, i): ElfSymbol => {
    const at = table + 24 * i;
    return {
      name: text(u32(at)),
      type: image[at + 4],
      isDefined: view.getUint16(at + 6, true) !== 0,
      address: u64(at + 8),
      size: u64(at + 16),
    };
  });
  function hashOf(name: string): bigint {
    let h = 0n;
    for (const byte of new TextEncoder().encode(name)) {
      h = (h << 4n) + BigInt(byte);
      const g = h & 0xf0000000n;
      if (g !== 0n) h ^= g >> 24n;
      h &= ~g;
    }
    return h;
  }
  return {
    segments,
    dynamic,
    needed: needed.map(text),
    relocations: Array.from({ length: (dynamic.get(8) ?? 0) / 24 }, (_, i) => {
      const at = (dynamic.get(7) ?? 0) + 24 * i;
      return { address: u64(at), type: u32(at + 8), symbol: u32(at + 12), addend: u64(at + 16) };
    }),
    symbols,
    find(name) {
      let i = u32(hash + 8 + 4 * Number(hashOf(name) % BigInt(buckets)));
      while (i !== 0 && symbols[i].name !== name) i = u32(hash + 8 + 4 * (buckets + i));
      return i === 0 ? undefined : symbols[i];
    },
  };
}
