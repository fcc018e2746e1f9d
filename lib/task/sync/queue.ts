/** What may stand in a queue: it has its own links, so that queueing makes no object. */
export interface Linked<L> {
  previous: L | null;
  next: L | null;
}

/** Who waits, first come first. Each may leave from where it stands at once. */
export class Queue<L extends Linked<L>> {
  first: L | null = null;
  last: L | null = null;

  push(link: L): void {
    const { last } = this;
    link.previous = last;
    if (last === null) this.first = link;
    else last.next = link;
    this.last = link;
  }

  /** `link` stands in this queue. */
  remove(link: L): void {
    const { previous, next } = link;
    if (previous === null) this.first = next;
    else previous.next = next;
    if (next === null) this.last = previous;
    else next.previous = previous;
    link.previous = null;
    link.next = null;
  }
}
