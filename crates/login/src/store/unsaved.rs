//! A credential that could not be saved.

use super::saved::Saved;

/// A credential that could not be saved. It is kept in memory, and saved later.
#[derive(Clone)]
pub(super) struct Unsaved {
    /// The text that it replaces.
    pub(super) old: Option<Saved>,
    pub(super) new: Saved,
    /// Whether it comes from a login: the caller asked for it, or the user was asked.
    pub(super) is_login: bool,
}

/// The newest known credential.
pub(super) struct Known {
    /// The stored text.
    pub(super) stored: Option<Saved>,
    /// The newer text that could not be saved, or else the stored one.
    pub(super) newest: Option<Saved>,
}

/// The text that could not be saved, if it is newer than the stored one; otherwise the stored one.
pub(super) fn newest(unsaved: Option<&Unsaved>, stored: Option<&Saved>) -> Option<Saved> {
    // A login replaces every stored text.
    let pending = unsaved.filter(|pending| pending.is_login || pending.old.as_ref() == stored);
    pending.map(|pending| &pending.new).or(stored).cloned()
}
