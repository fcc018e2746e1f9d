/** A coding that a file may have been packed with, and the extension of the packed one. */
export interface Packing {
  readonly coding: string;
  readonly extension: string;
}

/** The smaller one first. */
export const PACKINGS: readonly Packing[] = [
  { coding: "br", extension: ".br" },
  { coding: "gzip", extension: ".gz" },
];

const MEMBER = /^([\w!#$%&'*+\-.^`|~]+)(?:[ \t]*;[ \t]*q=([01](?:\.\d{0,3})?))?$/i;

/** The weight of `coding` in an `Accept-Encoding` field, from 0, which forbids it, to 1 (RFC 9110, section 12.5.3). */
export function encodingWeight(field: string, coding: string): number {
  let any = 0;
  for (const member of field.split(",")) {
    const [, name, weight = "1"] = MEMBER.exec(member.trim()) ?? [];
    if (name === undefined) continue;
    const known = name.toLowerCase() === "x-gzip" ? "gzip" : name.toLowerCase();
    if (known === coding) return Math.min(1, Number(weight));
    if (name === "*") any = Math.min(1, Number(weight));
  }
  return any;
}

/** The packings that a client takes, what it likes best first. */
export function acceptedPackings(field: string | null): readonly Packing[] {
  if (field === null) return [];
  const weight = ({ coding }: Packing): number => encodingWeight(field, coding);
  const plain = /(?:^|,)[ \t]*identity/i.test(field) ? encodingWeight(field, "identity") : 0;
  return PACKINGS.filter((packing) => weight(packing) > 0 && weight(packing) >= plain)
    .sort((one, other) => weight(other) - weight(one));
}
