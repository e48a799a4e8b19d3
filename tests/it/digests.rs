//! Digest: nonces and their counts, the proof of the server, and a comparison with two other implementations.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use reqwest_challenge::{
    BoxError, ChallengeMiddleware, Password, RefreshContext, Unauthorized, UnauthorizedReason, UserPassword,
};
use reqwest_challenge_testing::{Answer, ReceivedRequest, Script};

use crate::passwords::{SHA256, auth, param, refusing};
use crate::support::script::{API, status, stream};

#[tokio::test]
async fn a_known_nonce_avoids_the_401_and_each_count_is_used_once() {
    let server = refusing(&[SHA256]);
    let client = server.client(&auth(Password::new("u", "p")));
    client.get(API).send().await.unwrap();
    let calls: Vec<_> = (0..999).map(|_| tokio::spawn(client.get(format!("{API}/a?b=c")).send())).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!(server.sends(), 1_001);
    let counts: HashSet<_> = server.requests()[1..].iter().map(|arrived| param(arrived, "nc").unwrap()).collect();
    assert_eq!(counts.len(), 1_000);
    assert!(counts.contains("00000001") && counts.contains("000003e8"));
    assert_eq!(param(&server.requests()[5], "uri").as_deref(), Some("/a?b=c"));
}

/// A server whose nonces are valid once. It refuses every other use with `stale=true` and a new nonce.
fn one_time(next: bool) -> Script {
    let used = std::sync::Mutex::new((HashSet::new(), 0));
    Script::new(move |arrived, _| {
        let mut used = used.lock().unwrap();
        used.1 += 1;
        let number = used.1;
        let good = arrived.credential().is_some_and(|_| {
            let nonce = param(arrived, "nonce").unwrap();
            param(arrived, "nc").as_deref() == Some("00000001") && used.0.insert(nonce)
        });
        match (good, next) {
            (true, true) => status(200).header("authentication-info", format!("nextnonce=\"n{number}\"")),
            (true, false) => status(200),
            _ => Answer::unauthorized([&*format!("Digest realm=\"a\", nonce=\"n{number}\", qop=\"auth\", stale=true")]),
        }
    })
}

#[tokio::test]
async fn one_time_nonces_are_answered_without_a_prompt() {
    let prompts = Arc::new(AtomicUsize::new(0));
    let count = prompts.clone();
    let ask = move |_: RefreshContext| {
        count.fetch_add(1, Ordering::SeqCst);
        async { Ok::<_, BoxError>(Some(UserPassword::new("u", "p"))) }
    };
    let server = one_time(false);
    let client = server.client(&auth(Password::from_fn(ask)));
    client.get(API).send().await.unwrap();
    let calls: Vec<_> = (0..50).map(|_| tokio::spawn(client.get(API).send())).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!((prompts.load(Ordering::SeqCst), server.sends()), (1, 102));
}

#[tokio::test]
async fn the_next_nonce_of_a_success_is_used() {
    let server = one_time(true);
    let client = server.client(&auth(Password::new("u", "p")));
    for _ in 0..20 {
        assert_eq!(client.get(API).send().await.unwrap().status(), 200);
    }
    assert_eq!(server.sends(), 21);
}

/// The answer that digest_auth makes for that challenge.
pub(crate) fn expected(
    challenge: &str,
    arrived: &ReceivedRequest,
    user: &str,
    password: &str,
) -> digest_auth::AuthorizationHeader {
    let mut prompt = digest_auth::WwwAuthenticateHeader::parse(challenge).unwrap();
    let uri = param(arrived, "uri").unwrap();
    let method = digest_auth::HttpMethod(arrived.method().as_str().into());
    let mut context =
        digest_auth::AuthContext::new_with_method(user, password, &uri, Some(arrived.body().to_owned()), method);
    context.set_custom_cnonce(param(arrived, "cnonce").unwrap_or_default());
    prompt.respond(&context).unwrap()
}

#[tokio::test]
async fn the_proof_of_the_server_is_checked() {
    for right in [true, false] {
        let server = Script::new(move |arrived, number| {
            if number == 0 {
                return Answer::unauthorized([SHA256]);
            }
            // The proof of the server is the hash of a request without a method.
            let mut prompt = digest_auth::WwwAuthenticateHeader::parse(&SHA256.replace("sha", "SHA")).unwrap();
            let method = digest_auth::HttpMethod("".into());
            let password = if right { "p" } else { "another" };
            let mut context = digest_auth::AuthContext::new_with_method("u", password, "/", None::<&[u8]>, method);
            let (client, count) = (param(arrived, "cnonce").unwrap(), param(arrived, "nc").unwrap());
            context.set_custom_cnonce(client.clone());
            let proof = prompt.respond(&context).unwrap().response;
            let info = format!("rspauth=\"{proof}\", cnonce=\"{client}\", nc={count}, qop=auth");
            status(200).header("authentication-info", info)
        });
        let answer = server.client(&auth(Password::new("u", "p"))).get(API).send().await;
        assert_eq!(answer.is_ok(), right);
        if let Err(error) = answer {
            assert!(
                format!("{:#}", anyhow::Error::from(error)).contains("the server's own proof (`rspauth`) is wrong")
            );
        }
    }
}

#[tokio::test]
async fn auth_int_covers_the_body_and_refuses_a_stream() {
    const CHALLENGE: &str = "Digest realm=\"a\", nonce=\"n\", qop=\"auth-int\", algorithm=MD5";
    let server = refusing(&[CHALLENGE]);
    let client = server.client(&auth(Password::new("u", "p")));
    client.post(API).body("the body").send().await.unwrap();
    let arrived = &server.requests()[1];
    assert_eq!(param(arrived, "response"), Some(expected(CHALLENGE, arrived, "u", "p").response));
    let error = client.post(API).body(stream("x")).send().await.unwrap_err();
    let shown = format!("{:#}", anyhow::Error::from(error));
    assert!(shown.contains("`auth-int` needs a body that can be read"), "{shown}");
}

#[tokio::test]
async fn rfc_2069_is_answered_only_if_it_is_allowed() {
    let server = refusing(&["Digest realm=\"a\", nonce=\"n\""]);
    let error = server.client(&auth(Password::new("u", "p"))).get(API).send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::Declined);
    let server = refusing(&["Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\""]);
    let client = server.client(&auth(Password::new("Mufasa", "CircleOfLife").allow_rfc_2069()));
    client.get(format!("{API}/dir/index.html")).send().await.unwrap();
    let arrived = &server.requests()[1];
    assert_eq!(param(arrived, "response").as_deref(), Some("1949323746fe6a43ef61f9606e7febea"));
    assert_eq!((param(arrived, "nc"), param(arrived, "qop")), (None, None));
}

#[tokio::test]
async fn user_names_are_hashed_or_escaped_and_the_domain_limits_the_answer() {
    let hashed = refusing(&["Digest realm=\"a\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256, userhash=true"]);
    hashed.client(&auth(Password::new("j\u{e4}s\u{f8}n", "p"))).get(API).send().await.unwrap();
    assert_eq!(param(&hashed.requests()[1], "username").unwrap().len(), 64);
    assert_eq!(param(&hashed.requests()[1], "userhash").as_deref(), Some("true"));
    let plain =
        refusing(&["Digest realm=\"a \\\"b\\\"\", nonce=\"n\", qop=\"auth\", opaque=\"o\\\\\", domain=\"/in /also\""]);
    let client = plain.client(&auth(Password::new("j\u{e4}s\u{f8}n \"D\"", "p")));
    client.get(format!("{API}/in/x")).send().await.unwrap();
    let sent = plain.requests()[1].credential().unwrap().to_owned();
    for wanted in
        ["username=\"j\u{e4}s\u{f8}n \\\"D\\\"\", ", "realm=\"a \\\"b\\\"\"", "opaque=\"o\\\\\"", "algorithm=MD5"]
    {
        assert!(sent.contains(wanted), "{wanted} in {sent}");
    }
    assert_eq!(plain.sends(), 2);
    client.get(format!("{API}/also")).send().await.unwrap();
    assert_eq!(plain.sends(), 3, "the answer is sent at once within the domain");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn answers_equal_those_of_two_other_implementations(
        user in "[ -9;-~]{1,12}", password in "[ -~]{0,12}", realm in "[ !#-\\[\\]-~]{1,12}", nonce in "[!#-\\[\\]-~]{1,20}",
        path in "(/[a-z0-9]{1,5}){1,3}(\\?[a-z=&]{1,9})?", algorithm in prop::sample::select(vec![
            "MD5", "md5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256", "sha-512-256-SESS",
        ]), int in any::<bool>(), method in prop::sample::select(vec!["GET", "POST", "DELETE"]), body in "[ -~]{0,30}",
    ) {
        let qop = if int { "auth-int" } else { "auth" };
        let challenge = format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", qop=\"{qop}\", algorithm={algorithm}, opaque=\"o\"");
        let line = challenge.clone();
        let server = Script::new(move |arrived, _| match arrived.credential() {
            Some(_) => status(200),
            None => Answer::unauthorized([&*line]),
        });
        let request = server.client(&auth(Password::new(&*user, &*password)));
        let request = request.request(method.parse().unwrap(), format!("{API}{path}")).body(body.clone());
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            request.send().await.unwrap();
        });
        let arrived = &server.requests()[1];
        let ours = param(arrived, "response").unwrap();
        // The other implementations know the names of algorithms only in the spelling of the RFC.
        let written = challenge.replace("md5-sess", "MD5-sess").replace("sha-512-256-SESS", "SHA-512-256-sess");
        prop_assert_eq!(&ours, &expected(&written, arrived, &user, &password).response);
        if !int {
            let parsed = http_auth::parse_challenges(&written).unwrap();
            let mut theirs = http_auth::DigestClient::try_from(&parsed[0]).unwrap();
            let params = http_auth::PasswordParams {
                username: &user, password: &password, uri: &path, method, body: Some(body.as_bytes()),
            };
            let theirs = theirs.respond_with_testing_cnonce(&params, &param(arrived, "cnonce").unwrap()).unwrap();
            prop_assert!(theirs.contains(&format!("response=\"{ours}\"")), "{} {}", ours, theirs);
        }
    }
}

#[tokio::test]
async fn a_repeated_nonce_continues_its_count_and_old_nonces_are_dropped() {
    // The next nonce alternates between two values.
    let server = Script::new(|arrived, number| match arrived.credential() {
        None => Answer::unauthorized(["Digest realm=\"a\", nonce=\"n0\", qop=\"auth\""]),
        Some(_) => status(200).header("authentication-info", format!("nextnonce=\"n{}\"", number % 2)),
    });
    let client = server.client(&auth(Password::new("u", "p")));
    for _ in 0..20 {
        client.get(API).send().await.unwrap();
    }
    let uses = server.requests()[1..]
        .iter()
        .map(|arrived| (param(arrived, "nonce"), param(arrived, "nc")))
        .collect::<HashSet<_>>();
    assert_eq!((uses.len(), server.sends()), (20, 21));
}

#[tokio::test]
async fn a_stale_401_replaces_the_opaque_value_and_the_queued_nonces() {
    let server = Script::new(|arrived, number| {
        let nonce = arrived.credential().map(|_| param(arrived, "nonce").unwrap());
        match (nonce.as_deref(), number) {
            (None, _) => Answer::unauthorized(["Digest realm=\"a\", nonce=\"n1\", qop=\"auth\", opaque=\"o1\""]),
            (Some("new"), _) => status(if param(arrived, "opaque").as_deref() == Some("o2") { 200 } else { 400 }),
            (Some(_), 1..12) => status(200).header("authentication-info", format!("nextnonce=\"x{number}\"")),
            _ => Answer::unauthorized(["Digest realm=\"a\", nonce=\"new\", qop=\"auth\", opaque=\"o2\", stale=true"]),
        }
    });
    let client = server.client(&auth(Password::new("u", "p")));
    client.get(API).send().await.unwrap();
    let calls: Vec<_> = (0..10).map(|_| tokio::spawn(client.get(API).send())).collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(client.get(API).send().await.unwrap().status(), 200);
    assert_eq!(server.sends(), 14);
}

#[tokio::test]
async fn an_answer_is_sent_only_to_its_origin_and_a_domain_of_another_origin_is_ignored() {
    let server = refusing(&["Digest realm=\"a\", nonce=\"n\", qop=\"auth\", domain=\"http://internal:8080/\""]);
    let auth =
        ChallengeMiddleware::builder(API, Password::new("u", "p")).origin("https://two.example.com").build().unwrap();
    let client = server.client(&auth);
    assert_eq!(client.get(API).send().await.unwrap().status(), 200);
    client.get("https://two.example.com/").send().await.unwrap();
    let presented: Vec<_> = server.requests().iter().map(|arrived| arrived.credential().is_some()).collect();
    assert_eq!(presented, [false, true, false, true], "nothing is sent to the other origin before its 401");
}
