//! Where a tool runs, and whom it reaches there.

use std::io::IsTerminal;

use crate::oauth::{LoginMethod, LoginMethods};

/// Where a tool runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Environment {
    /// Standard input and standard error are a person's terminal.
    pub terminal: bool,
    /// The person is at another machine than the tool.
    pub remote: bool,
    /// It runs unattended: continuous integration.
    pub unattended: bool,
    /// A browser could open a window here.
    pub display: bool,
    /// Somebody said that nobody is to be asked.
    pub silent: bool,
}

impl Environment {
    /// As the environment says: `CI`, `SSH_CONNECTION`, `SSH_TTY`, `SSH_CLIENT`, and on Linux and its like `DISPLAY`, `WAYLAND_DISPLAY`,
    /// `WSL_DISTRO_NAME` and `BROWSER`.
    #[must_use]
    pub fn detect() -> Self {
        let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        Self::of(terminal, |name| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "false"))
    }

    /// The same of an environment that is given: whether there is such a variable, which is neither empty nor `false`.
    #[must_use]
    pub fn of(terminal: bool, has: impl Fn(&str) -> bool) -> Self {
        let any = |names: &[&str]| names.iter().any(|name| has(name));
        let windows = cfg!(any(target_os = "macos", target_os = "windows"));
        Self {
            terminal,
            remote: any(&["SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"]),
            unattended: any(&["CI"]),
            display: windows || any(&["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", "BROWSER"]),
            silent: false,
        }
    }

    /// The same with nobody to ask: for `--no-input`.
    #[must_use]
    pub fn without_input(self, so: bool) -> Self {
        Self { silent: self.silent || so, ..self }
    }

    /// Why nobody can be asked, if nobody can.
    #[must_use]
    pub fn why_nobody(self) -> Option<&'static str> {
        if self.silent {
            Some("nobody is to be asked")
        } else if self.unattended {
            Some("CI is set")
        } else if self.terminal {
            None
        } else {
            Some("standard input or standard error is no terminal")
        }
    }

    /// Whether there is a person to ask.
    #[must_use]
    pub fn reaches_person(self) -> bool {
        self.why_nobody().is_none()
    }

    /// How the person logs in: in a browser where one opens on the person's own machine, else with a code. A browser whose page comes
    /// back to this machine is of no use to somebody at another.
    #[must_use]
    pub fn way(self, offers: LoginMethods) -> Option<LoginMethod> {
        if !self.reaches_person() {
            return None;
        }
        let order = if self.remote || !self.display {
            [LoginMethod::Device, LoginMethod::Browser]
        } else {
            [LoginMethod::Browser, LoginMethod::Device]
        };
        order.into_iter().find(|way| offers.contains(*way)).filter(|way| !(self.remote && *way == LoginMethod::Browser))
    }
}
