//! Maps a file by memmap2, and prints the nanoseconds of what it does, and its result.
//!
//!     memmap2 sum-before FILE REPETITIONS    adds up its float32, in a map made before
//!     memmap2 sum FILE REPETITIONS           the same, with the map made and dropped each time
//!     memmap2 open FILE REPETITIONS          opens and maps it, reads its first byte, drops the map
//!
//! The median of the sums, the mean of the openings.

use memmap2::Mmap;
use std::env::args;
use std::fs::File;
use std::hint::black_box;
use std::time::Instant;

fn map(path: &str) -> Mmap {
    let file = File::open(path).unwrap_or_else(|error| panic!("open {path}: {error}"));
    // SAFETY: the bench has written the file, and nobody changes it while a peer runs.
    unsafe { Mmap::map(&file) }.unwrap_or_else(|error| panic!("mmap {path}: {error}"))
}

/// Four sums of double precision: one alone waits for its own additions, and hides the memory.
fn sum(bytes: &[u8]) -> f64 {
    let mut sums = [0f64; 4];
    for four in bytes.chunks_exact(16) {
        for (sum, float) in sums.iter_mut().zip(four.chunks_exact(4)) {
            *sum += f64::from(f32::from_le_bytes(float.try_into().unwrap()));
        }
    }
    sums.iter().sum()
}

/// The nanoseconds of each, in order, and what the last gave.
fn repeat(times: usize, mut run: impl FnMut() -> f64) -> (Vec<u128>, f64) {
    let mut result = run();
    let mut each: Vec<u128> = (0..times)
        .map(|_| {
            let start = Instant::now();
            result = black_box(run());
            start.elapsed().as_nanos()
        })
        .collect();
    each.sort_unstable();
    (each, result)
}

fn main() {
    let given: Vec<String> = args().skip(1).collect();
    let [work, path, times] = given.as_slice() else { panic!("usage: memmap2 sum-before|sum|open FILE REPETITIONS") };
    let times: usize = times.parse().expect("a count of repetitions");
    let (each, result) = match work.as_str() {
        "sum-before" => {
            let map = map(path);
            repeat(times, || sum(&map))
        }
        "sum" => repeat(times, || sum(&map(path))),
        "open" => repeat(times, || f64::from(black_box(map(path))[0])),
        _ => panic!("no such work: {work}"),
    };
    let mean = each.iter().sum::<u128>() / times as u128;
    println!("{} {result}", if work == "open" { mean } else { each[times / 2] });
}
