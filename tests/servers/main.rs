//! Real servers on loopback, a folder a server: `SERVERS=1 cargo test --all-features --test servers`
//!
//! Without the variable it says in one line what it left out, and so it does without the features that it wants. With it, a server
//! that is not installed is a failure.
#![allow(clippy::unwrap_used)]

#[cfg(all(feature = "digest", feature = "oauth", feature = "registry", feature = "testing"))]
mod all;

fn main() {
    #[cfg(all(feature = "digest", feature = "oauth", feature = "registry", feature = "testing"))]
    all::run();
    #[cfg(not(all(feature = "digest", feature = "oauth", feature = "registry", feature = "testing")))]
    println!("left out: real servers, which want all features: SERVERS=1 cargo test --all-features --test servers");
}
