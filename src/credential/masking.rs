//! Masks the secrets of a credential.

use super::credential::{Credential, Kind};
use super::mask::Masker;

impl Credential {
    /// A masker for the secrets of these credentials.
    pub(crate) fn masker_of<'c>(credentials: impl IntoIterator<Item = &'c Self>) -> Masker {
        let mut masker = Masker::default();
        credentials.into_iter().for_each(|credential| credential.mask_in(&mut masker));
        masker
    }

    /// Adds the secrets of this credential to the masker.
    pub(super) fn mask_in(&self, masker: &mut Masker) {
        match &self.0.kind {
            Kind::Header(_, value) => {
                // Not `to_str`: the user name in a Digest credential may have UTF-8 characters.
                let text = value.iter().filter_map(|value| std::str::from_utf8(value.as_bytes()).ok());
                text.for_each(|value| masker.add_header(value));
            }
            Kind::Custom(authorize) => authorize.export().iter().for_each(|secret| masker.add_stored(secret.expose())),
        }
        self.0.attachment.iter().for_each(|secret| masker.add_stored(secret.expose()));
        self.0.password.iter().for_each(|secret| masker.add(secret.expose()));
    }
}

impl Masker {
    /// Adds the secrets of a credential: the value of its header, its password, and its attachment.
    pub fn add_credential(&mut self, credential: &Credential) {
        credential.mask_in(self);
    }
}
