//! Pieces of a token are masked like the token.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::masking::message;

#[tokio::test]
async fn a_long_piece_of_a_token_is_masked_and_its_words_are_shown() {
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZTEifQ.Xc4_kLq7ZtP0vB2nM9aSdFgHjKlQwErTyUiOpZxCvB1";
    let parts: Vec<_> = jwt.split('.').collect();
    for (secret, text, wanted) in [
        (
            jwt,
            format!("header {}, payload {}, signature {}", parts[0], parts[1], parts[2]),
            "header ***, payload ***, signature ***",
        ),
        (jwt, format!("signature {}", STANDARD.encode(parts[2])), "signature ***=="),
        (jwt, format!("ends in …{}", &jwt[jwt.len() - 20..]), "ends in …***"),
        ("sk_live_4eC39HqLyjWDarjt", "no key 4eC39HqLyjWDarjt here".to_owned(), "no key *** here"),
        ("sk_live_4eC39HqLyjWDarjt", "sk_live_ keys are for live mode".to_owned(), "sk_live_ keys are for live mode"),
        ("password-for-api-2024", "password-for-api?".to_owned(), "***?"),
        ("password-for-2024x", "the password-for this".to_owned(), "the password-for this"),
        ("hunter2", "hunter".to_owned(), "hunter"),
    ] {
        assert_eq!(message(secret, &text).await, wanted, "{secret}");
    }
}
