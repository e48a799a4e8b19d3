//! Compares the parser with http-auth: both read each value alike, except for the intended differences.

use proptest::prelude::*;

use crate::support::http_auth_oracle::{Difference, compare};

#[test]
fn each_intended_difference_is_recognised() {
    for (value, wanted) in [
        ("Negotiate abc=", Some(Difference::Token68)),
        ("Basic realm=\"é\"", Some(Difference::ObsText)),
        (" , ", Some(Difference::Empty)),
        ("Basic  realm=\"x\"", Some(Difference::SpacesAfterScheme)),
        ("Basic , realm=\"x\"", Some(Difference::SpacesAfterScheme)),
        ("Basic realm=\"x\", realm=\"y\"", Some(Difference::Duplicate)),
        ("Basic realm=\"x\", Digest nonce=1", None),
        ("Basic realm=\"x", None),
    ] {
        assert_eq!(compare(value), Ok(wanted), "{value}");
    }
    assert_eq!(compare(&"A, ".repeat(300)), Ok(Some(Difference::Cap)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn http_auth_agrees_except_for_the_intended_differences(pieces in prop::collection::vec(prop::sample::select(vec![
        "A", "b", "Basic", " ", " ", "\t", ",", ", ", ", ", "=", "\"", "\\", "x=\"y\"", "b=c", "/", ";", "é", "\\\"", "q=\"a, b\"",
        "u = v", "Digest n=1", "Basic realm=\"x\"", ", c=\"\\d\"",
    ]), 0..8)) {
        compare(&pieces.concat()).map_err(TestCaseError::fail)?;
    }
}
