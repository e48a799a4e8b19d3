//! Parses `WWW-Authenticate` values. Prints each challenge, the parameters of its scheme, and each defect with its position.
//!
//! `cargo run --example challenge -- 'Negotiate, Bearer realm="a", error=…'`, or with the lines of one field on
//! standard input. `--json` prints the same as JSON.

use std::ffi::OsString;
use std::io::{BufRead, ErrorKind, IsTerminal, Write};

use reqwest_challenge::{Challenge, Challenges};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (flags, mut values): (Vec<_>, Vec<_>) =
        std::env::args_os().skip(1).map(OsString::into_encoded_bytes).partition(|argument| argument.starts_with(b"--"));
    let odd = flags.iter().any(|flag| flag != b"--json");
    if values.is_empty() && !odd && !std::io::stdin().is_terminal() {
        values = std::io::stdin().lock().split(b'\n').collect::<Result<_, _>>()?;
    }
    if values.is_empty() || odd {
        eprintln!("usage: challenge [--json] [VALUE…]   (or the lines of one field on standard input)");
        std::process::exit(2);
    }
    let read = Challenges::parse_lines(values.iter().map(|value| field_value(value)));
    let mut out = std::io::stdout().lock();
    let printed = if flags.is_empty() { print(&read, &mut out) } else { writeln!(out, "{:#}", as_json(&read)) };
    // A reader such as `head` may close the pipe early. That is not an error.
    printed.or_else(|error| if error.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(error.into()) })
}

/// The value of a whole line: the user may have pasted the name of the field too.
fn field_value(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let name = b"www-authenticate:";
    let named = line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    if named { line[name.len()..].trim_ascii() } else { line }
}

fn print(read: &Challenges, out: &mut impl Write) -> std::io::Result<()> {
    let strict = if read.is_strict() { "well-formed by RFC 9110" } else { "not well-formed by RFC 9110" };
    writeln!(out, "{}: {strict}", count(read.len(), "challenge"))?;
    for (number, challenge) in read.iter().enumerate() {
        writeln!(out, "\n{}. {}", number + 1, challenge.scheme())?;
        if let Some(token68) = challenge.token68() {
            writeln!(out, "   token68  {token68}")?;
        }
        for param in challenge.params() {
            let cut = if param.is_broken() { "   (cut: the closing quote is missing)" } else { "" };
            writeln!(out, "   {} = {}{cut}", param.name(), param.value().escape_debug())?;
        }
        let seen = view(&challenge);
        let said = seen
            .iter()
            .flat_map(Value::as_object)
            .flatten()
            .filter(|(_, value)| !matches!(value, Value::Null) && **value != json!([]));
        for (name, value) in said {
            writeln!(out, "   > {name}: {value}")?;
        }
    }
    if !read.is_strict() {
        writeln!(out, "\n{}:", count(read.defects().len(), "defect"))?;
    }
    for defect in read.defects() {
        writeln!(out, "  {defect}")?;
        for line in defect.mark().to_string().lines() {
            writeln!(out, "    {line}")?;
        }
    }
    Ok(())
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn as_json(read: &Challenges) -> Value {
    let challenges = read.iter().map(|challenge| {
        let params = challenge
            .params()
            .map(|param| json!({ "name": param.name(), "value": param.value(), "broken": param.is_broken() }));
        json!({
            "scheme": challenge.scheme(),
            "token68": challenge.token68(),
            "params": params.collect::<Vec<_>>(),
            "view": view(&challenge),
        })
    });
    let defects = read.defects().map(|defect| {
        let kind = defect.kind();
        json!({ "rule": kind.id(), "line": defect.line(), "byte": defect.byte(), "sentence": kind.sentence(), "section": kind.section() })
    });
    json!({
        "strict": read.is_strict(),
        "challenges": challenges.collect::<Vec<_>>(),
        "defects": defects.collect::<Vec<_>>(),
    })
}

/// The parameters as the scheme defines them.
fn view(challenge: &Challenge<'_>) -> Option<Value> {
    if let Some(registry) = challenge.registry() {
        return Some(
            json!({ "token server": registry.realm(), "service": registry.service(), "scopes": registry.scopes() }),
        );
    }
    if let Some(bearer) = challenge.bearer() {
        let claims = bearer.decoded_claims().map(|claims| match claims {
            Ok(claims) => String::from_utf8_lossy(&claims).into_owned(),
            Err(error) => error.to_string(),
        });
        return Some(json!({
            "error": bearer.error().map(|error| error.as_str().to_owned()), "scopes": bearer.scopes(),
            "resource_metadata": bearer.resource_metadata(), "acr_values": bearer.acr_values(),
            "max_age": bearer.max_age().map(|age| age.as_secs()), "claims": claims,
        }));
    }
    if let Some(dpop) = challenge.dpop() {
        return Some(
            json!({ "algorithms": dpop.algs(), "error": dpop.error().map(|error| error.as_str().to_owned()) }),
        );
    }
    if let Some(digest) = challenge.digest() {
        let (algorithm, session) = (digest.algorithm(), digest.is_session());
        return Some(
            json!({ "algorithm": format!("{algorithm:?}"), "session": session, "qop": digest.qop(), "stale": digest.is_stale() }),
        );
    }
    if let Some(basic) = challenge.basic() {
        return Some(json!({ "utf8": basic.is_utf8() }));
    }
    challenge.cargo().map(|cargo| json!({ "login_url": cargo.login_url() }))
}
