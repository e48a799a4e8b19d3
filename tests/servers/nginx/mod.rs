//! nginx 1.22 and newer.

use reqwest_challenge::{Challenges, Credential, Forbidden, Unauthorized, UnauthorizedReason};

use crate::all::{Check, Running, alice, client};
use crate::check;

pub(crate) const CHECKS: [Check; 6] = [
    check!("Basic", "a correct password; a redirect on the same server", basic),
    check!("Basic", "a realm with quotes that are not escaped, which is malformed", quoted),
    check!("Bearer", "a valid token, one without the scope, an unknown one", gated),
    check!("several", "two challenges on one line and on two", several),
    check!("none", "a 401 without a challenge is declined", bare),
    check!("Bearer", "a 403 with its scope; a 407 is returned unchanged", others),
];

async fn basic(Running { url, .. }: Running) {
    for path in ["/basic/", "/redirect"] {
        let response = alice(&url, "s3cret").get(format!("{url}{path}")).send().await.unwrap();
        assert_eq!(response.text().await.unwrap(), "ok basic\n");
    }
}

async fn quoted(Running { url, .. }: Running) {
    let bare = reqwest::get(format!("{url}/basic-quoted/")).await.unwrap();
    assert!(!Challenges::from_headers(bare.headers()).is_strict());
    let response = alice(&url, "s3cret").get(format!("{url}/basic-quoted/")).send().await.unwrap();
    assert_eq!(response.status(), 200);
}

async fn gated(Running { url, .. }: Running) {
    let get = |token: &'static str| client(&url, Credential::bearer(token)).get(format!("{url}/gated/")).send();
    assert_eq!(get("good").await.unwrap().status(), 200);
    assert!(Forbidden::find(&get("weak").await.unwrap_err()).unwrap().is_authenticated());
    let error = get("other").await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().error_code().as_deref(), Some("invalid_token"));
}

async fn several(Running { url, .. }: Running) {
    for (path, schemes) in [("/two", &["Bearer", "Basic"][..]), ("/one-line", &["Negotiate", "Basic", "Bearer"])] {
        let error = client(&url, Credential::bearer("x")).get(format!("{url}{path}")).send().await.unwrap_err();
        let refused = Unauthorized::find(&error).unwrap();
        let read: Vec<_> = refused.challenges().iter().map(|challenge| challenge.scheme()).collect();
        assert_eq!((&read[..], refused.challenges().is_strict()), (schemes, true));
    }
}

async fn bare(Running { url, .. }: Running) {
    let error = alice(&url, "s3cret").get(format!("{url}/none")).send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::Declined);
}

async fn others(Running { url, .. }: Running) {
    let error = client(&url, Credential::bearer("x")).get(format!("{url}/403")).send().await.unwrap_err();
    assert_eq!(Forbidden::find(&error).unwrap().required_scopes(), ["admin"]);
    let response = client(&url, Credential::bearer("x")).get(format!("{url}/407")).send().await.unwrap();
    assert_eq!(response.status(), 407);
}
