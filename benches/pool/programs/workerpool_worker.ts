/** What a thread of workerpool's runs: the jobs, under their names. */
import workerpool from "workerpool";
import { increment, turn, turns } from "./work.ts";

workerpool.worker({ increment, turn, turns });
