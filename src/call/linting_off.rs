//! Nothing is looked for: the `lint` feature is off.

use crate::error::Findings;
use http::HeaderMap;
use reqwest::Response;

use super::verdict::Judge;
use crate::challenge::Challenges;
use crate::error::AuthReport;
use crate::session::Listeners;

#[derive(Default)]
pub(crate) struct Told(());

pub(crate) fn is_of_note(_judge: &Judge<'_>, _response: &Response) -> bool {
    false
}

pub(crate) fn look(
    _to: (&Judge<'_>, &Told, &Listeners),
    _response: &Response,
    _read: (&[u8], Option<&Challenges>),
    _of: (&AuthReport, bool, Option<&HeaderMap>),
) -> Findings {
    Findings::default()
}
