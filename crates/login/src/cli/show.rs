//! What a person sees on standard error: the page, its host, a code, and that something is waited for.

use crate::util::lock;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;

use crate::oauth::AuthorizationPrompt;
use reqwest_challenge::BoxError;
use reqwest_challenge::support::OneLine;

/// Opens a page in a browser.
pub(super) type Open = Arc<dyn Fn(&url::Url) -> io::Result<()> + Send + Sync>;

/// Writes for a person.
#[derive(Clone)]
pub(super) struct Screen {
    out: Arc<Mutex<dyn Write + Send>>,
    waiting: Arc<Mutex<Option<ProgressBar>>>,
    /// Whether what is written is a terminal, which can show that time passes.
    terminal: bool,
}

impl Screen {
    pub(super) fn stderr(terminal: bool) -> Self {
        Self { out: Arc::new(Mutex::new(io::stderr())), waiting: Arc::default(), terminal }
    }

    pub(super) fn of(out: impl Write + Send + 'static) -> Self {
        Self { out: Arc::new(Mutex::new(out)), waiting: Arc::default(), terminal: false }
    }

    pub(super) fn say(&self, text: &str) {
        let mut out = lock(&self.out);
        // Whoever closed it does not want to know.
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }

    /// Shows that somebody is waited for, until [`Waiting`] goes.
    pub(super) fn wait(&self, text: String) {
        if !self.terminal {
            return;
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        // The template is a constant that holds.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_message(text);
        bar.enable_steady_tick(Duration::from_millis(120));
        *lock(&self.waiting) = Some(bar);
    }

    /// Takes the line away when it goes, however that comes.
    pub(super) fn while_waiting(&self) -> Waiting<'_> {
        Waiting(self)
    }
}

pub(super) struct Waiting<'s>(&'s Screen);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(bar) = lock(&self.0.waiting).take() {
            bar.finish_and_clear();
        }
    }
}

/// Prints the page first, and then tries to open a browser: one that does not open is no error.
pub(super) fn in_browser(screen: &Screen, open: &Open, invitation: &AuthorizationPrompt) -> Result<(), BoxError> {
    screen.say(&format!(
        "Log in for {} at {}, in the browser that opens, or at this address:\n\n    {}\n",
        invitation.api(),
        invitation.host(),
        invitation.url()
    ));
    let (screen, open, url) = (screen.clone(), open.clone(), invitation.url().clone());
    // It may wait for the browser, which may be one of a terminal.
    let notice = screen.clone();
    drop(tokio::task::spawn_blocking(move || {
        if let Err(error) = open(&url) {
            let error = error.to_string();
            let error = OneLine::new(&error);
            notice.say(&format!("(no browser opened: {error}; the address above does it too)"));
        }
    }));
    screen.wait(format!("waiting for the login at {} – Ctrl-C gives up", invitation.host()));
    Ok(())
}

/// Prints the page and the code, and a QR code of both for a phone.
pub(super) fn on_device(screen: &Screen, invitation: &AuthorizationPrompt) -> Result<(), BoxError> {
    let code = OneLine::new(invitation.user_code().unwrap_or_default());
    let mut text = format!(
        "Log in for {} at {}, on any device:\n\n    {}\n\n    and type the code  {code}\n",
        invitation.api(),
        invitation.host(),
        invitation.url()
    );
    if invitation.complete_url() != invitation.url() {
        let _ = write!(text, "\n    or open {}\n", invitation.complete_url());
    }
    if screen.terminal
        && let Ok(code) = QrCode::new(invitation.complete_url().as_str())
    {
        let _ = write!(text, "\n{}\n", code.render::<Dense1x2>().quiet_zone(true).build());
    }
    screen.say(&text);
    screen.wait(format!("waiting for the login at {} – Ctrl-C gives up", invitation.host()));
    Ok(())
}
