//! Jobs of very different lengths: how long they take together, over what they take by themselves in equal shares.

use crate::one_queue::OneQueue;
use crate::runtime;
use std::time::{Duration, Instant};

/// What `programs/work.ts` does as well: a generator of Lehmer's, as many times as asked.
fn turn(times: usize) -> (u64, Duration) {
    let start = Instant::now();
    let mut state = 1;
    for _ in 0..times {
        state = state * 48271 % 0x7fffffff;
    }
    (state, start.elapsed())
}

fn report(threads: usize, lengths: &[usize], makespan: Duration, ends: &[(u64, Duration)]) {
    for (length, (state, _)) in lengths.iter().zip(ends) {
        assert_eq!(*state, turn(*length).0);
    }
    let own: Duration = ends.iter().map(|(_, time)| *time).sum();
    println!("{}", makespan.as_secs_f64() * threads as f64 / own.as_secs_f64());
}

pub fn tokio(threads: usize, lengths: &[usize]) {
    let (makespan, ends) = runtime(threads).block_on(async {
        let start = Instant::now();
        let handles: Vec<_> = lengths.iter().map(|&length| tokio::spawn(async move { turn(length) })).collect();
        let mut ends = Vec::with_capacity(handles.len());
        for handle in handles {
            ends.push(handle.await.expect("a result"));
        }
        (start.elapsed(), ends)
    });
    report(threads, lengths, makespan, &ends);
}

pub fn one_queue(threads: usize, lengths: &[usize]) {
    let pool = OneQueue::open(threads);
    let start = Instant::now();
    let handles: Vec<_> = lengths.iter().map(|&length| pool.spawn(move || turn(length))).collect();
    let ends: Vec<_> = handles.into_iter().map(|end| end.blocking_recv().expect("a result")).collect();
    report(threads, lengths, start.elapsed(), &ends);
}
