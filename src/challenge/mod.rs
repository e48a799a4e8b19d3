//! Parses `WWW-Authenticate`: challenges, their parameters, and the defects of malformed lines (RFC 9110 §11).
//!
//! [`Challenges`] takes the header lines of a response. `parse` reads each line once, with `value` and the character classes of
//! `grammar`, and stores the places of what it finds in `parsed`, without copying text. Parsing never fails: the parser
//! notes a [`Defect`] and continues after it.
//!
//! A [`Challenge`] is a view of one challenge in this storage, and a [`Param`] is a view of one of its parameters. Typed
//! views ([`BearerChallenge`], [`DigestChallenge`] and others) give the parameters of a scheme that is known.
//!
//! ```
//! use reqwest_challenge::Challenges;
//!
//! let challenges = Challenges::parse(r#"Negotiate, Bearer realm="api", error=https://example.com/, scope="a b""#);
//! let bearer = challenges.get("bearer").unwrap();
//! assert_eq!(bearer.realm().as_deref(), Some("api"));
//! assert_eq!(bearer.param("SCOPE").as_deref(), Some("a b"));
//! let defect = challenges.defects().next().unwrap();
//! assert_eq!(defect.to_string(), "line 1, byte 42: a value that is not a token has no quotes (RFC 9110 §11.2)");
//! ```

mod challenge;
mod challenges;
mod defect;
mod grammar;
mod names;
mod parse;
mod parsed;
mod parser;
mod value;
mod views;

pub use challenge::{Challenge, Param, Params};
pub use challenges::{Challenges, Iter};
pub use defect::{Defect, DefectKind, Mark, Place};
pub use grammar::is_scope_token;
pub use views::{
    BasicChallenge, BearerChallenge, CargoChallenge, ClaimsError, DigestAlgorithm, DigestChallenge, DpopChallenge,
    ErrorCode, RegistryChallenge,
};
