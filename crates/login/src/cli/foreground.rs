//! Job control: a prompt waits until its process is in the foreground of the terminal, and stops like any other
//! program.

use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;

use rustix::process::{Signal, getpgrp, kill_current_process_group};
use rustix::termios::{LocalModes, SpecialCodeIndex, Termios, tcgetpgrp};
use zeroize::Zeroizing;

use super::cancellation::{Cancellation, cancelled};

/// How long a signal to this process may take to arrive. It takes some time, because the kernel may deliver it to another
/// thread than the one that sends it.
const MAX_SIGNAL_DELAY: Duration = Duration::from_millis(100);

/// The interval between checks for the foreground, if the process handles `SIGTTIN`.
const CHECK_INTERVAL: Duration = Duration::from_millis(30);

/// Whether this process is in the foreground of that terminal. A terminal that does not control this process has no job
/// control.
pub(super) fn is_foreground(terminal: &File) -> bool {
    tcgetpgrp(terminal).map_or(true, |group| group == getpgrp())
}

/// Waits until this process is in the foreground. In the background, the kernel's `SIGTTIN` stops the process here
/// until the shell continues it with `fg`.
///
/// # Errors
/// If the process cannot be stopped: it ignores `SIGTTIN`, or no shell would continue it.
pub(super) fn wait(terminal: &mut File, cancellation: &Cancellation) -> io::Result<()> {
    let mut typed = Zeroizing::new([0; 64]);
    while !is_foreground(terminal) {
        match terminal.read(&mut typed[..]) {
            Ok(1..) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Ok(_) | Err(_) => return Err(io::Error::other("the process runs in the background of its terminal")),
        }
        if cancellation.is_cancelled_within(CHECK_INTERVAL) {
            return Err(cancelled());
        }
    }
    Ok(())
}

/// The keys that stop, interrupt or quit the program. While the user types a secret, the terminal does not turn these
/// keys into signals, so that the prompt can restore the terminal before it sends the signal.
pub(super) struct SignalKeys(Vec<SignalKey>);

struct SignalKey {
    octet: u8,
    signal: Signal,
}

impl SignalKeys {
    /// The keys in these terminal modes. Empty if the terminal sends no signals, or not to this process.
    pub(super) fn of(terminal: &File, modes: &Termios) -> Self {
        let has_signals = modes.local_modes.contains(LocalModes::ISIG) && tcgetpgrp(terminal).is_ok();
        let all = [
            (SpecialCodeIndex::VSUSP, Signal::TSTP),
            (SpecialCodeIndex::VINTR, Signal::INT),
            (SpecialCodeIndex::VQUIT, Signal::QUIT),
        ];
        let all = all.into_iter().filter(|_| has_signals);
        let keys = all.map(|(index, signal)| SignalKey { octet: modes.special_codes[index], signal });
        // A key with one of these values is switched off; the value depends on the system.
        Self(keys.filter(|key| ![0, 0xff].contains(&key.octet)).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The signal of the key that sends this octet.
    pub(super) fn signal(&self, octet: u8) -> Option<Signal> {
        self.0.iter().find(|key| key.octet == octet).map(|key| key.signal)
    }
}

/// Sends the signal to the process group, as the terminal does for a key. Returns when the process continues: at once
/// if it handles or ignores the signal, otherwise after the shell continues it.
pub(super) fn raise(signal: Signal, cancellation: &Cancellation) -> io::Result<()> {
    kill_current_process_group(signal)?;
    // A stop arrives within this time. The wait then ends after the process continues.
    if cancellation.is_cancelled_within(MAX_SIGNAL_DELAY) { Err(cancelled()) } else { Ok(()) }
}
