//! Counts instructions with valgrind's callgrind. `valgrind` must be installed.

use std::path::Path;
use std::process::Command;

/// How many instructions this binary executes with these arguments.
pub(crate) fn collected(arguments: &[&str]) -> u64 {
    collected_with(arguments, &[])
}

/// How many instructions this binary executes with these arguments and these environment variables.
pub(crate) fn collected_with(arguments: &[&str], environment: &[(&str, &str)]) -> u64 {
    collected_of(&std::env::current_exe().unwrap(), arguments, environment)
}

/// How many instructions a binary executes with these arguments and these environment variables.
pub(crate) fn collected_of(binary: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(binary)
        .args(arguments)
        // The figures must not depend on the environment of the bench.
        .env_remove("RUST_BACKTRACE")
        .env_remove("RUST_LIB_BACKTRACE")
        .envs(environment.iter().copied())
        .output()
        .expect("valgrind is installed");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = text.lines().find(|line| line.contains("Collected :")).unwrap_or_else(|| panic!("{text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}
