//! The canonical form of each challenge parses to the same challenge and has the same canonical form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use reqwest_challenge::Challenges;

fuzz_target!(|data: &[u8]| {
    for challenge in &Challenges::parse(data) {
        let bytes = challenge.to_bytes();
        let again = Challenges::parse(&bytes);
        assert_eq!(again.len(), 1);
        let first = again.iter().next().expect("there is one");
        assert_eq!((first.scheme(), first.token68()), (challenge.scheme(), challenge.token68()));
        let whole: Vec<_> = challenge.params().filter(|param| !param.is_broken()).collect();
        assert_eq!(first.params().collect::<Vec<_>>(), whole);
        assert_eq!(first.to_bytes(), bytes);
    }
});
