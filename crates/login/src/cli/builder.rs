//! The settings of a login.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use reqwest_challenge::BoxError;
use url::Url;

use super::environment::Environment;
use super::login::{Alternatives, Kind, Login, PasswordOf};
use super::prompt::Ask;
use super::show::{Open, Screen, in_browser, on_device};
use crate::oauth::{
    AuthorizationCode, AuthorizationPrompt, Client, DeviceCode, Interactive, Issuer, LoginMethod, OAuth, SetupError,
};

/// Shows the page of a login, and a code, to the user.
type Show = Arc<dyn Fn(&AuthorizationPrompt) -> Result<(), BoxError> + Send + Sync>;

/// The settings of a [`Login`].
#[must_use]
pub struct LoginBuilder {
    source: Source,
    environment: Environment,
    method: Option<LoginMethod>,
    open: Open,
    screen: Option<Screen>,
    ask: Ask,
    show: Option<Show>,
    command: String,
    prompts: bool,
    alternatives: Alternatives,
    configure: Vec<Box<dyn FnOnce(OAuth) -> OAuth + Send>>,
}

/// Where the credential comes from.
enum Source {
    OAuth(Issuer, Client),
    /// A token that the user creates on the page with this URL.
    Token(String),
    /// The password of the user. If it is `None`, the tool asks for the user name too.
    Password(Option<String>),
}

impl Login {
    /// A login by OAuth, in a browser or on another device.
    pub fn oauth(issuer: Issuer, client: Client) -> LoginBuilder {
        LoginBuilder::of(Source::OAuth(issuer, client))
    }

    /// A login by a token that the user pastes. It is sent as a bearer token. `page` says where the user creates it, such as
    /// `https://example.com/settings/tokens`.
    pub fn token(page: impl Into<String>) -> LoginBuilder {
        LoginBuilder::of(Source::Token(page.into()))
    }

    /// A login by a password that the user types. It is sent by Basic (RFC 7617). If no user name is given, the tool
    /// asks for it too.
    pub fn password(user: Option<&str>) -> LoginBuilder {
        LoginBuilder::of(Source::Password(user.map(str::to_owned)))
    }
}

impl LoginBuilder {
    fn of(source: Source) -> Self {
        Self {
            source,
            environment: Environment::detect(),
            method: None,
            open: Arc::new(super::browser::open),
            screen: None,
            ask: Arc::new(super::terminal::ask),
            show: None,
            command: "log in".to_owned(),
            prompts: false,
            alternatives: Alternatives::default(),
            configure: Vec::new(),
        }
    }

    /// Sets the command that logs in, as the user types it: `tool login`. An error names it if the tool cannot ask the user.
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.command = command.into();
        self
    }

    /// Lets a 401 start a login. Off by default, so that a login never starts unexpectedly.
    pub fn prompting(mut self) -> Self {
        self.prompts = true;
        self
    }

    /// Sets where the tool runs. The default is [`Environment::detect`].
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Sets how the user logs in, if the server offers it. By default [`Environment::login_method`] chooses. A tool sets it
    /// for an argument such as `--device` or `--browser`.
    pub fn login_method(mut self, method: LoginMethod) -> Self {
        self.method = Some(method);
        self
    }

    /// Sets the function that opens a page in a browser. It receives the URL of the page, which contains the state of the
    /// login (RFC 6749 §4.1.1), and may block. If it fails, the user is asked to open the page. By default the browser of the
    /// system opens.
    pub fn browser(mut self, open: impl Fn(&Url) -> io::Result<()> + Send + Sync + 'static) -> Self {
        self.open = Arc::new(open);
        self
    }

    /// Sets where the text for the user is written. The default is standard error.
    pub fn output(mut self, out: impl Write + Send + 'static) -> Self {
        self.screen = Some(Screen::of(out));
        self
    }

    /// Asks for a token that the user pastes, if the server offers no login that reaches the user. `page` says where the user
    /// creates it.
    pub fn or_token(mut self, page: impl Into<String>) -> Self {
        self.alternatives.token_page = Some(page.into());
        self
    }

    /// Asks for a password, if a 401 offers Basic and no Bearer. If no user name is given, the tool asks for it too.
    pub fn or_password(mut self, user: Option<&str>) -> Self {
        let password = user.map_or(PasswordOf::AnyUser, |user| PasswordOf::User(user.to_owned()));
        self.alternatives.password = Some(password);
        self
    }

    /// Sets the function that asks a question. It receives the question, such as `Token for api.example.com`, without a colon
    /// at the end, and whether the answer is a secret, which it must not show. It returns the answer without the line break. It
    /// may block. The default is a prompt on the terminal.
    pub fn prompt(mut self, ask: impl Fn(&str, bool) -> io::Result<String> + Send + Sync + 'static) -> Self {
        self.ask = Arc::new(move |question, is_secret, _| ask(question, is_secret));
        self
    }

    /// Sets the function that shows the page of a login to the user, and the code if there is one. If it fails, the login
    /// fails. It replaces the printed text and the browser.
    pub fn show(mut self, show: impl Fn(&AuthorizationPrompt) -> Result<(), BoxError> + Send + Sync + 'static) -> Self {
        self.show = Some(Arc::new(show));
        self
    }

    /// Changes the settings of OAuth, such as the scopes, the resource and the DPoP key. The function receives the [`OAuth`]
    /// that this builder made. A login by a token or a password ignores it.
    pub fn configure_oauth(mut self, configure: impl FnOnce(OAuth) -> OAuth + Send + 'static) -> Self {
        self.configure.push(Box::new(configure));
        self
    }

    /// Makes the login.
    ///
    /// # Errors
    /// Returns the error of [`OAuth::new`], for example for a client with a secret and an issuer that only a challenge names.
    pub fn build(self) -> Result<Login, SetupError> {
        let hint = match self.environment.no_prompt_reason() {
            Some(why) => format!("run `{}` at a terminal ({why})", self.command),
            None => format!("run `{}`", self.command),
        };
        let screen = self.screen.unwrap_or_else(|| Screen::stderr(self.environment.is_terminal()));
        let kind = match self.source {
            Source::Token(page) => Kind::Token(page),
            Source::Password(user) => Kind::Password(user),
            Source::OAuth(issuer, client) => {
                let grant = interactive(self.environment, self.method, &screen, self.open, self.show);
                let oauth = OAuth::new(issuer, client, grant)?.hint(&*hint);
                let oauth = if self.prompts { oauth.prompting() } else { oauth };
                let oauth = self.configure.into_iter().fold(oauth, |oauth, configure| configure(oauth));
                Kind::OAuth(Box::new(oauth), self.alternatives)
            }
        };
        Ok(Login { kind, environment: self.environment, screen, ask: self.ask, hint, prompts: self.prompts })
    }
}

/// The grant of a login in a browser or on another device.
fn interactive(
    environment: Environment,
    method: Option<LoginMethod>,
    screen: &Screen,
    open: Open,
    show: Option<Show>,
) -> Interactive {
    let (code_screen, device_screen) = (screen.clone(), screen.clone());
    let (code_show, device_show) = (show.clone(), show);
    let code = AuthorizationCode::new(move |prompt| match &code_show {
        Some(show) => show(prompt),
        None => in_browser(&code_screen, &open, prompt),
    });
    let device = DeviceCode::new(move |prompt| match &device_show {
        Some(show) => show(prompt),
        None => on_device(&device_screen, prompt),
    });
    let choose =
        move |supported| method.filter(|_| environment.can_prompt()).or_else(|| environment.login_method(supported));
    Interactive::new(code, device, choose).reaching(move || environment.can_prompt())
}

impl fmt::Debug for LoginBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginBuilder").field("environment", &self.environment).finish_non_exhaustive()
    }
}
