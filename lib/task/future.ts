import "./futures/methods.ts";

export {
  consumed,
  type Context,
  type Coroutine,
  Future,
  Pending,
  polling,
  WaitInFinallyError,
  type Waker,
} from "./futures/future.ts";
