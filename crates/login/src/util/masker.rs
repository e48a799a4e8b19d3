//! Masks the secrets of a credential in the text of a server.

use reqwest_challenge::Credential;
use reqwest_challenge::support::Masker;

/// A masker for the secrets of this credential. Without a credential, it masks nothing.
pub(crate) fn masker_of(credential: Option<&Credential>) -> Masker {
    let mut masker = Masker::default();
    credential.into_iter().for_each(|credential| masker.add_credential(credential));
    masker
}
