//! tokio on the C library's allocator.

fn main() {
    benches::main();
}
