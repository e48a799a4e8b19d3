//! Masking: replaces secrets in a text that a server wrote.
//!
//! A [`Masker`] has one `Needle` for each secret. It makes the `View`s of a text: the text itself, and the texts that are
//! encoded in it (percent-encoding, JSON escapes, base64, hex). Each needle searches each view for the secret, and
//! `pieces` searches for long pieces of a token. A view knows the place of each octet in the original text, so the masker
//! covers that place.
//! `escapes` decodes single characters.
//!
//! `certain` decides which secrets are masked everywhere, and which only where they stand alone: a password that is also
//! a common word must not turn every such word of a text into a mask.

mod certain;
mod escapes;
mod masker;
mod pieces;
mod search;
mod views;

pub use masker::Masker;
