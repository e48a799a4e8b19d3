//! Reads a line of a terminal. A cancelled read ends at once, and leaves what the user types afterwards to the next reader.

use std::fs::File;
use std::io::{self, Read, Write};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::process::Signal;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr, ttyname};
use zeroize::Zeroizing;

use super::cancellation::cancelled;
use super::foreground::{self, SignalKeys, is_foreground};
use super::prompt_state::PromptState;

/// The largest secret, in octets.
const MAX_SECRET: usize = 1 << 16;

/// The longest line that is shown, in octets. The terminal itself collects such a line, and discards the rest.
const MAX_SHOWN_LINE: usize = 4095;

/// The interval between two looks at what the user has typed.
const POLL_INTERVAL: Duration = Duration::from_millis(30);

/// Shows the question on standard error, and reads the answer from the terminal of standard input.
///
/// If the process stops while the user types a secret, the shell gets the terminal with its former modes. When the process
/// continues, it discards what the user typed and asks again.
pub(super) fn ask(question: &str, is_secret: bool, state: &PromptState) -> io::Result<String> {
    let mut terminal = open()?;
    foreground::wait(&mut terminal, state.cancellation())?;
    state.change_modes(|saved| saved.save(&terminal))?;
    let mut line = Line::new(&terminal, is_secret)?;
    let answer = line.ask(&mut terminal, question, state);
    // The terminal has shown no line break: it hides the whole line of a secret, and an error came before the end of a line.
    if is_secret || answer.is_err() {
        show("\n");
    }
    answer
}

/// The modes in which a terminal does not show what the user types.
fn hiding_modes(modes: &Termios, keys: &SignalKeys) -> Termios {
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
fn has_echo(terminal: &File) -> io::Result<bool> {
    Ok(tcgetattr(terminal)?.local_modes.contains(LocalModes::ECHO))
}

/// Writes to standard error. If it is closed, the user reads nothing, and the prompt continues.
fn show(text: &str) {
    let mut out = io::stderr().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// The terminal of standard input. It is opened again, so that reads do not block and other programs that share standard input
/// are not affected.
fn open() -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let by_name = ttyname(io::stdin(), Vec::new()).and_then(|name| rustix::fs::open(name, flags, Mode::empty()));
    // After `su`, the process may not open the terminal by its name.
    let opened = by_name.or_else(|_| rustix::fs::open("/dev/tty", flags, Mode::empty()))?;
    Ok(File::from(opened))
}

/// What the user has typed of a line.
struct Line {
    octets: Zeroizing<Vec<u8>>,
    is_secret: bool,
    modes: Termios,
    keys: SignalKeys,
}

/// How the read of a line ended.
enum ReadEnd {
    /// The line is complete.
    Complete,
    /// The user wants to stop or to end the program.
    Signal(Signal),
    /// Another program has turned the echo back on.
    Shown,
}

impl Line {
    fn new(terminal: &File, is_secret: bool) -> io::Result<Self> {
        let modes = tcgetattr(terminal)?;
        let keys = SignalKeys::of(terminal, &modes);
        // The whole capacity at once, because a vector that grows leaves copies of the secret behind.
        Ok(Self { octets: Zeroizing::new(Vec::with_capacity(MAX_SECRET)), is_secret, modes, keys })
    }

    /// Asks until there is an answer. Asks again after each stop.
    fn ask(&mut self, terminal: &mut File, question: &str, state: &PromptState) -> io::Result<String> {
        loop {
            foreground::wait(terminal, state.cancellation())?;
            if self.is_secret {
                let hiding = hiding_modes(&self.modes, &self.keys);
                // Discards input from before the question, which is not the secret.
                state.change_modes(|_| Ok(tcsetattr(&*terminal, OptionalActions::Flush, &hiding)?))?;
                // A terminal may accept some of the modes and ignore the rest.
                if has_echo(terminal)? && is_foreground(terminal) {
                    return Err(io::Error::other("the terminal cannot hide what is typed"));
                }
            }
            show(&format!("{question}: "));
            match self.read(terminal, question, state)? {
                ReadEnd::Complete => return self.take_text(),
                ReadEnd::Shown => {}
                ReadEnd::Signal(signal) => {
                    show("\n");
                    state.change_modes(|saved| saved.restore())?;
                    foreground::raise(signal, state.cancellation())?;
                }
            }
            self.octets.clear();
        }
    }

    /// Reads to the end of the first line that is not empty. Discards what follows in the same read.
    fn read(&mut self, terminal: &mut File, question: &str, state: &PromptState) -> io::Result<ReadEnd> {
        let mut buffer = Zeroizing::new([0; 1024]);
        loop {
            match terminal.read(&mut buffer[..]) {
                Ok(0) => return Err(io::Error::other("nothing was typed")),
                Ok(count) => {
                    if let Some(end) = self.take(&buffer[..count], question)? {
                        return Ok(end);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if state.cancellation().is_cancelled_within(POLL_INTERVAL) {
                        return Err(cancelled());
                    }
                    // The process was stopped by another process, and continued by a shell that has restored the
                    // terminal.
                    if self.is_secret && has_echo(terminal)? {
                        return Ok(ReadEnd::Shown);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Adds what the user has typed. Asks again at the end of an empty line.
    fn take(&mut self, typed: &[u8], question: &str) -> io::Result<Option<ReadEnd>> {
        for &octet in typed {
            if let Some(signal) = self.keys.signal(octet).filter(|_| self.is_secret) {
                return Ok(Some(ReadEnd::Signal(signal)));
            }
            if self.push(octet)? {
                if !self.octets.is_empty() {
                    return Ok(Some(ReadEnd::Complete));
                }
                // The terminal has shown the line break of a line that is not a secret.
                show(&format!("{}{question}: ", if self.is_secret { "\n" } else { "" }));
            }
        }
        Ok(None)
    }

    /// Adds one octet, or edits the line if the octet is that of an editing key. Returns whether the line ends.
    fn push(&mut self, octet: u8) -> io::Result<bool> {
        let code = |index| self.modes.special_codes[index];
        if octet == b'\n' || octet == b'\r' {
            return Ok(true);
        }
        if !self.is_secret {
            // The terminal itself has handled the keys that edit the line.
            self.octets.push(octet);
        } else if octet == code(SpecialCodeIndex::VEOF) {
            return if self.octets.is_empty() { Err(io::Error::other("nothing was typed")) } else { Ok(true) };
        } else if octet == code(SpecialCodeIndex::VKILL) {
            self.octets.clear();
        } else if octet == code(SpecialCodeIndex::VERASE) || octet == 0x7f || octet == 0x08 {
            // Removes all octets of the last UTF-8 character.
            while self.octets.pop().is_some_and(|octet| octet & 0xc0 == 0x80) {}
        } else {
            self.octets.push(octet);
        }
        let (limit, what) = if self.is_secret { (MAX_SECRET, "a secret") } else { (MAX_SHOWN_LINE, "a line") };
        if self.octets.len() >= limit {
            return Err(io::Error::other(format!("{what} must have fewer than {limit} octets")));
        }
        Ok(false)
    }

    fn take_text(&mut self) -> io::Result<String> {
        // Moved, so that no copy of the secret is left behind.
        String::from_utf8(std::mem::take(&mut *self.octets)).map_err(|error| {
            drop(Zeroizing::new(error.into_bytes()));
            io::Error::other("what was typed is not UTF-8")
        })
    }
}
