//! The test for a host on the local machine.

use url::Host;

/// Whether the host is the local machine, by its text: 127.0.0.0/8, `[::1]`, or `localhost` and the names below it
/// (RFC 6761 §6.3), with or without a dot at the end. No name is resolved.
pub(super) fn is_loopback<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.as_ref();
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost")
        }
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}
