//! No findings: the feature `lint` is off.

#[derive(Clone, Default)]
pub(crate) struct Findings(());

impl Findings {
    pub(crate) fn is_empty(&self) -> bool {
        let Self(()) = self;
        true
    }

    pub(crate) fn add(&mut self, _others: Self) {}
}
