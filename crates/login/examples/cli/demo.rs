//! The example's servers: an API and its authorization server. A file keeps their tokens from one run to the next.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use reqwest_challenge::BoxError;
use reqwest_challenge_testing::{Answer, MockApi, MockIdentityProvider};

pub(crate) struct Servers {
    provider: MockIdentityProvider,
    api: MockApi,
    tokens: PathBuf,
}

impl Servers {
    pub(crate) async fn start(folder: &Path) -> Result<Self, BoxError> {
        let provider = MockIdentityProvider::start().await?;
        provider.set_device_interval(std::time::Duration::from_secs(1));
        let api = MockApi::trusting(&provider).await?;
        let tokens = folder.join("demo-servers-tokens");
        for token in fs::read_to_string(&tokens).unwrap_or_default().lines() {
            provider.tokens().accept_with(token, ["read"], None);
        }
        api.at("/").answers(Answer::new(404));
        api.at("/demo").requires("read").answers(Answer::ok("three reports"));
        api.forbid("/admin", "admin");
        Ok(Self { provider, api, tokens })
    }

    /// The origin of the API, and the issuer.
    pub(crate) fn urls(&self) -> (String, String) {
        (self.api.origin(), self.provider.issuer())
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        let mut known = fs::read_to_string(&self.tokens).unwrap_or_default();
        let exchanges = self.provider.journal().exchanges();
        for granted in exchanges.iter().filter(|one| one.request().path() == "/token") {
            let answer: serde_json::Value = serde_json::from_slice(granted.response_body()).unwrap_or_default();
            if let Some(token) = answer["access_token"].as_str() {
                known += &format!("{token}\n");
            }
        }
        // If the file cannot be written, the next run does not accept the tokens. For a demo, this is no error.
        let _ = write(&self.tokens, &known);
    }
}

/// Writes a file that only its owner can read, with any umask.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let _ = fs::remove_file(path);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    file.write_all(text.as_bytes())
}
