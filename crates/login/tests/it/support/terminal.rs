//! A pseudo-terminal, and a program on it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

/// How long a step may take on a busy machine.
const LONGEST: Duration = Duration::from_secs(60);

/// Outlives the program, for a terminal whose session has ended is set anew: it would say nothing of how it was left. A shell by
/// name, and deaf to Ctrl-C, for shells differ in what it does to the rest of a line, and to waiting for a program that handles it.
const LEADER: &str = "trap '' INT; \"$@\"; echo; echo the program has ended; read key";

/// A terminal with one program on it.
pub(crate) struct Terminal {
    keys: File,
    screen: Receiver<Vec<u8>>,
    shown: String,
    leader: Child,
    /// The program's end of it.
    held: OwnedFd,
}

/// What stands on a terminal in the end.
pub(crate) struct Left {
    pub(crate) shown: String,
    /// Whether what is typed is shown.
    pub(crate) echo: bool,
}

impl Terminal {
    /// Runs it in a session whose terminal this is, so that Ctrl-C reaches it.
    pub(crate) fn run(program: &str, args: &[&str], variables: &[(&str, &str)]) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let held = ioctl_tiocgptpeer(&master, flags).unwrap();
        let leader = Command::new("setsid")
            .args(["--ctty", "sh", "-c", LEADER, "sh", program])
            .args(args)
            .envs(variables.iter().copied())
            .stdin(held.try_clone().unwrap())
            .stdout(held.try_clone().unwrap())
            .stderr(held.try_clone().unwrap())
            .spawn()
            .expect("`setsid` of util-linux");
        let keys = File::from(master);
        let screen = read(keys.try_clone().unwrap());
        Self { keys, screen, shown: String::new(), leader, held }
    }

    /// Waits until that is asked for: the question stands there, and what is typed is shown no more, or is still.
    pub(crate) fn is_asked(&mut self, question: &str, hidden: bool) {
        self.until(question, |now| now.shown.contains(question) && now.echoes() != hidden);
    }

    /// Types that.
    pub(crate) fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Types a secret once it is asked for.
    pub(crate) fn answer(&mut self, question: &str, keys: &str) {
        self.is_asked(question, true);
        self.types(keys);
    }

    /// Types a command at a shell, and waits for that output.
    pub(crate) fn commands(&mut self, command: &str, shows: &str) {
        self.until("the shell's echo", Self::echoes);
        self.types(&format!("{command}\n"));
        self.until(shows, |now| now.shown.contains(shows));
    }

    /// The output since the last call, up to that text and the return of the echo.
    pub(crate) fn page_with(&mut self, text: &str) -> String {
        self.until(text, |now| now.shown.contains(text) && now.echoes());
        std::mem::take(&mut self.shown)
    }

    /// What has been shown so far is not looked at again.
    pub(crate) fn turns_over(&mut self) {
        self.shown.clear();
    }

    /// Types what is meant for the last question, until each has been asked.
    pub(crate) fn answer_each(&mut self, mut steps: Vec<(&str, &str)>) {
        while !steps.is_empty() {
            // What is said meanwhile stands behind it.
            let asked = |shown: &str| {
                let last = |at: &usize| shown.rfind(steps[*at].0);
                (0..steps.len()).filter(|at| last(at).is_some()).max_by_key(last)
            };
            self.until("a question", |now| asked(&now.shown).is_some() && !now.echoes());
            let Some(at) = asked(&self.shown) else { continue };
            let (_, keys) = steps.remove(at);
            self.keys.write_all(keys.as_bytes()).unwrap();
        }
    }

    /// What is left when the program has ended.
    pub(crate) fn end(mut self) -> Left {
        self.until("the end", |now| now.shown.contains("the program has ended"));
        let echo = self.echoes();
        self.leader.kill().unwrap();
        self.leader.wait().unwrap();
        Left { shown: self.shown, echo }
    }

    fn until(&mut self, what: &str, come: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !come(self) {
            if let Ok(octets) = self.screen.recv_timeout(Duration::from_millis(5)) {
                self.shown += &String::from_utf8_lossy(&octets);
            }
            if start.elapsed() > LONGEST {
                let _ = self.leader.kill();
                panic!("{what} does not come: {}", self.shown);
            }
        }
    }

    fn echoes(&self) -> bool {
        tcgetattr(&self.held).unwrap().local_modes.contains(LocalModes::ECHO)
    }
}

fn read(mut terminal: File) -> Receiver<Vec<u8>> {
    let (send, came) = mpsc::channel();
    std::thread::spawn(move || {
        let mut octets = [0; 512];
        // A terminal that nobody holds any more is an error to read.
        while let Ok(length @ 1..) = terminal.read(&mut octets) {
            let _ = send.send(octets[..length].to_vec());
        }
    });
    came
}
