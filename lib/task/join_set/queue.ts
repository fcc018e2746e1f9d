/** What a {@linkcode Queue} links: its places are in the thing itself, so that none is made. */
export interface Linked<N> {
  previous: N | null;
  next: N | null;
}

/** First in, first out; whatever is in it leaves in constant time. */
export class Queue<N extends Linked<N>> {
  #first: N | null = null;
  #last: N | null = null;

  get first(): N | null {
    return this.#first;
  }

  push(node: N): void {
    node.previous = this.#last;
    if (this.#last === null) this.#first = node;
    else this.#last.next = node;
    this.#last = node;
  }

  /** `node` is in it. */
  remove(node: N): void {
    if (node.previous === null) this.#first = node.next;
    else node.previous.next = node.next;
    if (node.next === null) this.#last = node.previous;
    else node.next.previous = node.previous;
    node.previous = null;
    node.next = null;
  }

  /** All of them, in order, as an array that stays while they leave. */
  all(): N[] {
    const all: N[] = [];
    for (let node = this.#first; node !== null; node = node.next) all.push(node);
    return all;
  }
}
