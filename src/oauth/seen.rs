//! What was heard of an API last: a login that nobody's request asked for has no challenge at hand.

use std::sync::{Arc, Mutex, PoisonError};

use super::resource::named;
use crate::origin::Origin;
use crate::refresh::{Cause, Demand, Occasion, Rejection};

/// The last 401, and where one said last that the API's metadata are.
#[derive(Default)]
pub(super) struct Seen(Mutex<Heard>);

#[derive(Default)]
struct Heard {
    refused: Option<(Origin, Arc<Occasion>, Demand)>,
    metadata: Option<(Origin, String)>,
}

impl Seen {
    /// Remembers a 401.
    pub(super) fn hear(&self, rejection: &Rejection) {
        let Some(occasion) = rejection.occasion.as_ref().filter(|_| rejection.cause() == Cause::Challenged) else {
            return;
        };
        let api = rejection.origin().clone();
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(metadata) = named(rejection) {
            heard.metadata = Some((api.clone(), metadata));
        }
        heard.refused = Some((api, occasion.clone(), rejection.demand().clone()));
    }

    /// A login that somebody asked for is about the last 401, and what that demands.
    pub(super) fn recall(&self, rejection: Rejection) -> Rejection {
        if rejection.cause() != Cause::Asked || rejection.occasion.is_some() {
            return rejection;
        }
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &heard.refused {
            Some((api, occasion, demand)) if api == rejection.origin() => {
                Rejection { occasion: Some(occasion.clone()), demand: demand.clone(), ..rejection }
            }
            _ => rejection,
        }
    }

    /// Where the metadata of the API are, for whom no challenge says it now.
    pub(super) fn metadata(&self, rejection: &Rejection) -> Option<String> {
        if rejection.cause() == Cause::Challenged {
            return None;
        }
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.metadata.as_ref().filter(|(api, _)| api == rejection.origin()).map(|(_, text)| text.clone())
    }

    /// What was demanded has been met.
    pub(super) fn met(&self) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, _, demand)) = &mut heard.refused {
            *demand = Demand::default();
        }
    }
}
