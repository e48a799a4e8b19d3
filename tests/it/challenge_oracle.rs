//! A second parser, written from the ABNF of RFC 9110 alone. It tries every derivation, so it knows whether a value is
//! well-formed and what it means. It is short and slow.

use std::cell::Cell;
use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use reqwest_challenge::{Challenges, Defect};

type Params = Vec<(String, Vec<u8>)>;
type Plain = (String, Option<String>, Params);

fn tchar(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet)
}

fn token(value: &[u8], at: usize) -> Option<usize> {
    let end = at + value[at..].iter().take_while(|&&octet| tchar(octet)).count();
    (end > at).then_some(end)
}

fn blanks(value: &[u8], at: usize) -> usize {
    at + value[at..].iter().take_while(|octet| b" \t".contains(octet)).count()
}

fn token68(value: &[u8], at: usize) -> Option<usize> {
    let body = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~+/".contains(&octet);
    let end = at + value[at..].iter().take_while(|&&octet| body(octet)).count();
    let padded = end + value[end..].iter().take_while(|&&octet| octet == b'=').count();
    (end > at).then_some(padded)
}

fn quoted_string(value: &[u8], at: usize) -> Option<(usize, Vec<u8>)> {
    let mut content = Vec::new();
    let mut at = at + 1;
    let text = |octet: u8| matches!(octet, b'\t' | b' '..=b'~' | 0x80..);
    loop {
        match (*value.get(at)?, value.get(at + 1)) {
            (b'"', _) => return Some((at + 1, content)),
            (b'\\', Some(&octet)) if text(octet) => {
                content.push(octet);
                at += 2;
            }
            (octet, _) if text(octet) && octet != b'\\' => {
                content.push(octet);
                at += 1;
            }
            _ => return None,
        }
    }
}

/// `auth-param = token BWS "=" BWS ( token / quoted-string )`
fn auth_param(value: &[u8], at: usize) -> Option<(usize, (String, Vec<u8>))> {
    let end = token(value, at)?;
    let equals = blanks(value, end);
    let from = (value.get(equals) == Some(&b'=')).then(|| blanks(value, equals + 1))?;
    let (to, content) = match value.get(from)? {
        b'"' => quoted_string(value, from)?,
        _ => token(value, from).map(|to| (to, value[from..to].to_vec()))?,
    };
    Some((to, (String::from_utf8(value[at..end].to_vec()).unwrap().to_ascii_lowercase(), content)))
}

/// A parser of an element: every position where the element may end, with its value.
type Element<'e, T> = &'e dyn Fn(&[u8], usize) -> Vec<(usize, T)>;

/// `#element = [ element ] *( OWS "," OWS [ element ] )`: every position where it may end, with its elements.
fn list<T: Clone + Ord>(value: &[u8], at: usize, element: Element<'_, T>) -> BTreeSet<(usize, Vec<T>)> {
    let mut ends = BTreeSet::new();
    let mut open = vec![(at, Vec::new())];
    open.extend(element(value, at).into_iter().map(|(end, first)| (end, vec![first])));
    while let Some((end, held)) = open.pop() {
        if !ends.insert((end, held.clone())) {
            continue;
        }
        let comma = blanks(value, end);
        if value.get(comma) != Some(&b',') {
            continue;
        }
        let next = blanks(value, comma + 1);
        // The optional blanks after the comma belong to the list only if the list continues, so both cases are tried.
        open.extend((comma + 1..=next).map(|end| (end, held.clone())));
        open.extend(element(value, next).into_iter().map(|(end, found)| {
            let mut held = held.clone();
            held.push(found);
            (end, held)
        }));
    }
    ends
}

/// `challenge = auth-scheme [ 1*SP ( token68 / #auth-param ) ]`: every position where it may end.
fn challenge(value: &[u8], at: usize) -> Vec<(usize, Plain)> {
    let Some(end) = token(value, at) else { return Vec::new() };
    let scheme = String::from_utf8(value[at..end].to_vec()).unwrap();
    let mut all = vec![(end, (scheme.clone(), None, Vec::new()))];
    let spaces = value[end..].iter().take_while(|&&octet| octet == b' ').count();
    for from in (1..=spaces).map(|count| end + count) {
        if let Some(to) = token68(value, from) {
            let text = String::from_utf8(value[from..to].to_vec()).unwrap();
            all.push((to, (scheme.clone(), Some(text), Vec::new())));
        }
        let params = list(value, from, &|value, at| auth_param(value, at).into_iter().collect());
        all.extend(params.into_iter().map(|(to, params)| (to, (scheme.clone(), None, params))));
    }
    all
}

/// Every meaning of the value. A malformed value has none.
fn meanings(value: &[u8]) -> BTreeSet<Vec<Plain>> {
    let value = value.trim_ascii_start();
    let value = &value[..value.len() - value.iter().rev().take_while(|octet| b" \t".contains(octet)).count()];
    list(value, 0, &challenge).into_iter().filter(|(end, _)| *end == value.len()).map(|(_, held)| held).collect()
}

fn ours(read: &Challenges) -> Vec<Plain> {
    read.iter()
        .map(|challenge| {
            let params =
                challenge.params().map(|param| (param.name().to_ascii_lowercase(), param.bytes().into_owned()));
            (challenge.scheme().to_owned(), challenge.token68().map(str::to_owned), params.collect())
        })
        .collect()
}

fn has_duplicates(challenges: &[Plain]) -> bool {
    challenges.iter().any(|(_, _, params)| {
        let names: BTreeSet<_> = params.iter().map(|(name, _)| name).collect();
        names.len() < params.len()
    })
}

/// Random sequences of pieces. Most of them are malformed.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "A",
        "b",
        "Basic",
        " ",
        " ",
        "  ",
        "\t",
        ",",
        ",",
        ", ",
        "=",
        "==",
        "\"",
        "\\",
        "x=\"y\"",
        "b=c",
        "/",
        ";",
        "é",
        "\\\"",
        "q=\"a, b\"",
        "t=\"\\\\\"",
        "u = v",
        "Digest n=1",
    ]);
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat().into_bytes())
}

#[test]
fn the_parser_agrees_with_the_grammar() {
    let (well_formed, malformed) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(ProptestConfig { cases: 20_000, failure_persistence: None, ..Default::default() });
    runner
        .run(&pieces(), |value| {
            let meanings = meanings(&value);
            let read = Challenges::parse(&value);
            let defects: Vec<_> = read.defects().map(|defect: Defect<'_>| defect.to_string()).collect();
            let Some(meaning) = meanings.first() else {
                prop_assert!(!read.is_strict(), "malformed, and there is no defect");
                malformed.set(malformed.get() + 1);
                return Ok(());
            };
            prop_assert_eq!(meanings.len(), 1, "the grammar is ambiguous: {:?}", &meanings);
            prop_assert_eq!(&ours(&read), meaning);
            prop_assert_eq!(read.is_strict(), !has_duplicates(meaning), "{:?}", defects);
            well_formed.set(well_formed.get() + 1);
            Ok(())
        })
        .unwrap();
    let seen = (well_formed.get(), malformed.get());
    assert!(seen.0 > 2_000 && seen.1 > 2_000, "{seen:?} well-formed and malformed");
}

#[test]
fn the_oracle_reads_the_difficult_cases_as_the_grammar_says() {
    let one = |value: &str| meanings(value.as_bytes()).into_iter().next();
    let param = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
    assert_eq!(one("Basic , realm=\"x\"").unwrap(), [("Basic".into(), None, vec![param("realm", "x")])]);
    assert_eq!(one("Basic, realm=\"x\""), None);
    assert_eq!(one("Bearer scope=").unwrap(), [("Bearer".into(), Some("scope=".into()), vec![])]);
    assert_eq!(one("A b= c").unwrap(), [("A".into(), None, vec![param("b", "c")])]);
    assert_eq!(one(" , ,, ").unwrap(), []);
}
