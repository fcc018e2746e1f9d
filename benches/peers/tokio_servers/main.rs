//! Servers on tokio's current-thread runtime, or on its multi-thread one with so many workers:
//!
//!     tokio_servers echo|http [THREADS]
//!
//! `echo` sends every byte back; `http` is hyper, and answers each request with "hello". Listens on a port of
//! 127.0.0.1 that the kernel chooses, prints it, and ends when its stdin does.

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::env::args;
use std::io::{self, Read};
use std::process::exit;
use std::thread;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

const BUFFER_BYTES: usize = 16 * 1024;

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut bytes = vec![0; BUFFER_BYTES];
    loop {
        let count = stream.read(&mut bytes).await?;
        if count == 0 {
            return Ok(());
        }
        stream.write_all(&bytes[..count]).await?;
    }
}

async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(b"hello"))))
}

async fn http(stream: TcpStream) -> io::Result<()> {
    http1::Builder::new()
        .pipeline_flush(true)
        .serve_connection(TokioIo::new(stream), service_fn(hello))
        .await
        .map_err(io::Error::other)
}

async fn serve(kind: &str) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // A client that goes away in the middle of a message is its own affair.
        match kind {
            "echo" => drop(tokio::spawn(echo(stream))),
            "http" => drop(tokio::spawn(http(stream))),
            _ => panic!("usage: tokio_servers echo|http"),
        }
    }
}

fn main() -> io::Result<()> {
    thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        exit(0);
    });
    let kind = args().nth(1).expect("usage: tokio_servers echo|http [THREADS]");
    let mut builder = match args().nth(2) {
        None => Builder::new_current_thread(),
        Some(threads) => {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(threads.parse().expect("THREADS is a count"));
            builder
        }
    };
    let runtime = builder.enable_io().build()?;
    // Not on the thread that blocks, which is none of the workers.
    runtime.block_on(async move { tokio::spawn(async move { serve(&kind).await }).await })?
}
