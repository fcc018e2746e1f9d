/**
 * Random trees of combinators over leaves that end at random steps, against an oracle that works out when such a
 * tree is there, and with what. Where several are there at once more than one answer is right.
 */
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { BUDGET, coop } from "../../lib/task/runtime/coop.ts";
import {
  type Coroutine,
  type Future,
  join,
  joinAll,
  Pending,
  race,
  select,
  tryJoin,
  tryJoinAll,
} from "../../lib/task/mod.ts";
import { Leaf } from "./leaf.ts";
import { Probe } from "./probe.ts";
import { tiered } from "../tier.ts";

/** Ends at a step: at no other leaf's. */
interface LeafNode {
  kind: "leaf";
  step: number;
  fails: boolean;
}

interface OneNode {
  kind: "map" | "inspect" | "finally" | "settled" | "fuse" | "borrow" | "coroutine" | "shared" | "throws";
  child: Tree;
}

interface TwoNode {
  kind: "andThen" | "orElse";
  child: Tree;
  next: Tree;
}

interface ManyNode {
  kind: "join" | "tryJoin" | "joinAll" | "tryJoinAll" | "select" | "biased" | "race";
  children: Tree[];
}

type Tree = LeafNode | OneNode | TwoNode | ManyNode;

/** What a tree comes to: at which step, and its value or error as text. */
interface End {
  step: number;
  fails: boolean;
  text: string;
}

/** Each way in which one of each list can be chosen. */
function product(lists: End[][]): End[][] {
  return lists.reduce<End[][]>(
    (all, list) => all.flatMap((chosen) => list.map((end) => [...chosen, end])),
    [[]],
  );
}

function distinct(ends: End[]): End[] {
  return [...new Map(ends.map((end) => [JSON.stringify(end), end])).values()];
}

/** The first failure, or all of them where they come at once. */
function firstFailures(ends: End[]): End[] {
  const failures = ends.filter(({ fails }) => fails);
  const first = Math.min(...failures.map(({ step }) => step));
  return failures.filter(({ step }) => step === first);
}

function joined(ends: End[], failsFast: boolean): End[] {
  const last = Math.max(0, ...ends.map(({ step }) => step));
  const failures = firstFailures(ends);
  if (failures.length > 0) return failures.map((end) => failsFast ? end : { ...end, step: last });
  return [{ step: last, fails: false, text: `[${ends.map(({ text }) => text)}]` }];
}

function first(ends: End[]): End[] {
  const step = Math.min(...ends.map((end) => end.step));
  return ends.flatMap((end, i) => {
    if (end.step !== step) return [];
    return end.fails ? [end] : [{ ...end, text: `${i}: ${end.text}` }];
  });
}

/** All that a tree that is first polled at step `begins` may come to. */
function oracle(tree: Tree, begins: number): End[] {
  switch (tree.kind) {
    case "leaf":
      return [{ step: Math.max(begins, tree.step), fails: tree.fails, text: `${tree.step}` }];
    case "map":
      return oracle(tree.child, begins).map((end) => end.fails ? end : { ...end, text: `map ${end.text}` });
    case "throws":
      return oracle(tree.child, begins).map((end) =>
        end.fails ? end : { ...end, fails: true, text: "thrown" }
      );
    case "settled":
      return oracle(tree.child, begins).map((end) => ({
        ...end,
        fails: false,
        text: `${end.fails ? "failed" : "done"} ${end.text}`,
      }));
    case "inspect":
    case "finally":
    case "fuse":
    case "borrow":
    case "coroutine":
    case "shared":
      return oracle(tree.child, begins);
    case "andThen":
      return distinct(
        oracle(tree.child, begins).flatMap((end) => end.fails ? [end] : oracle(tree.next, end.step)),
      );
    case "orElse":
      return distinct(
        oracle(tree.child, begins).flatMap((end) => end.fails ? oracle(tree.next, end.step) : [end]),
      );
    case "join":
    case "joinAll":
    case "tryJoin":
    case "tryJoinAll": {
      const failsFast = tree.kind.startsWith("try");
      return distinct(
        product(tree.children.map((child) => oracle(child, begins))).flatMap((ends) =>
          joined(ends, failsFast)
        ),
      );
    }
    case "select":
    case "biased":
    case "race":
      return distinct(product(tree.children.map((child) => oracle(child, begins))).flatMap(first));
  }
}

interface Planted {
  leaf: Leaf<string>;
  node: LeafNode;
  /** To a coroutine or a borrower, whose own it is not before it has begun. */
  isLent: boolean;
}

/** A tree's future, and the leaves that were made for it so far. */
class Built {
  readonly leaves: Planted[] = [];
  #step = -1;
  #isLent = false;

  /** Ends the leaves whose step it is, and in `make` those whose step is over. */
  reach(step: number): void {
    this.#step = step;
    for (const { leaf, node } of this.leaves) if (node.step === step) end(leaf, node);
  }

  make(tree: Tree): Future<string> {
    switch (tree.kind) {
      case "leaf": {
        const leaf = new Leaf<string>();
        this.leaves.push({ leaf, node: tree, isLent: this.#isLent });
        if (tree.step <= this.#step) end(leaf, tree);
        return leaf;
      }
      case "map":
        return this.make(tree.child).map((text) => `map ${text}`);
      case "throws":
        return this.make(tree.child).map(() => {
          throw "thrown";
        });
      case "inspect":
        return this.make(tree.child).inspect((text) => assertEquals(typeof text, "string"));
      case "finally":
        return this.#counted(this.make(tree.child));
      case "settled":
        return this.make(tree.child).settled().map((end) =>
          end.status === "fulfilled" ? `done ${end.value}` : `failed ${end.reason}`
        );
      case "fuse":
        return this.make(tree.child).fuse();
      case "borrow": {
        // Nobody else drops it.
        const lender = this.#lent(tree.child).map((text) => text);
        return lender.borrow().finally(() => lender.drop());
      }
      case "coroutine":
        return joinAll([waits(this.#lent(tree.child))]).map(([text]) => text);
      case "shared": {
        const shared = this.make(tree.child).shared();
        return tryJoin(shared.clone(), shared, shared.clone()).map(([text]) => text);
      }
      case "andThen":
        return this.make(tree.child).andThen(() => this.make(tree.next));
      case "orElse":
        return this.make(tree.child).orElse(() => this.make(tree.next));
      default:
        return this.#many(tree.kind, tree.children.map((child) => this.make(child)));
    }
  }

  #lent(tree: Tree): Future<string> {
    const before = this.#isLent;
    this.#isLent = true;
    const future = this.make(tree);
    this.#isLent = before;
    return future;
  }

  /** Its function is called once, and before its value is there. */
  #counted(future: Future<string>): Future<string> {
    let calls = 0;
    return future.finally(() => assertEquals(++calls, 1)).inspect(() => assertEquals(calls, 1));
  }

  #many(kind: ManyNode["kind"], futures: Future<string>[]): Future<string> {
    const branches = Object.fromEntries(futures.map((future, i) => [`${i}`, future]));
    switch (kind) {
      case "join":
        return join(...futures).map((texts) => `[${texts}]`);
      case "tryJoin":
        return tryJoin(...futures).map((texts) => `[${texts}]`);
      case "joinAll":
        return joinAll(futures).map((texts) => `[${texts}]`);
      case "tryJoinAll":
        return tryJoinAll(futures).map((texts) => `[${texts}]`);
      case "race":
        return race(futures).map(({ index, value }) => `${index}: ${value}`);
      default:
        return select(branches, { biased: kind === "biased" }).map(({ key, value }) => `${key}: ${value}`);
    }
  }
}

function* waits(future: Future<string>): Coroutine<string> {
  return yield* future;
}

function end(leaf: Leaf<string>, { step, fails }: LeafNode): void {
  if (fails) leaf.fail(`${step}`);
  else leaf.finish(`${step}`);
}

const LEAVES = 8;

/** Gives the leaves of a tree their steps: no two the same. */
function withSteps(tree: Tree, steps: number[]): Tree {
  let next = 0;
  function visit(node: Tree): Tree {
    switch (node.kind) {
      case "leaf":
        return { ...node, step: steps[next++ % steps.length] };
      case "andThen":
      case "orElse":
        return { ...node, child: visit(node.child), next: visit(node.next) };
      case "join":
      case "tryJoin":
      case "joinAll":
      case "tryJoinAll":
      case "select":
      case "biased":
      case "race":
        return { ...node, children: node.children.map(visit) };
      default:
        return { ...node, child: visit(node.child) };
    }
  }
  return visit(tree);
}

const { tree: shape } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, depthIdentifier: "tree" },
    fc.record({ kind: fc.constant("leaf" as const), step: fc.constant(0), fails: fc.boolean() }),
    fc.record({
      kind: fc.constantFrom(
        ...[
          "map",
          "inspect",
          "finally",
          "settled",
          "fuse",
          "borrow",
          "coroutine",
          "shared",
          "throws",
        ] as const,
      ),
      child: tie("tree"),
    }),
    fc.record({
      kind: fc.constantFrom("andThen" as const, "orElse" as const),
      child: tie("tree"),
      next: tie("tree"),
    }),
    fc.record({
      kind: fc.constantFrom(
        ...["join", "tryJoin", "joinAll", "tryJoinAll", "select", "biased", "race"] as const,
      ),
      children: fc.array(tie("tree"), { minLength: 1, maxLength: 3, depthIdentifier: "tree" }),
    }),
  ),
}));

const trees: fc.Arbitrary<Tree> = fc.tuple(
  shape,
  fc.shuffledSubarray(Array.from({ length: LEAVES }, (_, i) => i), { minLength: LEAVES }),
).map(([tree, steps]) => withSteps(tree, steps));

function leavesOf(tree: Tree): number {
  switch (tree.kind) {
    case "leaf":
      return 1;
    case "andThen":
    case "orElse":
      return leavesOf(tree.child) + leavesOf(tree.next);
    case "join":
    case "tryJoin":
    case "joinAll":
    case "tryJoinAll":
    case "select":
    case "biased":
    case "race":
      return tree.children.reduce((sum, child) => sum + leavesOf(child), 0);
    default:
      return leavesOf(tree.child);
  }
}

/** Each leaf was let go once: it ended, or was dropped. */
function assertLetGo({ leaves }: Built): void {
  for (const { leaf, node, isLent } of leaves) {
    if (isLent && leaf.polls === 0) continue;
    const { step } = node;
    assertEquals({ step, times: (leaf.hasEnded ? 1 : 0) + leaf.drops }, { step, times: 1 });
  }
}

/** Drives it, polled only where it was woken or `polls` says so, and dropped after the step `drop`. */
function drive(tree: Tree, polls: readonly boolean[], drop: number): End | null {
  const built = new Built();
  const future = built.make(tree).map((text) => text);
  assertEquals(built.leaves.reduce((sum, { leaf }) => sum + leaf.polls, 0), 0);
  const probe = new Probe();
  probe.wakes = 1;
  for (let step = 0; step < LEAVES; step++) {
    built.reach(step);
    // A tree is as deep as the leaves that wake one another in it.
    for (let round = 0; probe.wakes > 0 || (round === 0 && polls[step]); round++) {
      assert(round < 10, "it wakes itself again and again");
      probe.wakes = 0;
      coop.left = BUDGET;
      try {
        const value = probe.poll(future);
        if (value === Pending) continue;
        future.drop();
        assertLetGo(built);
        return { step, fails: false, text: value };
      } catch (error) {
        if (typeof error !== "string") throw error;
        future.drop();
        assertLetGo(built);
        return { step, fails: true, text: error };
      }
    }
    if (step === drop) {
      future.drop();
      future.drop();
      assertLetGo(built);
      return null;
    }
  }
  throw new Error("it never ended");
}

const runs = tiered({ quick: 5_000, full: 100_000, soak: 1_000_000 });

describe("a tree of combinators", () => {
  it("is there when the oracle says, and with what it says", () => {
    const polls = fc.array(fc.boolean(), { minLength: LEAVES, maxLength: LEAVES });
    fc.assert(
      fc.property(trees, polls, (tree, polls) => {
        fc.pre(leavesOf(tree) <= LEAVES);
        const ended = drive(tree, polls, -1);
        const allowed = oracle(tree, 0).map((end) => JSON.stringify(end));
        assert(allowed.includes(JSON.stringify(ended)), `${JSON.stringify(ended)} is none of ${allowed}`);
      }),
      { numRuns: runs },
    );
  });

  it("lets each leaf go once, dropped after whichever step", () => {
    fc.assert(
      fc.property(trees, (tree) => {
        fc.pre(leavesOf(tree) <= LEAVES);
        const last = Math.max(...oracle(tree, 0).map(({ step }) => step));
        for (let step = 0; step <= last; step++) drive(tree, [], step);
      }),
      { numRuns: runs / 4 },
    );
  });
});
