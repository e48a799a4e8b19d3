//! The secrets of a credential, for masking what a server repeats.

use super::credential::{Credential, Kind};
use super::mask::Masker;

impl Credential {
    /// A masker for the secrets of these credentials.
    pub(crate) fn masker_of<'c>(credentials: impl IntoIterator<Item = &'c Self>) -> Masker {
        let mut masker = Masker::default();
        credentials.into_iter().for_each(|credential| credential.mask_in(&mut masker));
        masker
    }

    /// Adds its secrets to the masker: what it puts on a request, what is attached to it, and other values that a
    /// server may echo.
    pub(super) fn mask_in(&self, masker: &mut Masker) {
        match &self.0.kind {
            Kind::Header(_, value) => {
                // As UTF-8, because the user name in a Digest answer may be UTF-8.
                let text = value.iter().filter_map(|value| std::str::from_utf8(value.as_bytes()).ok());
                text.for_each(|value| masker.add_header(value));
            }
            Kind::Custom(authorize) => authorize.export().iter().for_each(|kept| masker.add_kept(kept.expose())),
        }
        self.0.attachment.iter().for_each(|kept| masker.add_kept(kept.expose()));
        self.0.inner.iter().for_each(|secret| masker.add(secret.expose()));
    }
}

impl Masker {
    /// Adds the secrets of a credential: what it puts on a request, what is attached to it, and other values that a server
    /// may repeat.
    pub fn add_credential(&mut self, credential: &Credential) {
        credential.mask_in(self);
    }
}
