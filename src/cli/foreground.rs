//! Job control: a prompt waits for the foreground of its terminal, and stops as any program does.

use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;

use rustix::process::{Signal, getpgrp, kill_current_process_group};
use rustix::termios::{LocalModes, SpecialCodeIndex, Termios, tcgetpgrp};
use zeroize::Zeroizing;

use super::prompt::{Asking, nobody_is_there};

/// How long a signal to this process may take to arrive: the kernel gives it to any of the threads.
const ARRIVES: Duration = Duration::from_millis(100);

/// How long to wait between two looks for the foreground, where the process handles `SIGTTIN`.
const AGAIN: Duration = Duration::from_millis(30);

/// Whether this process is in the foreground of that terminal. A terminal that is not the controlling one has no job control.
pub(super) fn is_here(terminal: &File) -> bool {
    tcgetpgrp(terminal).map_or(true, |group| group == getpgrp())
}

/// Waits until this process is in the foreground. A process in the background stops here, by the `SIGTTIN` of the kernel, until the
/// shell's `fg`.
///
/// # Errors
/// If the process cannot stop: it ignores `SIGTTIN`, or no shell would continue it.
pub(super) fn wait(terminal: &mut File, asking: &Asking) -> io::Result<()> {
    let mut typed = Zeroizing::new([0; 64]);
    while !is_here(terminal) {
        match terminal.read(&mut typed[..]) {
            Ok(1..) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Ok(_) | Err(_) => return Err(io::Error::other("it runs in the background of its terminal")),
        }
        if asking.is_given_up_within(AGAIN) {
            return Err(nobody_is_there());
        }
    }
    Ok(())
}

/// The keys by which a person stops, interrupts or quits the program. While a secret is typed the terminal does not make signals of
/// them, so that it can be restored before the signal is sent.
pub(super) struct Keys(Vec<(u8, Signal)>);

impl Keys {
    /// The keys of a terminal in those modes; none where the terminal makes no signals, or does not make them for this process.
    pub(super) fn of(terminal: &File, modes: &Termios) -> Self {
        let has_signals = modes.local_modes.contains(LocalModes::ISIG) && tcgetpgrp(terminal).is_ok();
        let all = [
            (SpecialCodeIndex::VSUSP, Signal::TSTP),
            (SpecialCodeIndex::VINTR, Signal::INT),
            (SpecialCodeIndex::VQUIT, Signal::QUIT),
        ];
        let keys = all.into_iter().filter(|_| has_signals).map(|(index, signal)| (modes.special_codes[index], signal));
        // A key that is switched off is one of these, by the system.
        Self(keys.filter(|(key, _)| ![0, 0xff].contains(key)).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn signal(&self, key: u8) -> Option<Signal> {
        self.0.iter().find(|(known, _)| *known == key).map(|(_, signal)| *signal)
    }
}

/// Sends that signal to the process and to those that run with it, as the terminal does for a key. It returns once the process goes
/// on: at once where it handles or ignores the signal, and after a stop where the shell continues it.
pub(super) fn raise(signal: Signal, asking: &Asking) -> io::Result<()> {
    kill_current_process_group(signal)?;
    // A process that stops does so within this time, and goes on at its end.
    if asking.is_given_up_within(ARRIVES) { Err(nobody_is_there()) } else { Ok(()) }
}
