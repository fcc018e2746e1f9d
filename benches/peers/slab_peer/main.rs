//! Removes, inserts and reads each entry of a full slab, in random order, and prints the nanoseconds of the three
//! together, and the sum of what it read in one round.
//!
//!     slab_peer numbers|boxes ENTRIES ROUNDS

use slab::Slab;
use std::env::args;
use std::hint::black_box;
use std::time::Instant;

/// The keys in the order that the bench's other contenders take.
fn shuffled(entries: u32) -> Vec<u32> {
    let mut keys: Vec<u32> = (0..entries).collect();
    let mut state: u32 = 1;
    for i in (1..entries).rev() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        keys.swap(i as usize, ((state >> 8) % (i + 1)) as usize);
    }
    keys
}

#[inline(never)]
fn numbers(slab: &mut Slab<u64>, keys: &[u32]) -> u64 {
    let mut sum = 0;
    for &key in keys {
        let value = slab.remove(key as usize);
        let key = slab.insert(value ^ 1);
        sum += slab[key];
    }
    sum
}

#[inline(never)]
fn boxes(slab: &mut Slab<Box<u64>>, keys: &[u32]) -> u64 {
    let mut sum = 0;
    for &key in keys {
        let value = slab.remove(key as usize);
        let key = slab.insert(value);
        sum += *slab[key];
    }
    sum
}

/// The nanoseconds of a round, the median of seven parts, and what the last gave.
fn timed(rounds: u32, mut round: impl FnMut() -> u64) -> (f64, u64) {
    let mut sum = round();
    let mut parts: Vec<f64> = (0..7)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..rounds {
                sum = black_box(round());
            }
            start.elapsed().as_nanos() as f64 / f64::from(rounds)
        })
        .collect();
    parts.sort_by(f64::total_cmp);
    (parts[3], sum)
}

fn main() {
    let given: Vec<String> = args().skip(1).collect();
    let [kind, entries, rounds] = given.as_slice() else { panic!("usage: slab_peer numbers|boxes ENTRIES ROUNDS") };
    let entries: u32 = entries.parse().expect("a count of entries");
    let rounds: u32 = rounds.parse().expect("a count of rounds");
    let keys = shuffled(entries);
    let values = (0..u64::from(entries)).map(|i| i % 1000);
    let (ns, sum) = match kind.as_str() {
        "numbers" => {
            let mut slab = Slab::new();
            values.for_each(|value| { slab.insert(value); });
            timed(rounds, || numbers(&mut slab, black_box(&keys)))
        }
        "boxes" => {
            let mut slab = Slab::new();
            values.for_each(|value| { slab.insert(Box::new(value)); });
            timed(rounds, || boxes(&mut slab, black_box(&keys)))
        }
        _ => panic!("no such kind: {kind}"),
    };
    println!("{} {sum}", ns / f64::from(entries));
}
