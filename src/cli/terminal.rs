//! Reads a line of the terminal. It can be given up at any time, and takes nothing of what is typed from then on.

use std::fs::File;
use std::io::{self, Read, Write};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr, ttyname};
use zeroize::Zeroizing;

use super::prompt::{Asking, nobody_is_there};

/// How many octets a secret may have.
const LONGEST: usize = 1 << 16;

/// How long a line may be that the terminal itself collects: what is beyond that it throws away.
const SHOWN: usize = 4095;

/// How long one waits before the next look at what has been typed.
const AGAIN: Duration = Duration::from_millis(30);

/// Standard error shows the question; the terminal of standard input gives the answer.
pub(super) fn ask(question: &str, hidden: bool, asking: &Asking) -> io::Result<String> {
    let mut terminal = open()?;
    let mut line = Line::new(tcgetattr(&terminal)?, hidden);
    if hidden {
        let mut modes = tcgetattr(&terminal)?;
        // A terminal that collects lines itself cuts long ones.
        modes.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON);
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        // What was typed before anybody asked is no secret.
        asking.change(|| Ok(tcsetattr(&terminal, OptionalActions::Flush, &modes)?))?;
    }
    show(&format!("{question}: "));
    let answer = line.read(&mut terminal, question, asking).and_then(|()| line.text());
    // The end of a line was not shown, and neither was one that did not come.
    if hidden || answer.is_err() {
        show("\n");
    }
    answer
}

/// Whoever closed standard error cannot be shown anything.
fn show(text: &str) {
    let mut out = io::stderr().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// The terminal of standard input, opened anew: that reading does not wait is true for nobody else then.
fn open() -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let by_name = ttyname(io::stdin(), Vec::new()).and_then(|name| rustix::fs::open(name, flags, Mode::empty()));
    // Whoever has become another user may not open it by its name.
    let opened = by_name.or_else(|_| rustix::fs::open("/dev/tty", flags, Mode::empty()))?;
    Ok(File::from(opened))
}

/// What has been typed of a line.
struct Line {
    octets: Zeroizing<Vec<u8>>,
    hidden: bool,
    modes: Termios,
}

impl Line {
    fn new(modes: Termios, hidden: bool) -> Self {
        // All of its room at once: what grows leaves copies behind.
        Self { octets: Zeroizing::new(Vec::with_capacity(LONGEST)), hidden, modes }
    }

    /// Reads to the end of the line; of one with nothing on it, to the next. What is behind it is thrown away.
    fn read(&mut self, terminal: &mut File, question: &str, asking: &Asking) -> io::Result<()> {
        let mut read = Zeroizing::new([0; 1024]);
        loop {
            match terminal.read(&mut read[..]) {
                Ok(0) => return Err(io::Error::other("nothing was typed")),
                Ok(count) => {
                    for &octet in &read[..count] {
                        match self.is_ended_by(octet)? {
                            true if self.octets.is_empty() => {
                                // The end of a line is shown where the rest of it is.
                                show(&format!("{}{question}: ", if self.hidden { "\n" } else { "" }));
                            }
                            true => return Ok(()),
                            false => {}
                        }
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if asking.is_given_up_within(AGAIN) {
                        return Err(nobody_is_there());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn is_ended_by(&mut self, octet: u8) -> io::Result<bool> {
        let code = |index| self.modes.special_codes[index];
        if octet == b'\n' || octet == b'\r' {
            return Ok(true);
        }
        if !self.hidden {
            // The terminal has done the rest.
            self.octets.push(octet);
        } else if octet == code(SpecialCodeIndex::VEOF) {
            return if self.octets.is_empty() { Err(io::Error::other("nothing was typed")) } else { Ok(true) };
        } else if octet == code(SpecialCodeIndex::VKILL) {
            self.octets.clear();
        } else if octet == code(SpecialCodeIndex::VERASE) || octet == 0x7f || octet == 0x08 {
            // A character, of however many octets.
            while self.octets.pop().is_some_and(|octet| octet & 0xc0 == 0x80) {}
        } else {
            self.octets.push(octet);
        }
        let (bound, what) = if self.hidden { (LONGEST, "a secret") } else { (SHOWN, "a line that is shown") };
        if self.octets.len() >= bound {
            return Err(io::Error::other(format!("{what} has fewer than {bound} octets")));
        }
        Ok(false)
    }

    fn text(&mut self) -> io::Result<String> {
        // Moved, not copied.
        String::from_utf8(std::mem::take(&mut *self.octets)).map_err(|error| {
            drop(Zeroizing::new(error.into_bytes()));
            io::Error::other("what was typed is not UTF-8")
        })
    }
}

/// How the terminal was, so that it is so again.
pub(super) struct Before(Option<Termios>);

impl Before {
    pub(super) fn kept() -> Self {
        Self(tcgetattr(io::stdin()).ok())
    }
}

impl Drop for Before {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // Half a secret is for nobody who reads next.
            let _ = tcsetattr(io::stdin(), OptionalActions::Flush, before);
        }
    }
}
