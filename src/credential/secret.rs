//! Secret texts.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

/// A secret text: a token, a password, a key. `Debug` does not print the text. Clones share the text, and the last clone
/// wipes it when it is dropped.
///
/// Some copies are not wiped:
///
/// - copies made before the text was moved in: a `String` that grew left pieces in memory, and a `&str` stays where it
///   was;
/// - copies that a caller of [`expose`](Self::expose) makes;
/// - the buffers of reqwest, TLS and the kernel, through which a header is sent;
/// - memory that was swapped out, and the memory of a process that is killed.
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Makes a secret of the text. A `String` is moved, not copied.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Arc::new(Zeroizing::new(text.into())))
    }

    /// The text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the text is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// Compares in constant time: for two texts of one length, the time does not depend on the texts.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.0.as_bytes(), other.0.as_bytes());
        ours.len() == theirs.len() && ours.iter().zip(theirs).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(_)")
    }
}
