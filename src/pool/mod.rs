//! Many tenants: one middleware with its session for each key, made when it is first needed.
//!
//! [`SessionPool`] takes the key of a request from its [`CallOptions`](crate::CallOptions), or is asked for a
//! [handle](SessionPool::handle). `entries` is the map: it finds the entry, names the one that was used least recently, and
//! knows no HTTP. If there is no entry, `make` calls the factory on a separate task, once for all callers of that key. Then the
//! middleware of the entry handles the request as if it stood alone. `shared` is what the clones of
//! a pool share; `builder` has the settings.

mod builder;
mod entries;
mod handle;
mod make;
mod pool;
mod shared;

pub use builder::PoolBuilder;
pub use handle::TenantHandle;
pub use pool::SessionPool;
