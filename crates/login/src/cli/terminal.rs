//! Reads a line of the terminal. It can be given up at any time, and takes nothing of what is typed from then on.

use std::fs::File;
use std::io::{self, Read, Write};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::process::Signal;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr, ttyname};
use zeroize::Zeroizing;

use super::foreground::Keys;
use super::prompt::{Asking, given_up};
use crate::cli::foreground;

/// How many octets a secret may have.
const LONGEST: usize = 1 << 16;

/// How long a line may be that the terminal itself collects: what is beyond that it throws away.
const SHOWN: usize = 4095;

/// How long one waits before the next look at what has been typed.
const AGAIN: Duration = Duration::from_millis(30);

/// Standard error shows the question; the terminal of standard input gives the answer.
/// If the process stops while the user types a secret, the shell gets the terminal with its former modes. When the
/// process continues, it discards what the user typed and asks again.
pub(super) fn ask(question: &str, hidden: bool, asking: &Asking) -> io::Result<String> {
    let mut terminal = open()?;
    foreground::wait(&mut terminal, asking)?;
    asking.change(|before| before.keep(&terminal))?;
    let mut line = Line::new(&terminal, hidden)?;
    let answer = line.ask(&mut terminal, question, asking);
    // The end of a line was not shown, and neither was one that did not come.
    if hidden || answer.is_err() {
        show("\n");
    }
    answer
}

/// The modes in which a terminal does not show what the user types.
fn hiding(modes: &Termios, keys: &Keys) -> Termios {
    let mut hiding = modes.clone();
    // A terminal in line mode truncates long lines.
    hiding.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON);
    if !keys.is_empty() {
        hiding.local_modes.remove(LocalModes::ISIG);
    }
    hiding.special_codes[SpecialCodeIndex::VMIN] = 1;
    hiding.special_codes[SpecialCodeIndex::VTIME] = 0;
    hiding
}

/// Whether a terminal shows what the user types.
fn shows(terminal: &File) -> io::Result<bool> {
    Ok(tcgetattr(terminal)?.local_modes.contains(LocalModes::ECHO))
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
    keys: Keys,
}

/// How reading a line ended.
enum Ended {
    Whole,
    /// The user wants to stop or to end the program.
    Signal(Signal),
    /// Another program has turned the echo back on.
    Shown,
}

impl Line {
    fn new(terminal: &File, hidden: bool) -> io::Result<Self> {
        let modes = tcgetattr(terminal)?;
        let keys = Keys::of(terminal, &modes);
        // All of its room at once: what grows leaves copies behind.
        Ok(Self { octets: Zeroizing::new(Vec::with_capacity(LONGEST)), hidden, modes, keys })
    }

    /// Asks until there is an answer. Asks again after each stop.
    fn ask(&mut self, terminal: &mut File, question: &str, asking: &Asking) -> io::Result<String> {
        loop {
            foreground::wait(terminal, asking)?;
            if self.hidden {
                let hiding = hiding(&self.modes, &self.keys);
                // Input from before the question is not the secret.
                asking.change(|_| Ok(tcsetattr(&*terminal, OptionalActions::Flush, &hiding)?))?;
                // A terminal may accept some of the modes and ignore the rest.
                if shows(terminal)? && foreground::is_here(terminal) {
                    return Err(io::Error::other("the terminal cannot hide what is typed"));
                }
            }
            show(&format!("{question}: "));
            match self.read(terminal, question, asking)? {
                Ended::Whole => return self.text(),
                Ended::Shown => {}
                Ended::Signal(signal) => {
                    show("\n");
                    asking.change(|before| before.restore())?;
                    foreground::raise(signal, asking)?;
                }
            }
            self.octets.clear();
        }
    }

    /// Reads to the end of the line; of one with nothing on it, to the next. What is behind it is thrown away.
    fn read(&mut self, terminal: &mut File, question: &str, asking: &Asking) -> io::Result<Ended> {
        let mut read = Zeroizing::new([0; 1024]);
        loop {
            match terminal.read(&mut read[..]) {
                Ok(0) => return Err(io::Error::other("nothing was typed")),
                Ok(count) => {
                    for &octet in &read[..count] {
                        if let Some(signal) = self.keys.signal(octet).filter(|_| self.hidden) {
                            return Ok(Ended::Signal(signal));
                        }
                        match self.is_ended_by(octet)? {
                            true if self.octets.is_empty() => {
                                // The end of a line is shown where the rest of it is.
                                show(&format!("{}{question}: ", if self.hidden { "\n" } else { "" }));
                            }
                            true => return Ok(Ended::Whole),
                            false => {}
                        }
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if asking.is_given_up_within(AGAIN) {
                        return Err(given_up());
                    }
                    // The process was stopped by another process, and continued by a shell that has restored the
                    // terminal.
                    if self.hidden && shows(terminal)? {
                        return Ok(Ended::Shown);
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
#[derive(Default)]
pub(super) struct Before(Option<(File, Termios)>);

impl Before {
    /// Saves the terminal's modes.
    fn keep(&mut self, terminal: &File) -> io::Result<()> {
        self.0 = Some((terminal.try_clone()?, tcgetattr(terminal)?));
        Ok(())
    }

    /// Restores the saved modes if this process is in the foreground: a shell in the foreground has set its own modes.
    fn restore(&self) -> io::Result<()> {
        match &self.0 {
            // Discards a partly typed secret, so that the next reader does not get it.
            Some((terminal, modes)) if foreground::is_here(terminal) => {
                Ok(tcsetattr(terminal, OptionalActions::Flush, modes)?)
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Before {
    fn drop(&mut self) {
        // A terminal that no longer exists needs no restoring.
        let _ = self.restore();
    }
}
