//! The secrets in recorded requests.

use std::collections::HashSet;

use http::Method;
use http::header::AUTHORIZATION;

use crate::message::Exchange;

/// The parameters of a token or revocation request whose values are secret.
const SECRET_PARAMETERS: [&str; 7] =
    ["refresh_token", "client_secret", "password", "code", "token", "assertion", "client_assertion"];

/// The credentials of these requests without their scheme, and the secret parameters of posted forms.
pub(super) fn secrets<'e>(exchanges: impl IntoIterator<Item = &'e Exchange>) -> HashSet<String> {
    let mut all = HashSet::new();
    for exchange in exchanges {
        let request = &exchange.request;
        for value in request.headers.get(AUTHORIZATION).into_iter().chain(request.key()) {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            all.insert(value.split_once(' ').map_or(value.clone(), |(_, token)| token.trim().to_owned()));
        }
        if request.method == Method::POST {
            all.extend(SECRET_PARAMETERS.iter().filter_map(|name| request.form(name)));
        }
    }
    all.remove("");
    all
}
