//! A pseudo-terminal that runs a program.

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

/// A shell that outlives the program. When a session ends, the kernel resets its terminal, and the test could no longer read the
/// settings that the program left. The shell ignores Ctrl-C, because shells differ in how they handle it.
const LEADER: &str = "trap '' INT; \"$@\"; echo; echo the program has ended; read key";

/// A terminal that runs one program.
pub(crate) struct Terminal {
    keys: File,
    screen: Receiver<Vec<u8>>,
    shown: String,
    leader: Child,
    /// The program's side of the terminal.
    held: OwnedFd,
}

/// The state of a terminal after its program has ended.
pub(crate) struct Left {
    pub(crate) shown: String,
    /// Whether the terminal shows what the user types.
    pub(crate) echo: bool,
}

impl Terminal {
    /// Runs a program in a session that this terminal controls, so that Ctrl-C reaches the program.
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

    /// Waits until the terminal shows the question, and hides or shows the input.
    pub(crate) fn is_asked(&mut self, question: &str, hidden: bool) {
        self.until(question, |now| now.shown.contains(question) && now.echoes() != hidden);
    }

    /// Types the keys.
    pub(crate) fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Types a secret after its question is shown.
    pub(crate) fn answer(&mut self, question: &str, keys: &str) {
        self.is_asked(question, true);
        self.types(keys);
    }

    /// Types a command in a shell, and waits for its output.
    pub(crate) fn commands(&mut self, command: &str, shows: &str) {
        self.until("the shell's echo", Self::echoes);
        self.types(&format!("{command}\n"));
        self.until(shows, |now| now.shown.contains(shows));
    }

    /// Waits for the text and for the echo, and returns the output since the last call.
    pub(crate) fn page_with(&mut self, text: &str) -> String {
        self.until(text, |now| now.shown.contains(text) && now.echoes());
        std::mem::take(&mut self.shown)
    }

    /// Discards the output up to now.
    pub(crate) fn clear(&mut self) {
        self.shown.clear();
    }

    /// Answers the questions in the order in which the program asks them.
    pub(crate) fn answer_each(&mut self, mut steps: Vec<(&str, &str)>) {
        while !steps.is_empty() {
            // Other output may follow the question.
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

    /// Waits for the end of the program.
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
                panic!("{what} does not appear: {}", self.shown);
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
        // A read fails after the last program has closed the terminal.
        while let Ok(length @ 1..) = terminal.read(&mut octets) {
            let _ = send.send(octets[..length].to_vec());
        }
    });
    came
}
