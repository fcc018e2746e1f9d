//! Prints the bytes of a `Cow<str>`.
use std::borrow::Cow;

fn main() {
    println!("{}", std::mem::size_of::<Cow<str>>());
}
