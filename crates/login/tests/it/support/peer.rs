//! A child process: this binary runs one test that is otherwise ignored.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The variable that tells a child which test it runs.
pub(crate) const ROLE: &str = "REQWEST_CHALLENGE_CHILD";

pub(crate) fn spawn(role: &str, test: &str, facts: &[(&str, &str)]) -> Child {
    spawn_after(":", role, test, facts)
}

/// Starts the child after a shell command, such as `ulimit -f 0`.
pub(crate) fn spawn_after(setup: &str, role: &str, test: &str, facts: &[(&str, &str)]) -> Child {
    Command::new("sh")
        .args(["-c", &format!("{setup} && exec \"$0\" \"$@\"")])
        .arg(std::env::current_exe().unwrap())
        .args([test, "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .envs(facts.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

pub(crate) fn fact(name: &str) -> String {
    std::env::var(name).unwrap()
}

/// A child process that answers each line with one line.
pub(crate) struct Peer {
    pub(crate) child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Peer {
    pub(crate) fn of(mut child: Child) -> Self {
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, to, from }
    }

    pub(crate) fn say(&mut self, line: &str) {
        writeln!(self.to, "{line}").unwrap();
    }

    /// The next answer of the child.
    pub(crate) fn hear(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.from.read_line(&mut line).unwrap(), 0, "the child has ended");
            if let Some(answer) = line.trim_end().rsplit("answer: ").next().filter(|_| line.contains("answer: ")) {
                return answer.to_owned();
            }
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
