//! Properties over random values: a written list is read as the same list, and any octets can be read.

use http::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use proptest::prelude::*;
use reqwest_challenge::Challenges;

const TOKEN: &str = "[A-Za-z0-9!#$%&'*+.^_`|~-]{1,8}";
const TOKEN68: &str = "[A-Za-z0-9._~+/-]{1,12}={0,3}";

#[derive(Clone, Debug)]
struct Written {
    scheme: String,
    token68: Option<String>,
    /// Name, value, and whether it is quoted.
    params: Vec<(String, Vec<u8>, bool)>,
}

fn value() -> impl Strategy<Value = (Vec<u8>, bool)> {
    let octet =
        prop_oneof![9 => 0x20..=0x7eu8, 1 => Just(b'\t'), 1 => Just(b'"'), 1 => Just(b'\\'), 2 => 0x80..=0xffu8];
    prop_oneof![
        TOKEN.prop_map(|token| (token.into_bytes(), false)),
        prop::collection::vec(octet, 0..20).prop_map(|octets| (octets, true)),
    ]
}

fn written() -> impl Strategy<Value = Written> {
    let params = prop::collection::btree_map("[a-z][a-z0-9_-]{0,6}", value(), 0..5);
    let body = prop_oneof![
        TOKEN68.prop_map(|token68| (Some(token68), Vec::new())),
        params.prop_map(|params| {
            (None, params.into_iter().map(|(name, (value, quoted))| (name, value, quoted)).collect())
        }),
    ];
    (TOKEN, body).prop_map(|(scheme, (token68, params))| Written { scheme, token68, params })
}

/// Blanks of that many spaces and tabs, as a server may add them.
fn strewn(challenges: &[Written], blanks: &[&str]) -> Vec<u8> {
    let mut blanks = blanks.iter().copied().cycle();
    let mut blank = || blanks.next().unwrap_or_default();
    let mut line = Vec::new();
    for (index, challenge) in challenges.iter().enumerate() {
        if index > 0 {
            line.extend_from_slice([blank(), ",", blank()].concat().as_bytes());
        }
        line.extend_from_slice(challenge.scheme.as_bytes());
        if let Some(token68) = &challenge.token68 {
            line.extend_from_slice(format!(" {token68}").as_bytes());
        }
        for (index, (name, value, quoted)) in challenge.params.iter().enumerate() {
            line.extend_from_slice(if index == 0 { " " } else { "," }.as_bytes());
            line.extend_from_slice([name.as_str(), blank(), "=", blank()].concat().as_bytes());
            if !quoted {
                line.extend_from_slice(value);
                continue;
            }
            line.push(b'"');
            for &octet in value {
                line.extend_from_slice(if matches!(octet, b'"' | b'\\') { b"\\" } else { b"" });
                line.push(octet);
            }
            line.push(b'"');
        }
    }
    line
}

fn same(read: &Challenges, written: &[Written]) -> Result<(), TestCaseError> {
    prop_assert_eq!(read.len(), written.len());
    for (challenge, written) in read.iter().zip(written) {
        prop_assert_eq!(challenge.scheme(), &written.scheme);
        prop_assert_eq!(challenge.token68(), written.token68.as_deref());
        let params: Vec<_> =
            challenge.params().map(|param| (param.name().to_owned(), param.bytes().into_owned())).collect();
        let wanted: Vec<_> = written.params.iter().map(|(name, value, _)| (name.clone(), value.clone())).collect();
        prop_assert_eq!(params, wanted);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_written_list_is_read_as_it_was_written(
        challenges in prop::collection::vec(written(), 0..4),
        blanks in prop::collection::vec(prop::sample::select(vec!["", " ", "\t", "  "]), 1..5),
    ) {
        let read = Challenges::parse(strewn(&challenges, &blanks));
        prop_assert!(read.is_strict(), "{:?}", read.defects().collect::<Vec<_>>());
        same(&read, &challenges)?;
    }

    #[test]
    fn the_canonical_form_is_read_as_the_same_challenge(challenges in prop::collection::vec(written(), 1..4)) {
        let first = Challenges::parse(strewn(&challenges, &[" "]));
        for challenge in &first {
            let again = Challenges::parse(challenge.to_bytes());
            prop_assert_eq!(again.iter().collect::<Vec<_>>(), vec![challenge]);
            prop_assert_eq!(again.iter().next().unwrap().to_bytes(), challenge.to_bytes());
        }
        // The text form holds the same text: octets that are not UTF-8 are written as Latin-1 characters.
        let text = Challenges::parse(first.to_string());
        let values = |read: &Challenges| -> Vec<String> {
            read.iter().flat_map(|challenge| challenge.params()).map(|param| param.value().into_owned()).collect()
        };
        // U+00AD is the only printable Latin-1 character that is shown as an escape. Two octets can form other such characters.
        let is_escaped = |character: char| character != '\t' && (character.is_control() || character == '\u{ad}' || character > '\u{ff}');
        let escapes = values(&first).iter().any(|value| value.chars().any(is_escaped));
        prop_assert!(escapes || values(&text) == values(&first));
    }

    /// The parser compares a few short names, and looks up many or long ones in a table.
    #[test]
    fn every_duplicate_is_found_among_few_and_many_and_long_names(
        names in prop::collection::vec(prop_oneof![
            3 => "[a-dA-D]{1,3}",
            1 => "[aA]{33,34}",
            // Equal first octets and lengths.
            2 => "p[a-zA-Z0-9]{2}",
        ], 0..60),
        lengths in prop::collection::vec(1..40_usize, 60),
    ) {
        let (mut left, mut wanted, mut lines) = (&names[..], Vec::new(), Vec::new());
        for (line, length) in lengths.into_iter().enumerate().filter(|_| !names.is_empty()) {
            let (own, rest) = left.split_at(length.min(left.len()));
            let (mut text, mut known) = ("A ".to_owned(), std::collections::BTreeSet::new());
            for name in own {
                if !known.insert(name.to_ascii_lowercase()) {
                    wanted.push((line, text.len()));
                }
                text += &format!("{name}=b,");
            }
            lines.push(text);
            left = rest;
            if left.is_empty() {
                break;
            }
        }
        let read = Challenges::parse_lines(&lines);
        let found: Vec<_> = read.defects().map(|defect| (defect.line(), defect.byte())).collect();
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn any_octets_are_read_without_a_panic(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..4)) {
        let read = Challenges::parse_lines(&lines);
        exercise(&read)?;
        let mut headers = HeaderMap::new();
        for line in lines.iter().filter_map(|line| HeaderValue::from_bytes(line).ok()) {
            headers.append(WWW_AUTHENTICATE, line);
        }
        exercise(&Challenges::from_headers(&headers))?;
    }
}

/// Calls every getter of a list, and checks the invariants of all lists.
fn exercise(read: &Challenges) -> Result<(), TestCaseError> {
    prop_assert_eq!(read.is_strict(), read.defects().len() == 0);
    let _ = (format!("{read}"), format!("{read:?}"));
    for defect in read.defects() {
        let mark = defect.mark().to_string();
        prop_assert!(mark.is_ascii() && mark.lines().all(|line| line.len() <= 61), "{mark}");
        let _ = defect.to_string();
    }
    for challenge in read {
        prop_assert!(!challenge.scheme().is_empty());
        prop_assert!(!challenge.to_string().chars().any(|shown| shown != '\t' && shown.is_control()));
        for param in challenge.params() {
            prop_assert!(!param.name().is_empty());
            prop_assert!(param.is_broken() || challenge.param(param.name()).is_some());
        }
    }
    Ok(())
}
