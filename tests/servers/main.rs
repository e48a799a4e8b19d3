//! Real servers on loopback, one folder for each: `SERVERS=1 cargo test -p reqwest-challenge-tests --test servers`
//!
//! Without the variable, the program prints which servers it skips. With the variable, a server that is not installed is a
//! failure.
#![allow(clippy::unwrap_used)]

mod all;

fn main() {
    all::run();
}
