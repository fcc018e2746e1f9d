//! tokio's current-thread runtime at the works of `benches/task.ts`:
//!
//!     tokio WARM_MS MEASURE_MS WORK=COUNT...
//!
//! Prints a line of JSON for each work: `value` is in nanoseconds of the median round an operation, of CPU for
//! `timer_fire`, and in resident bytes a task for `memory_*`. Every round checks its own result.

use std::env::args;
use std::fmt::Display;
use std::fs::read_to_string;
use std::future::{pending, poll_fn, Future};
use std::iter::repeat_with;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot, Notify};
use tokio::task::{unconstrained, yield_now, JoinHandle};
use tokio::time::{sleep, sleep_until};

const YIELDING_TASKS: usize = 200;
const CAPACITY: usize = 1000;
const HOUR: Duration = Duration::from_secs(3600);
const SETTLING: Duration = Duration::from_millis(200);

/// How long the rounds go on: at least one to warm up and one that counts.
struct Times {
    warm: Duration,
    measure: Duration,
}

pub fn main() {
    let given: Vec<String> = args().skip(1).collect();
    let [warm, measure, works @ ..] = given.as_slice() else {
        panic!("usage: tokio WARM_MS MEASURE_MS WORK=COUNT...")
    };
    let ms = |text: &str| Duration::from_millis(text.parse().expect("a count of milliseconds"));
    let times = Times { warm: ms(warm), measure: ms(measure) };
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    for work in works {
        let (name, count) = work.split_once('=').expect("WORK=COUNT");
        perform(&runtime, &times, name, count.parse().expect("a count of operations"));
    }
}

fn perform(runtime: &Runtime, times: &Times, name: &str, n: usize) {
    match name {
        "spawn_join" => timed(runtime, times, name, n, || spawn_join(n)),
        "spawn_join_all" => timed(runtime, times, name, n, || spawn_join_all(n)),
        "spawn_many" => timed(runtime, times, name, n, || spawn_many(n)),
        "yield_many" => timed(runtime, times, name, n, || yield_many(n / YIELDING_TASKS)),
        "ping_pong" => timed(runtime, times, name, n, || ping_pong(n)),
        "chained_spawn" => timed(runtime, times, name, n, || chained_spawn(n)),
        "mpsc_1" => timed(runtime, times, name, n, || messages(n, 1)),
        "mpsc_5" => timed(runtime, times, name, n, || messages(n, 5)),
        "timer_cancel" => timed(runtime, times, name, n, || timer_cancel(n)),
        "timer_fire" => timer_fire(runtime, times, name, n),
        "memory_pending" => memory(runtime, name, n, pending::<()>),
        "memory_sleep" => memory(runtime, name, n, || sleep(HOUR)),
        _ => panic!("no such work: {name}"),
    }
}

fn print(name: &str, value: f64, more: impl Display) {
    println!(r#"{{"work":"{name}","value":{value:.1}{more}}}"#);
}

/// What the rounds gave, in order of time, and the CPU of one, of all threads.
fn rounds<T>(times: &Times, mut round: impl FnMut() -> T) -> (Vec<T>, Duration) {
    let mut repeat = |at_least: Duration| {
        let start = Instant::now();
        let mut each = vec![round()];
        while start.elapsed() < at_least {
            each.push(round());
        }
        each
    };
    repeat(times.warm);
    let before = cpu();
    let each = repeat(times.measure);
    let spent = (cpu() - before) / each.len() as u32;
    (each, spent)
}

fn middle<T: Ord + Copy>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    values[values.len() / 2]
}

fn timed<F>(runtime: &Runtime, times: &Times, name: &str, n: usize, body: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let (each, spent) = rounds(times, || {
        let start = Instant::now();
        let task = runtime.spawn(body());
        runtime.block_on(task).expect("a right result");
        start.elapsed()
    });
    let an_operation = |duration: Duration| duration.as_nanos() as f64 / n as f64;
    print(name, an_operation(middle(each)), format_args!(r#","cpu":{:.1}"#, an_operation(spent)));
}

fn sum_below(n: usize) -> usize {
    n * (n - 1) / 2
}

async fn spawn_join(n: usize) {
    let mut sum = 0;
    for i in 0..n {
        sum += tokio::spawn(async move { i }).await.expect("a task's value");
    }
    assert_eq!(sum, sum_below(n));
}

async fn spawn_join_all(n: usize) {
    let tasks: Vec<JoinHandle<usize>> = (0..n).map(|i| tokio::spawn(async move { i })).collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.await.expect("a task's value");
    }
    assert_eq!(sum, sum_below(n));
}

/// Tasks that have not finished; the last tells whoever waits.
struct Countdown {
    left: AtomicUsize,
    zero: Notify,
}

impl Countdown {
    fn from(n: usize) -> Arc<Countdown> {
        Arc::new(Countdown { left: AtomicUsize::new(n), zero: Notify::new() })
    }

    fn finish(&self) {
        if self.left.fetch_sub(1, Relaxed) == 1 {
            self.zero.notify_one();
        }
    }
}

async fn spawn_many(n: usize) {
    let countdown = Countdown::from(n);
    for _ in 0..n {
        let countdown = Arc::clone(&countdown);
        tokio::spawn(async move { countdown.finish() });
    }
    countdown.zero.notified().await;
}

async fn yield_many(times: usize) {
    let countdown = Countdown::from(YIELDING_TASKS);
    for _ in 0..YIELDING_TASKS {
        let countdown = Arc::clone(&countdown);
        tokio::spawn(async move {
            for _ in 0..times {
                yield_now().await;
            }
            countdown.finish();
        });
    }
    countdown.zero.notified().await;
}

async fn ping_pong(n: usize) {
    let countdown = Countdown::from(n);
    for i in 0..n {
        let countdown = Arc::clone(&countdown);
        tokio::spawn(async move {
            let (ping, pinged) = oneshot::channel();
            let (pong, ponged) = oneshot::channel();
            tokio::spawn(async move { pong.send(pinged.await.expect("a ping") + 1).expect("one who waits") });
            ping.send(i).expect("one who waits");
            assert_eq!(ponged.await.expect("a pong"), i + 1);
            countdown.finish();
        });
    }
    countdown.zero.notified().await;
}

async fn chained_spawn(n: usize) {
    fn link(left: usize, end: oneshot::Sender<()>) {
        if left == 0 {
            end.send(()).expect("one who waits");
        } else {
            tokio::spawn(async move { link(left - 1, end) });
        }
    }
    let (end, ended) = oneshot::channel();
    link(n, end);
    ended.await.expect("the last link");
}

async fn messages(n: usize, senders: usize) {
    let (tx, mut rx) = mpsc::channel(CAPACITY);
    for first in 0..senders {
        let tx = tx.clone();
        tokio::spawn(async move {
            for i in (first..n).step_by(senders) {
                tx.send(i).await.expect("one who receives");
            }
        });
    }
    drop(tx);
    let (mut count, mut sum) = (0, 0);
    while let Some(i) = rx.recv().await {
        count += 1;
        sum += i;
    }
    assert_eq!((count, sum), (n, sum_below(n)));
}

/// A `Sleep` enters the wheel at its first poll, and leaves it when it is dropped. A task's budget would end with the
/// 128th.
async fn timer_cancel(n: usize) {
    let mut sleeps: Vec<_> =
        (0..n).map(|i| Box::pin(sleep(Duration::from_millis(1000 + i as u64 % 60_000)))).collect();
    let waiting = poll_fn(|context| {
        Poll::Ready(
            sleeps.iter_mut().map(|sleep| usize::from(sleep.as_mut().poll(context).is_pending())).sum::<usize>(),
        )
    });
    assert_eq!(unconstrained(waiting).await, n);
}

/// How late each of the tasks wakes that sleep 1 to 100 ms, and the CPU of one, from spawn to join.
fn timer_fire(runtime: &Runtime, times: &Times, name: &str, n: usize) {
    let sleeps = || async move {
        let tasks: Vec<_> = (0..n)
            .map(|i| {
                tokio::spawn(async move {
                    let deadline = Instant::now() + Duration::from_millis(1 + i as u64 % 100);
                    sleep_until(deadline.into()).await;
                    Instant::now().checked_duration_since(deadline).expect("no sleep ends early")
                })
            })
            .collect();
        let mut late = Vec::with_capacity(n);
        for task in tasks {
            late.push(task.await.expect("how late it was"));
        }
        late.sort_unstable();
        (late[n / 2], late[n * 99 / 100])
    };
    let (each, spent) = rounds(times, || runtime.block_on(sleeps()));
    let (half, most) = each.into_iter().unzip();
    let [p50, p99] = [middle(half), middle(most)].map(|late: Duration| late.as_micros());
    print(name, spent.as_nanos() as f64 / n as f64, format_args!(r#","late":[{p50},{p99}]"#));
}

/// Resident bytes that each of `n` tasks takes while it waits.
fn memory<F>(runtime: &Runtime, name: &str, n: usize, idle: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let grown = runtime.block_on(async {
        let before = resident();
        let tasks: Vec<_> = repeat_with(|| tokio::spawn(idle())).take(n).map(|task| task.abort_handle()).collect();
        sleep(SETTLING).await;
        let grown = resident() - before;
        for task in tasks {
            assert!(!task.is_finished());
            task.abort();
        }
        grown
    });
    print(name, grown as f64 / n as f64, "");
}

fn cpu() -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` outlives the call, and every Linux has this clock.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut now) };
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

fn resident() -> i64 {
    let pages = read_to_string("/proc/self/statm").expect("/proc").split(' ').nth(1).map(str::parse::<i64>);
    // SAFETY: it reads a constant of the system.
    pages.expect("a second field").expect("a count of pages") * unsafe { libc::sysconf(libc::_SC_PAGESIZE) }
}
