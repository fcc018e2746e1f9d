//! A pool as futures-cpupool had it: one queue behind one mutex, that every thread takes its next job from.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    is_closed: bool,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl Shared {
    fn work(&self) {
        let mut queue = self.queue.lock().expect("no job panics");
        loop {
            match queue.jobs.pop_front() {
                Some(job) => {
                    drop(queue);
                    job();
                    queue = self.queue.lock().expect("no job panics");
                }
                None if queue.is_closed => return,
                None => queue = self.changed.wait(queue).expect("no job panics"),
            }
        }
    }
}

pub struct OneQueue {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl OneQueue {
    pub fn open(threads: usize) -> Self {
        let shared = Arc::<Shared>::default();
        let threads = (0..threads)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.work())
            })
            .collect();
        Self { shared, threads }
    }

    pub fn spawn<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> oneshot::Receiver<T> {
        let (end, ended) = oneshot::channel();
        let job = Box::new(move || drop(end.send(job())));
        self.shared.queue.lock().expect("no job panics").jobs.push_back(job);
        self.shared.changed.notify_one();
        ended
    }
}

impl Drop for OneQueue {
    fn drop(&mut self) {
        self.shared.queue.lock().expect("no job panics").is_closed = true;
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            thread.join().expect("no job panics");
        }
    }
}
