//! http-auth gives the same result, except for the intended differences, which the comparison lists.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/support/http_auth_oracle.rs"]
mod http_auth_oracle;

fuzz_target!(|data: &[u8]| {
    if let Ok(value) = std::str::from_utf8(data) {
        http_auth_oracle::compare(value).unwrap_or_else(|difference| panic!("{difference}"));
    }
});
