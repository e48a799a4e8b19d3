//! Where a tool runs, and how it can reach the user there.

use std::io::IsTerminal;

use crate::oauth::{LoginMethod, LoginMethods};

/// Where a tool runs, and how it can reach the user there.
///
/// ```
/// use reqwest_challenge_login::cli::Environment;
///
/// # let no_input = true;
/// // `no_input` is an argument of the tool.
/// let environment = Environment::detect().with_input(!no_input);
/// assert_eq!(environment.can_prompt(), false);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Environment {
    is_terminal: bool,
    is_remote: bool,
    is_ci: bool,
    has_display: bool,
    is_input_allowed: bool,
}

impl Environment {
    /// Reads the environment of this process: whether standard input and standard error are a terminal, and the variables that
    /// [`from_variables`](Self::from_variables) lists. A variable that is empty or `false` counts as not set.
    #[must_use]
    pub fn detect() -> Self {
        let is_terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "false");
        Self::from_variables(is_terminal, is_set)
    }

    /// The environment with these variables. `is_set` receives the name of a variable, and returns whether it is set and
    /// neither empty nor `false`:
    ///
    /// | variable | meaning |
    /// |---|---|
    /// | `CI` | the tool runs unattended |
    /// | `SSH_CONNECTION`, `SSH_TTY`, `SSH_CLIENT` | the user is at another machine |
    /// | `DISPLAY`, `WAYLAND_DISPLAY`, `WSL_DISTRO_NAME`, `BROWSER` | a browser can open here; macOS and Windows need none of them |
    #[must_use]
    pub fn from_variables(is_terminal: bool, is_set: impl Fn(&str) -> bool) -> Self {
        let any = |names: &[&str]| names.iter().any(|name| is_set(name));
        let is_desktop_system = cfg!(any(target_os = "macos", target_os = "windows"));
        Self {
            is_terminal,
            is_remote: any(&["SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"]),
            is_ci: any(&["CI"]),
            has_display: is_desktop_system || any(&["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", "BROWSER"]),
            is_input_allowed: true,
        }
    }

    /// Whether standard input and standard error are a terminal.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        self.is_terminal
    }

    /// Whether the user is at another machine, as with SSH.
    #[must_use]
    pub fn is_remote(self) -> bool {
        self.is_remote
    }

    /// Whether the tool runs unattended, in continuous integration.
    #[must_use]
    pub fn is_ci(self) -> bool {
        self.is_ci
    }

    /// Whether a browser can open a window on this machine.
    #[must_use]
    pub fn has_display(self) -> bool {
        self.has_display
    }

    /// Whether the tool may ask the user.
    #[must_use]
    pub fn is_input_allowed(self) -> bool {
        self.is_input_allowed
    }

    /// Sets whether standard input and standard error are a terminal.
    #[must_use]
    pub fn with_terminal(self, is_terminal: bool) -> Self {
        Self { is_terminal, ..self }
    }

    /// Sets whether the user is at another machine.
    #[must_use]
    pub fn with_remote(self, is_remote: bool) -> Self {
        Self { is_remote, ..self }
    }

    /// Sets whether the tool runs unattended.
    #[must_use]
    pub fn with_ci(self, is_ci: bool) -> Self {
        Self { is_ci, ..self }
    }

    /// Sets whether a browser can open a window on this machine.
    #[must_use]
    pub fn with_display(self, has_display: bool) -> Self {
        Self { has_display, ..self }
    }

    /// Sets whether the tool may ask the user. Pass `false` for an argument such as `--no-input`.
    #[must_use]
    pub fn with_input(self, is_input_allowed: bool) -> Self {
        Self { is_input_allowed, ..self }
    }

    /// Why the tool cannot ask the user. `None` if it can.
    #[must_use]
    pub fn no_prompt_reason(self) -> Option<&'static str> {
        if !self.is_input_allowed {
            Some("prompts are turned off")
        } else if self.is_ci {
            Some("CI is set")
        } else if self.is_terminal {
            None
        } else {
            Some("standard input or standard error is not a terminal")
        }
    }

    /// Whether the tool can ask the user: there is a terminal, `CI` is not set, and input is allowed.
    #[must_use]
    pub fn can_prompt(self) -> bool {
        self.no_prompt_reason().is_none()
    }

    /// How the user logs in: in a browser if one opens on the user's own machine, otherwise with a code for another device.
    /// `None` if the tool cannot ask the user, or if the server offers no login that works here. A browser login redirects to
    /// this machine, so it does not work for a user at another machine.
    #[must_use]
    pub fn login_method(self, supported: LoginMethods) -> Option<LoginMethod> {
        if !self.can_prompt() {
            return None;
        }
        let order = if self.is_remote || !self.has_display {
            [LoginMethod::Device, LoginMethod::Browser]
        } else {
            [LoginMethod::Browser, LoginMethod::Device]
        };
        order
            .into_iter()
            .find(|method| supported.contains(*method))
            .filter(|method| !(self.is_remote && *method == LoginMethod::Browser))
    }
}
