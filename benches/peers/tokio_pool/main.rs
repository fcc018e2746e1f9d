//! tokio's multi-threaded runtime, and a pool with one queue, at what a pool of workers does:
//!
//!     tokio_pool trips COUNT PAUSE_US                      microseconds of half the trips, and of 99 in 100
//!     tokio_pool jobs|one_queue THREADS COUNT BATCH        jobs a second, all of a batch before the next
//!     tokio_pool messages COUNT                            messages a second, from a thread to another
//!     tokio_pool uneven|uneven_one_queue THREADS LENGTH... makespan over the ideal
//!     tokio_pool idle MILLISECONDS                         context switches of all threads meanwhile
//!
//! A trip is an empty job, spawned and awaited by the thread that blocks on the runtime, after it has spun for PAUSE_US
//! microseconds. What the jobs give is added and checked.

mod one_queue;
mod uneven;

use one_queue::OneQueue;
use std::env::args;
use std::fs;
use std::future::Future;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

const WARM_UP: usize = 200;
/// Of the channel, as of the other contenders'.
const CAPACITY: usize = 1024;

pub fn runtime(threads: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(threads).enable_time().build().expect("a runtime")
}

async fn trips(count: usize, pause: Duration) {
    let mut times = Vec::with_capacity(count);
    for i in 0..WARM_UP + count {
        let rested = Instant::now();
        while i >= WARM_UP && rested.elapsed() < pause {}
        let start = Instant::now();
        assert_eq!(tokio::spawn(async move { i + 1 }).await.expect("a result"), i + 1);
        if i >= WARM_UP {
            times.push(start.elapsed());
        }
    }
    times.sort_unstable();
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    println!("{} {}", micros(times[count / 2]), micros(times[count * 99 / 100]));
}

/// Jobs a second, after a fifth as many that are not counted.
async fn jobs<F: Future<Output = usize>>(count: usize, batch: usize, spawn: impl Fn(usize) -> F) {
    let mut start = Instant::now();
    let mut handles = Vec::with_capacity(batch);
    let (warm_up, mut sum) = (count / 5 / batch * batch, 0);
    for first in (0..warm_up + count).step_by(batch) {
        if first == warm_up {
            (start, sum) = (Instant::now(), 0);
        }
        handles.extend((first..first + batch).map(&spawn));
        for handle in handles.drain(..) {
            sum += handle.await;
        }
    }
    let elapsed = start.elapsed();
    assert_eq!(sum, (warm_up + 1..=warm_up + count).sum::<usize>());
    println!("{}", count as f64 / elapsed.as_secs_f64());
}

fn jobs_of_tokio(threads: usize, count: usize, batch: usize) {
    runtime(threads).block_on(jobs(count, batch, |i| {
        let handle = tokio::spawn(async move { i + 1 });
        async { handle.await.expect("a result") }
    }));
}

fn jobs_of_one_queue(threads: usize, count: usize, batch: usize) {
    let pool = OneQueue::open(threads);
    runtime(1).block_on(jobs(count, batch, |i| {
        let ended = pool.spawn(move || i + 1);
        async { ended.await.expect("a result") }
    }));
}

async fn messages(count: usize) {
    let (tx, mut rx) = mpsc::channel(CAPACITY);
    let sending = tokio::spawn(async move {
        for i in 0..count {
            tx.send(i).await.expect("one who receives");
        }
    });
    let receiving = tokio::spawn(async move {
        let start = Instant::now();
        for i in 0..count {
            assert_eq!(rx.recv().await, Some(i));
        }
        start.elapsed()
    });
    sending.await.expect("all sent");
    println!("{}", count as f64 / receiving.await.expect("all received").as_secs_f64());
}

fn switches() -> u64 {
    let tasks = fs::read_dir("/proc/self/task").expect("/proc");
    tasks
        .map(|task| fs::read_to_string(task.expect("a thread").path().join("status")).expect("a status"))
        .flat_map(|text| {
            text.lines()
                .filter(|line| line.contains("ctxt_switches"))
                .map(|line| line.split_whitespace().nth(1).and_then(|count| count.parse().ok()).unwrap_or(0))
                .collect::<Vec<u64>>()
        })
        .sum()
}

fn idle(time: Duration) {
    let runtime = runtime(2);
    runtime.block_on(async {
        for i in 0..1000 {
            assert_eq!(tokio::spawn(async move { i }).await.expect("a result"), i);
        }
    });
    std::thread::sleep(Duration::from_millis(200));
    let before = switches();
    std::thread::sleep(time);
    println!("{}", switches() - before);
}

fn main() {
    let [what, numbers @ ..] = &args().skip(1).collect::<Vec<_>>()[..] else { panic!("which?") };
    let numbers: Vec<usize> = numbers.iter().map(|text| text.parse().expect("a number")).collect();
    match (what.as_str(), &numbers[..]) {
        ("trips", &[count, pause]) => runtime(1).block_on(trips(count, Duration::from_micros(pause as u64))),
        ("jobs", &[threads, count, batch]) => jobs_of_tokio(threads, count, batch),
        ("one_queue", &[threads, count, batch]) => jobs_of_one_queue(threads, count, batch),
        ("messages", &[count]) => runtime(2).block_on(messages(count)),
        ("uneven", [threads, lengths @ ..]) => uneven::tokio(*threads, lengths),
        ("uneven_one_queue", [threads, lengths @ ..]) => uneven::one_queue(*threads, lengths),
        ("idle", &[time]) => idle(Duration::from_millis(time as u64)),
        _ => panic!("no such work: {what} {numbers:?}"),
    }
}
