//! What the user reads on standard error: the page of a login, a code, and that the tool waits.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use reqwest_challenge::BoxError;
use reqwest_challenge::support::OneLine;

use crate::oauth::AuthorizationPrompt;
use crate::util::lock;

/// The interval between two frames of the progress line.
const FRAME_INTERVAL: Duration = Duration::from_millis(120);

/// Opens a page in a browser.
pub(super) type Open = Arc<dyn Fn(&url::Url) -> io::Result<()> + Send + Sync>;

/// Writes text for the user.
#[derive(Clone)]
pub(super) struct Screen {
    out: Arc<Mutex<dyn Write + Send>>,
    progress: Arc<Mutex<Option<ProgressBar>>>,
    /// Whether the text goes to a terminal, which can show a progress line.
    is_terminal: bool,
}

impl Screen {
    pub(super) fn stderr(is_terminal: bool) -> Self {
        Self { out: Arc::new(Mutex::new(io::stderr())), progress: Arc::default(), is_terminal }
    }

    pub(super) fn of(out: impl Write + Send + 'static) -> Self {
        Self { out: Arc::new(Mutex::new(out)), progress: Arc::default(), is_terminal: false }
    }

    pub(super) fn say(&self, text: &str) {
        let mut out = lock(&self.out);
        // If the output is closed, the user reads nothing, and the login continues.
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }

    /// Shows a progress line until [`Progress`] is dropped.
    fn show_progress(&self, text: String) {
        if !self.is_terminal {
            return;
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        // The template is a constant, and is valid.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_message(text);
        bar.enable_steady_tick(FRAME_INTERVAL);
        *lock(&self.progress) = Some(bar);
    }

    /// Returns a guard that removes the progress line when it is dropped, also if the login is cancelled.
    pub(super) fn progress(&self) -> Progress<'_> {
        Progress(self)
    }
}

pub(super) struct Progress<'s>(&'s Screen);

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Some(bar) = lock(&self.0.progress).take() {
            bar.finish_and_clear();
        }
    }
}

/// Prints the page, and then opens a browser. If no browser opens, the user can open the page, so that is not an error.
pub(super) fn in_browser(screen: &Screen, open: &Open, prompt: &AuthorizationPrompt) -> Result<(), BoxError> {
    screen.say(&format!(
        "Log in for {} at {}, in the browser that opens, or at this address:\n\n    {}\n",
        prompt.api(),
        prompt.host(),
        prompt.url()
    ));
    let (screen, open, url) = (screen.clone(), open.clone(), prompt.url().clone());
    // This runs on a thread that may block, because a browser in the terminal runs until the user closes it.
    let notice = screen.clone();
    drop(tokio::task::spawn_blocking(move || {
        if let Err(error) = open(&url) {
            let error = error.to_string();
            let error = OneLine::new(&error);
            notice.say(&format!("(no browser opened: {error}; open the address above yourself)"));
        }
    }));
    screen.show_progress(format!("waiting for the login at {} – Ctrl-C cancels", prompt.host()));
    Ok(())
}

/// Prints the page and the code, and a QR code of both for a phone.
pub(super) fn on_device(screen: &Screen, prompt: &AuthorizationPrompt) -> Result<(), BoxError> {
    let code = OneLine::new(prompt.user_code().unwrap_or_default());
    let mut text = format!(
        "Log in for {} at {}, on any device:\n\n    {}\n\n    and type the code  {code}\n",
        prompt.api(),
        prompt.host(),
        prompt.url()
    );
    if prompt.complete_url() != prompt.url() {
        let _ = write!(text, "\n    or open {}\n", prompt.complete_url());
    }
    if screen.is_terminal
        && let Ok(code) = QrCode::new(prompt.complete_url().as_str())
    {
        let _ = write!(text, "\n{}\n", code.render::<Dense1x2>().quiet_zone(true).build());
    }
    screen.say(&text);
    screen.show_progress(format!("waiting for the login at {} – Ctrl-C cancels", prompt.host()));
    Ok(())
}
