//! How a login is set up.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use url::Url;

use super::environment::Environment;
use super::login::{Kind, Login, Otherwise};
use super::prompt::Ask;
use super::show::{Open, Screen, in_browser, on_device};
use crate::oauth::{
    AuthorizationCode, AuthorizationPrompt, Client, DeviceCode, Interactive, Issuer, LoginMethod, OAuth, SetupError,
};
use reqwest_challenge::BoxError;

/// Shows a page, and a code, to a person.
type Show = Arc<dyn Fn(&AuthorizationPrompt) -> Result<(), BoxError> + Send + Sync>;

/// Sets up a [`Login`].
#[must_use]
pub struct LoginBuilder {
    plan: Plan,
    around: Environment,
    way: Option<LoginMethod>,
    open: Open,
    screen: Option<Screen>,
    ask: Ask,
    show: Option<Show>,
    command: String,
    prompts: bool,
    otherwise: Otherwise,
    set: Vec<Box<dyn FnOnce(OAuth) -> OAuth>>,
}

pub(super) enum Plan {
    OAuth(Issuer, Client),
    Token(String),
    Password(Option<String>),
}

impl LoginBuilder {
    pub(super) fn of(plan: Plan) -> Self {
        Self {
            plan,
            around: Environment::detect(),
            way: None,
            open: Arc::new(super::browser::open),
            screen: None,
            ask: Arc::new(super::terminal::ask),
            show: None,
            command: "log in".to_owned(),
            prompts: false,
            otherwise: Otherwise::default(),
            set: Vec::new(),
        }
    }

    /// The command that logs in, as a person types it: `tool login`. It is what is hinted at where nobody can be asked.
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.command = command.into();
        self
    }

    /// Asks a person by a 401 too. Off by default: a login that nobody asked for is no surprise to anybody.
    pub fn prompting(mut self) -> Self {
        self.prompts = true;
        self
    }

    /// Where it runs, in place of what was found: `Environment::detect().without_input(no_input)`.
    pub fn surroundings(mut self, around: Environment) -> Self {
        self.around = around;
        self
    }

    /// That way, if the server has it, in place of the one that would be chosen: for `--device`, `--browser`.
    pub fn way(mut self, way: LoginMethod) -> Self {
        self.way = Some(way);
        self
    }

    /// Opens pages so, in place of the system's browser.
    pub fn browser(mut self, open: impl Fn(&Url) -> io::Result<()> + Send + Sync + 'static) -> Self {
        self.open = Arc::new(open);
        self
    }

    /// Writes what a person reads there, in place of standard error.
    pub fn output(mut self, out: impl Write + Send + 'static) -> Self {
        self.screen = Some(Screen::of(out));
        self
    }

    /// Asks for a token that is pasted where the server has no way to log in that reaches the person here. The text says where one is
    /// made.
    pub fn or_token(mut self, made_at: impl Into<String>) -> Self {
        self.otherwise.made_at = Some(made_at.into());
        self
    }

    /// Asks for a password where a 401 offers Basic and no Bearer; of that user, or of one who is asked for.
    pub fn or_password(mut self, user: Option<&str>) -> Self {
        self.otherwise.password = Some(user.map(str::to_owned));
        self
    }

    /// Asks so, in place of a prompt on the terminal: it is given the question, and whether what is typed is a secret that is hidden. It may
    /// block.
    pub fn prompt(mut self, ask: impl Fn(&str, bool) -> io::Result<String> + Send + Sync + 'static) -> Self {
        self.ask = Arc::new(move |question, hidden, _| ask(question, hidden));
        self
    }

    /// Shows the page, and the code if there is one, so, in place of what is printed and of the browser that opens.
    pub fn showing(
        mut self,
        show: impl Fn(&AuthorizationPrompt) -> Result<(), BoxError> + Send + Sync + 'static,
    ) -> Self {
        self.show = Some(Arc::new(show));
        self
    }

    /// Sets up what is asked for: scopes, a resource, a key. Nothing changes where it is not by OAuth.
    pub fn asking(mut self, set: impl FnOnce(OAuth) -> OAuth + 'static) -> Self {
        self.set.push(Box::new(set));
        self
    }

    /// The login.
    ///
    /// # Errors
    /// [`SetupError`]: a client's secret for an issuer that only a challenge names.
    pub fn build(self) -> Result<Login, SetupError> {
        let Self { plan, around, way, open, screen, ask, show, command, prompts, otherwise, set } = self;
        let hint = match around.why_nobody() {
            Some(why) => format!("run `{command}` at a terminal ({why})"),
            None => format!("run `{command}`"),
        };
        let screen = screen.unwrap_or_else(|| Screen::stderr(around.terminal));
        let kind = match plan {
            Plan::Token(made_at) => Kind::Token(made_at),
            Plan::Password(user) => Kind::Password(user),
            Plan::OAuth(issuer, client) => {
                let (page, code_page) = (screen.clone(), screen.clone());
                let (shown, code_shown) = (show.clone(), show);
                let code = AuthorizationCode::new(move |invitation| match &shown {
                    Some(show) => show(invitation),
                    None => in_browser(&page, &open, invitation),
                });
                let device = DeviceCode::new(move |invitation| match &code_shown {
                    Some(show) => show(invitation),
                    None => on_device(&code_page, invitation),
                });
                let choose = move |offers| way.filter(|_| around.reaches_person()).or_else(|| around.way(offers));
                let grant = Interactive::new(code, device, choose).reaching(move || around.reaches_person());
                let oauth = OAuth::new(issuer, client, grant)?.hint(&*hint);
                let oauth = if prompts { oauth.prompting() } else { oauth };
                Kind::OAuth(Box::new(set.into_iter().fold(oauth, |oauth, set| set(oauth))), otherwise)
            }
        };
        Ok(Login { kind, around, screen, ask, hint, prompts })
    }
}

impl fmt::Debug for LoginBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginBuilder").field("around", &self.around).finish_non_exhaustive()
    }
}
