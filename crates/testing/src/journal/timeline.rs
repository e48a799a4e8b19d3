//! The text of a journal: one line per entry.

use std::collections::HashMap;
use std::fmt;

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use reqwest_challenge::Secret;
use reqwest_challenge::support::{Masker, OneLine};

use super::journal::{Entry, Journal};
use super::secrets::secrets;
use crate::message::{Exchange, ReceivedRequest};

/// The timeline. It numbers the credentials in the order of their first use, and prints none of them.
impl fmt::Display for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.entries();
        let mut masker = Masker::default();
        let all_secrets = secrets(entries.iter().filter_map(Entry::exchange));
        all_secrets.iter().for_each(|secret| masker.add_secret(&Secret::new(secret.as_str())));
        let mut credentials = Credentials::default();
        writeln!(f, "timeline, {} entries:", entries.len())?;
        for (index, entry) in entries.iter().enumerate() {
            write!(f, "{:>4}  ", index + 1)?;
            match entry {
                Entry::Refresh(reason) => write!(f, "refresh ({reason:?})")?,
                Entry::Request(exchange) => write_exchange(f, exchange, &masker, &mut credentials)?,
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

fn write_exchange(
    f: &mut fmt::Formatter<'_>,
    exchange: &Exchange,
    masker: &Masker,
    credentials: &mut Credentials,
) -> fmt::Result {
    let request = &exchange.request;
    let credential = credentials.label(request);
    // The test writes the path, so only secrets that do not occur by chance are masked in it.
    let path = masker.mask_certain(request.path().to_owned());
    write!(f, "{:<10} {:<7} {path}  {credential}", request.server, request.method.as_str())?;
    match (&exchange.answer, exchange.status()) {
        (None, _) => f.write_str("  → not answered yet"),
        (Some(_), None) => f.write_str("  → cut"),
        (Some(answer), Some(status)) => {
            write!(f, "  → {}", status.as_u16())?;
            for line in answer.headers.get_all(WWW_AUTHENTICATE) {
                // A server may repeat a credential in its challenge.
                let line = masker.mask(String::from_utf8_lossy(line.as_bytes()).into_owned());
                write!(f, "  {}", OneLine::with_columns(&line, usize::MAX))?;
            }
            Ok(())
        }
    }
}

/// The number of each credential.
#[derive(Default)]
struct Credentials(HashMap<String, usize>);

impl Credentials {
    /// What the timeline prints for the credential of a request: `no credential` or `Bearer #1`.
    fn label(&mut self, request: &ReceivedRequest) -> String {
        // A value that is not text has no scheme.
        let not_text = request.headers.contains_key(AUTHORIZATION).then_some("? ?");
        let Some(credential) = request.credential().or(not_text) else { return "no credential".to_owned() };
        let next = self.0.len() + 1;
        let number = self.0.entry(credential.to_owned()).or_insert(next);
        // Any other first word may be a part of the secret.
        let scheme = credential.split_once(' ').map_or("", |(scheme, _)| scheme);
        let is_known = ["Bearer", "Basic", "Digest", "DPoP"].contains(&scheme);
        format!("{} #{number}", if is_known { scheme } else { "credential" })
    }
}
