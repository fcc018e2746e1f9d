//! tokio on mimalloc. glibc gives the heap's top back to the kernel after a burst of tasks, and faults it in again in
//! the next: most of what a burst costs there.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    benches::main();
}
