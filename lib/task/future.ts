import "./futures/methods.ts";

export {
  consumed,
  type Context,
  type Coroutine,
  Future,
  parked,
  Pending,
  polling,
  WaitInFinallyError,
  type Waker,
  withoutContext,
} from "./futures/future.ts";
