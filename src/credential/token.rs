//! The token of a credential, for the server that takes it back.

use super::{Credential, Kind};
use crate::secret::Secret;

impl Credential {
    /// The token alone: of a bearer token, and of a scheme that says what a store keeps of it.
    pub(crate) fn token(&self) -> Option<Secret> {
        match &self.0.kind {
            Kind::Header(_, value) => {
                let text = value.as_ref().ok()?.to_str().ok()?;
                text.strip_prefix("Bearer ").map(Secret::new)
            }
            Kind::Custom(authorize) => authorize.export(),
        }
    }
}
