//! All vectors of `tests/vectors`, through headers and through raw bytes.

use http::HeaderMap;
use http::header::{HeaderValue, WWW_AUTHENTICATE};
use reqwest_challenge::{Challenge, Challenges};
use serde_json::Value;

/// A challenge in the form of the vectors.
#[derive(Debug, PartialEq, Clone)]
struct Plain {
    scheme: String,
    token68: Option<String>,
    params: Vec<(String, String)>,
}

fn latin1(octets: &[u8]) -> String {
    octets.iter().map(|&octet| char::from(octet)).collect()
}

fn octets(text: &str) -> Vec<u8> {
    text.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect()
}

fn plain(challenge: Challenge<'_>) -> Plain {
    Plain {
        scheme: challenge.scheme().to_owned(),
        token68: challenge.token68().map(str::to_owned),
        params: challenge.params().map(|param| (param.name().to_ascii_lowercase(), latin1(&param.bytes()))).collect(),
    }
}

fn expected(challenges: &Value) -> Vec<Plain> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let one = |challenge: &Value| Plain {
        scheme: text(&challenge["scheme"]),
        token68: challenge["token68"].as_str().map(str::to_owned),
        params: challenge["params"].as_array().unwrap().iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
    };
    challenges.as_array().unwrap().iter().map(one).collect()
}

/// Whether the result contains each required challenge, in order, with the required parameters first.
fn has_required(result: &[Plain], required: &[Plain]) -> bool {
    let mut left = result.iter();
    required.iter().all(|wanted| {
        left.any(|found| {
            found.scheme == wanted.scheme && found.token68 == wanted.token68 && found.params.starts_with(&wanted.params)
        })
    })
}

struct Vector {
    id: String,
    lines: Vec<Vec<u8>>,
    expect: Value,
    raw_only: bool,
}

fn vectors() -> Vec<Vector> {
    include_str!("../vectors/challenges.jsonl")
        .lines()
        .map(|line| {
            let vector: Value = serde_json::from_str(line).unwrap();
            Vector {
                id: vector["id"].as_str().unwrap().to_owned(),
                lines: vector["headers"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|line| octets(line.as_str().unwrap()))
                    .collect(),
                raw_only: vector["expect"]["transport"].is_string() || vector["transport"].is_string(),
                expect: vector["expect"].clone(),
            }
        })
        .collect()
}

/// The lines, read by each function that reads lines.
fn readings(vector: &Vector) -> Vec<Challenges> {
    let mut readings = vec![Challenges::parse_lines(&vector.lines)];
    let headers: Result<HeaderMap, _> = vector
        .lines
        .iter()
        .map(|line| HeaderValue::from_bytes(line).map(|value| (WWW_AUTHENTICATE, value)))
        .collect::<Result<Vec<_>, _>>()
        .map(|lines| {
            let mut headers = HeaderMap::new();
            lines.into_iter().for_each(|(name, value)| {
                headers.append(name, value);
            });
            headers
        });
    assert_eq!(headers.is_err(), vector.raw_only, "{}", vector.id);
    readings.extend(headers.ok().map(|headers| Challenges::from_headers(&headers)));
    readings
}

#[test]
fn every_well_formed_vector_is_read_exactly() {
    let mut seen = 0;
    for vector in vectors().iter().filter(|vector| vector.expect["lenient"] == false) {
        seen += 1;
        for read in readings(vector) {
            let result: Vec<_> = read.iter().map(plain).collect();
            assert_eq!(result, expected(&vector.expect["challenges"]), "{}", vector.id);
            assert!(read.is_strict(), "{}: {:?}", vector.id, read.defects().collect::<Vec<_>>());
        }
    }
    assert_eq!(seen, 108);
}

#[test]
fn every_malformed_vector_is_read_as_expected_and_has_a_defect() {
    let mut seen = 0;
    for vector in vectors().iter().filter(|vector| vector.expect["lenient"] == true) {
        seen += 1;
        for read in readings(vector) {
            let result: Vec<_> = read.iter().map(plain).collect();
            assert_eq!(result, expected(&vector.expect["challenges"]), "{}", vector.id);
            assert!(!read.is_strict(), "{}", vector.id);
        }
    }
    assert_eq!(seen, 41);
}

#[test]
fn every_required_challenge_is_found() {
    let mut seen = 0;
    for vector in vectors().iter().filter(|vector| vector.expect["must_have"].is_array()) {
        let required = expected(&vector.expect["must_have"]);
        seen += usize::from(!required.is_empty());
        for read in readings(vector) {
            assert!(has_required(&read.iter().map(plain).collect::<Vec<_>>(), &required), "{}", vector.id);
        }
    }
    assert_eq!(seen, 10);
}

#[test]
fn a_missing_required_challenge_is_noticed() {
    let challenge = |scheme: &str, params: &[(&str, &str)]| Plain {
        scheme: scheme.to_owned(),
        token68: None,
        params: params.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
    };
    let result = [challenge("A", &[("x", "1"), ("y", "2")]), challenge("B", &[])];
    assert!(has_required(&result, &[challenge("A", &[("x", "1")]), challenge("B", &[])]));
    assert!(!has_required(&result, &[challenge("B", &[]), challenge("A", &[])]));
    assert!(!has_required(&result, &[challenge("A", &[("y", "2")])]));
}

#[test]
fn a_challenge_that_is_written_back_is_read_as_the_same() {
    for vector in vectors() {
        for read in readings(&vector) {
            for challenge in &read {
                let again = Challenges::parse(challenge.to_bytes());
                let whole: Vec<_> = challenge.params().filter(|param| !param.is_broken()).collect();
                let first = again.iter().next().unwrap_or_else(|| panic!("{}", vector.id));
                assert_eq!(again.len(), 1, "{}", vector.id);
                assert_eq!(
                    (first.scheme(), first.token68()),
                    (challenge.scheme(), challenge.token68()),
                    "{}",
                    vector.id
                );
                assert_eq!(first.params().collect::<Vec<_>>(), whole, "{}", vector.id);
            }
        }
    }
}
