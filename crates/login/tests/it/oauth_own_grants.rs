//! A grant that a third party writes, by the public API alone.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use reqwest_challenge::{Refresh, RefreshContext, RefreshError, RefreshReason, async_trait};
use reqwest_challenge_login::oauth::{
    ChallengeScopes, Client, Grant, GrantContext, IssuedToken, Issuer, OAuth, SetupErrorKind,
};
use reqwest_challenge_testing::{Answer, MockApi};
use serde_json::json;

use crate::support::oauth::line;

const GRANT_TYPE: &str = "urn:example:params:oauth:grant-type:machine-identity";

#[derive(Debug, PartialEq)]
struct Call {
    issuer: String,
    scopes: Vec<String>,
    resource: Option<String>,
    reason: RefreshReason,
}

/// Exchanges the identity document of a machine for a token.
#[derive(Default)]
struct MachineIdentity {
    /// The context of each call.
    calls: Mutex<Vec<Call>>,
}

#[async_trait]
impl Grant for MachineIdentity {
    fn grant_type(&self) -> &str {
        GRANT_TYPE
    }

    async fn obtain(&self, context: &GrantContext<'_>) -> Result<IssuedToken, RefreshError> {
        let (scopes, resource) = (context.scopes().to_vec(), context.resource().map(str::to_owned));
        let (issuer, reason) = (context.issuer().to_owned(), context.refresh_context().reason());
        self.calls.lock().unwrap().push(Call { issuer, scopes, resource, reason });
        let request = context.token_request(self.grant_type());
        request.parameter("format", "pkcs7").secret_parameter("document", "hunter2-document").send().await
    }
}

async fn server(answer: Answer) -> (MockApi, OAuth) {
    let server = MockApi::start().await.unwrap();
    server.at("/token").answers(answer);
    let issuer = Issuer::new(server.origin()).unwrap().token_endpoint(server.url("/token")).unwrap();
    let oauth = OAuth::new(issuer, Client::secret_basic("vm", "s3cret"), MachineIdentity::default()).unwrap();
    (server, oauth.scopes(["api:read"]).resource("https://api.example.com/").parameter("audience", "api"))
}

fn context() -> RefreshContext {
    RefreshContext::builder("https://api.example.com").reason(RefreshReason::Login).build().unwrap()
}

#[tokio::test]
async fn a_grant_of_a_third_party_sends_its_parameters_and_those_of_every_grant() {
    let token = json!({ "access_token": "t1", "token_type": "Bearer", "expires_in": 60, "refresh_token": "r1" });
    let (server, oauth) = server(Answer::json(token)).await;
    let credential = oauth.refresh(context()).await.unwrap().unwrap();
    assert_eq!(credential.token().unwrap().expose(), "t1");
    assert_eq!(credential.scopes().unwrap(), ["api:read"]);
    assert!(credential.expiry().is_some());
    let sent = &server.requests()[0];
    let expected = [
        ("grant_type", GRANT_TYPE),
        ("format", "pkcs7"),
        ("document", "hunter2-document"),
        ("scope", "api:read"),
        ("resource", "https://api.example.com/"),
        ("audience", "api"),
    ];
    for (name, value) in expected {
        assert_eq!(sent.form(name).as_deref(), Some(value), "{name}");
    }
    assert!(sent.header("authorization").unwrap().starts_with("Basic "));
    // The refresh token renews the credential, and the grant does not run again.
    let expired = RefreshContext::builder("https://api.example.com").reason(RefreshReason::Expired);
    oauth.refresh(expired.credential(credential).build().unwrap()).await.unwrap().unwrap();
    assert_eq!(server.requests()[1].form("grant_type").as_deref(), Some("refresh_token"));
}

#[tokio::test]
async fn an_error_of_such_a_grant_has_the_servers_code_and_no_secret_of_the_grant() {
    let answer = json!({ "error": "invalid_request", "error_description": "no document hunter2-document" });
    let (_server, oauth) = server(Answer::new(400).json_body(answer)).await;
    let error = oauth.refresh(context()).await.unwrap_err();
    let shown = format!("{} {error:?}", line(&error));
    assert!(shown.contains("invalid_request") && shown.contains("no document ***"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

/// Prints all that it works with.
struct Prints(Arc<Mutex<String>>);

#[async_trait]
impl Grant for Prints {
    fn grant_type(&self) -> &str {
        GRANT_TYPE
    }

    async fn obtain(&self, context: &GrantContext<'_>) -> Result<IssuedToken, RefreshError> {
        let request = context.token_request(self.grant_type()).secret_parameter("document", "hunter2-document");
        let shown = format!("{context:?} {request:?}");
        let issued = request.send().await?;
        *self.0.lock().unwrap() = format!("{shown} {issued:?}");
        Ok(issued)
    }
}

#[tokio::test]
async fn what_a_grant_works_with_prints_no_secret() {
    let server = MockApi::start().await.unwrap();
    let scope = "api:read hunter2-token hunter2-refresh hunter2-document";
    let token = json!({ "access_token": "hunter2-token", "refresh_token": "hunter2-refresh", "scope": scope });
    server.at("/token").answers(Answer::json(token));
    let issuer = Issuer::new(server.origin()).unwrap().token_endpoint(server.url("/token")).unwrap();
    let shown = Arc::new(Mutex::new(String::new()));
    let oauth = OAuth::new(issuer, Client::secret_basic("vm", "hunter2-client"), Prints(shown.clone())).unwrap();
    oauth.refresh(context()).await.unwrap().unwrap();
    let shown = shown.lock().unwrap();
    assert!(shown.contains("IssuedToken") && !shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn such_a_grant_sees_what_the_token_is_for() {
    let grant = Arc::new(MachineIdentity::default());
    let server = MockApi::start().await.unwrap();
    server.at("/token").answers(Answer::json(json!({ "access_token": "t1" })));
    let issuer = Issuer::new(server.origin()).unwrap().token_endpoint(server.url("/token")).unwrap();
    let oauth = OAuth::new(issuer, Client::public("vm"), grant.clone()).unwrap();
    let oauth = oauth.challenge_scopes(ChallengeScopes::any());
    let refused = RefreshContext::builder("https://api.example.com").challenge("Bearer scope=\"api:write\"");
    oauth.refresh(refused.reason(RefreshReason::Challenged).build().unwrap()).await.unwrap().unwrap();
    let (issuer, scopes) = (server.origin(), vec!["api:write".to_owned()]);
    let call = Call { issuer, scopes, resource: None, reason: RefreshReason::Challenged };
    assert_eq!(*grant.calls.lock().unwrap(), [call]);
}

#[test]
fn such_a_grant_goes_to_no_issuer_that_a_challenge_names() {
    let made = OAuth::new(Issuer::from_challenge(), Client::public("vm"), MachineIdentity::default());
    let error = made.unwrap_err();
    assert_eq!(error.kind(), SetupErrorKind::IssuerRequired);
    assert!(error.is_issuer_required() && !error.is_invalid_url() && !error.is_client_not_supported());
    assert!(error.to_string().contains("Issuer::new"), "{error}");
}

/// A grant whose token a test makes.
struct Made(fn() -> IssuedToken);

#[async_trait]
impl Grant for Made {
    fn grant_type(&self) -> &str {
        GRANT_TYPE
    }

    async fn obtain(&self, _context: &GrantContext<'_>) -> Result<IssuedToken, RefreshError> {
        Ok((self.0)())
    }
}

fn of_client(client: &str, made: fn() -> IssuedToken, token_url: &str) -> OAuth {
    let issuer = Issuer::new("https://auth.example.com").unwrap().token_endpoint(token_url).unwrap();
    OAuth::new(issuer, Client::public(client), Made(made)).unwrap().scopes(["api:read"])
}

#[tokio::test]
async fn a_token_that_a_grant_makes_becomes_a_credential_and_its_refresh_token_renews_it() {
    let server = MockApi::start().await.unwrap();
    server.at("/token").answers(Answer::json(json!({ "access_token": "t2" })));
    let issued = || {
        let issued = IssuedToken::new("vm", "t1").with_refresh_token("r1");
        issued.with_expires_in(Duration::from_secs(60)).with_scopes(["api:read", "api:write"])
    };
    let epoch = || RefreshContext::builder("https://api.example.com").clock(|| SystemTime::UNIX_EPOCH);
    for (client, renewed) in [("vm", "t2"), ("another", "t1")] {
        let oauth = of_client(client, issued, &server.url("/token"));
        let credential = oauth.refresh(epoch().without_request().build().unwrap()).await.unwrap().unwrap();
        assert_eq!(credential.token().unwrap().expose(), "t1");
        assert_eq!(credential.expiry(), Some(SystemTime::UNIX_EPOCH + Duration::from_secs(60)));
        assert_eq!(credential.scopes().unwrap(), ["api:read", "api:write"]);
        // The refresh token of another client is not used.
        let expired = epoch().reason(RefreshReason::Expired).credential(credential).build().unwrap();
        assert_eq!(oauth.refresh(expired).await.unwrap().unwrap().token().unwrap().expose(), renewed, "{client}");
    }
    let sent = server.requests();
    assert_eq!((sent.len(), sent[0].form("refresh_token").as_deref()), (1, Some("r1")));
}

#[tokio::test]
async fn a_token_that_a_grant_makes_has_the_scopes_that_were_asked_for_and_must_have_a_known_type() {
    let context = || RefreshContext::builder("https://api.example.com").without_request().build().unwrap();
    let url = "https://auth.example.com/token";
    let credential = of_client("vm", || IssuedToken::new("vm", "t1"), url).refresh(context()).await.unwrap().unwrap();
    assert_eq!((credential.scopes().unwrap(), credential.expiry()), (&["api:read".to_owned()][..], None));
    let bound = of_client("vm", || IssuedToken::new("vm", "t1").with_token_type("DPoP"), url);
    assert!(bound.refresh(context()).await.unwrap_err().is_denied());
}

#[tokio::test]
async fn a_grant_is_tested_alone_with_the_context_of_an_oauth() {
    let token = json!({ "access_token": "hunter2", "token_type": "bearer", "expires_in": 60, "refresh_token": "r1" });
    let (server, oauth) = server(Answer::json(token)).await;
    let login = RefreshContext::builder("https://api.example.com").reason(RefreshReason::Login).without_request();
    let login = login.build().unwrap();
    let context = oauth.grant_context(&login).await.unwrap();
    assert!(server.requests().is_empty());
    assert_eq!((context.issuer(), context.scopes()), (&*server.origin(), &["api:read".to_owned()][..]));
    assert_eq!(context.resource(), Some("https://api.example.com/"));
    let issued = MachineIdentity::default().obtain(&context).await.unwrap();
    assert_eq!((issued.access_token().expose(), issued.refresh_token().unwrap().expose()), ("hunter2", "r1"));
    assert_eq!((issued.token_type(), issued.scopes()), (Some("bearer"), None));
    assert_eq!(issued.expires_in(), Some(Duration::from_secs(60)));
    let made = IssuedToken::new("vm", "hunter2").with_refresh_token("hunter2").with_scopes(["hunter2"]);
    assert!(!format!("{issued:?} {made:?}").contains("hunter2"));
}
