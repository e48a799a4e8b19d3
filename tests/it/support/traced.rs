//! Captures the traces of one thread. There is one subscriber for the whole process, installed before the first trace, because
//! a scoped subscriber resets the interest of the others.

use std::cell::RefCell;
use std::io::{Result, Write};
use std::sync::Once;

use tracing_subscriber::fmt::format::FmtSpan;

thread_local! {
    static TRACED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

struct ThisThread;

impl Write for ThisThread {
    fn write(&mut self, octets: &[u8]) -> Result<usize> {
        TRACED.with_borrow_mut(|traced| traced.as_mut().map(|traced| traced.extend_from_slice(octets)));
        Ok(octets.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(FmtSpan::FULL)
            .with_writer(|| ThisThread)
            .with_ansi(false)
            .init();
    });
}

/// Starts to capture the traces of this thread.
pub(crate) fn capture() {
    install();
    TRACED.set(Some(Vec::new()));
}

pub(crate) fn text() -> String {
    TRACED.with_borrow(|traced| String::from_utf8_lossy(traced.as_deref().unwrap_or_default()).into_owned())
}
