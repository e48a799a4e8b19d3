//! Compares the parser with http-auth, and lists the intended differences. The tests and the fuzzer use it.

use reqwest_challenge::Challenges;
use reqwest_challenge::challenge::DefectKind;

/// An intended difference between http-auth and this parser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Difference {
    /// http-auth does not support token68, which RFC 9110 §11.3 allows in a challenge.
    Token68,
    /// http-auth accepts only ASCII text. A quoted-string may contain obs-text.
    ObsText,
    /// http-auth requires at least one challenge, as RFC 7235 did. RFC 9110 has `#challenge`, which may be empty.
    Empty,
    /// After a scheme, http-auth accepts only one space and then a parameter. RFC 9110 has `1*SP` and then a list
    /// that may begin with empty elements: `Basic  realm="x"`, `Basic , realm="x"`.
    SpacesAfterScheme,
    /// http-auth accepts a parameter name twice in one challenge, which RFC 9110 §11.2 forbids. This parser notes a
    /// defect and keeps both.
    Duplicate,
    /// http-auth has no limits. This parser stops at a limit and notes a defect.
    Cap,
}

/// Reads a value with both parsers and compares the results. Returns the intended difference, or `None` if the
/// results are equal.
///
/// # Errors
/// Returns a description of a difference that is not intended.
pub(crate) fn compare(value: &str) -> Result<Option<Difference>, String> {
    // Blanks at either end belong to the line, not to the value (RFC 9110 §5.5).
    let value = value.trim_matches([' ', '\t']);
    let read = Challenges::parse(value);
    let rules: Vec<_> = read.defects().map(|defect| defect.kind()).collect();
    match http_auth::parse_challenges(value) {
        Ok(theirs) => {
            let theirs: Vec<_> = theirs
                .iter()
                .map(|challenge| {
                    let params =
                        challenge.params.iter().map(|(name, value)| ((*name).to_owned(), value.to_unescaped()));
                    (challenge.scheme.to_owned(), params.collect::<Vec<_>>())
                })
                .collect();
            let ours: Vec<_> = read
                .iter()
                .map(|challenge| {
                    let params = challenge.params().map(|param| (param.name().to_owned(), param.value().into_owned()));
                    (challenge.scheme().to_owned(), params.collect::<Vec<_>>())
                })
                .collect();
            if rules.iter().any(|rule| matches!(rule, DefectKind::TooManyChallenges | DefectKind::TooManyParameters)) {
                return Ok(Some(Difference::Cap));
            }
            if ours != theirs {
                return Err(format!("{value:?}: ours {ours:?}, theirs {theirs:?}"));
            }
            match rules.as_slice() {
                [] => Ok(None),
                rules
                    if rules
                        .iter()
                        .all(|rule| matches!(rule, DefectKind::DuplicateParameter | DefectKind::TooManyDefects)) =>
                {
                    Ok(Some(Difference::Duplicate))
                }
                rules => Err(format!("{value:?}: http-auth accepts it, ours has {rules:?}")),
            }
        }
        Err(_) if !read.is_strict() => Ok(None),
        Err(_) if !value.is_ascii() => Ok(Some(Difference::ObsText)),
        Err(_) if read.is_empty() => Ok(Some(Difference::Empty)),
        Err(_) if read.iter().any(|challenge| challenge.token68().is_some()) => Ok(Some(Difference::Token68)),
        Err(_) if read.iter().any(|challenge| spaces_after(value, challenge.scheme())) => {
            Ok(Some(Difference::SpacesAfterScheme))
        }
        Err(error) => Err(format!("{value:?}: http-auth refuses it, ours accepts it: {error}")),
    }
}

fn spaces_after(value: &str, scheme: &str) -> bool {
    value.match_indices(scheme).any(|(at, _)| {
        let rest = &value[at + scheme.len()..];
        let after = rest.trim_start_matches([' ', '\t']);
        let blanks = rest.len() - after.len();
        blanks > 1 || (blanks == 1 && after.starts_with(','))
    })
}
