//! The command line. It contains no secret.

use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::Url;

pub(crate) const USAGE: &str = "usage: probe URL [--json] [--bearer-file FILE | --bearer-env VARIABLE | --basic-file FILE] [--good] [--header 'Name: value']…";

pub(crate) struct Arguments {
    pub(crate) url: Url,
    pub(crate) json: bool,
    /// A token, or `user:password`.
    pub(crate) secret: Option<String>,
    pub(crate) basic: bool,
    /// Whether the user knows that the credential is valid. Then a 401 is wrong, and should be a 403.
    pub(crate) good: bool,
    pub(crate) headers: HeaderMap,
}

impl Arguments {
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut url, mut json, mut good, mut basic) = (None, false, false, false);
        let (mut secret, mut headers) = (None, HeaderMap::new());
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value"));
            match word.as_str() {
                "--json" => json = true,
                "--good" => good = true,
                "--bearer-file" | "--bearer-env" | "--basic-file" if secret.is_some() => {
                    return Err("two credentials are given: give one".to_owned());
                }
                "--bearer-file" | "--basic-file" => {
                    basic = word == "--basic-file";
                    let file = value()?;
                    secret = Some(std::fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?);
                }
                "--bearer-env" => {
                    let name = value()?;
                    secret = Some(std::env::var(&name).map_err(|_| format!("the variable `{name}` is not set"))?);
                }
                "--header" => {
                    let (name, value) = header(&value()?)?;
                    headers.append(name, value);
                }
                // The text after `=` may be a secret.
                _ if word.starts_with('-') => {
                    return Err(format!("the option `{}` is unknown", word.split('=').next().unwrap_or_default()));
                }
                _ if url.is_some() => return Err("two URLs are given: give one".to_owned()),
                _ => {
                    url = Some(
                        Url::parse(&word).map_err(|error| format!("this is not a URL ({error}): write `https://…`"))?,
                    )
                }
            }
        }
        // An editor adds a line break at the end of a file.
        let secret = secret.map(|secret: String| secret.trim_end_matches(['\r', '\n']).to_owned());
        if secret.as_ref().is_some_and(String::is_empty) {
            return Err("the credential is empty".to_owned());
        }
        if basic && !secret.as_ref().is_some_and(|pair| pair.contains(':')) {
            return Err("the file must contain `user:password`".to_owned());
        }
        let url = url.ok_or("no URL is given")?;
        if secret.is_some() {
            super::guard::may_go_to(&url)?;
        }
        Ok(Self { url, json, secret, basic, good, headers })
    }
}

fn header(line: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = line.split_once(':').ok_or("write a header as `Name: value`")?;
    let name: HeaderName = name.trim().parse().map_err(|_| format!("`{name}` is not the name of a header field"))?;
    if [http::header::AUTHORIZATION, http::header::COOKIE].contains(&name) {
        return Err(format!(
            "other users can read a command line: instead of `{name}`, use --bearer-file or --bearer-env"
        ));
    }
    let value = value.trim().parse().map_err(|_| format!("the value of `{name}` contains a control character"))?;
    Ok((name, value))
}
