//! Two processes of eight tasks each use one file of credentials, an API and an issuer, and everything goes wrong: random
//! answers, cut connections, clock jumps, killed processes, logins and logouts.
//!
//! `cargo run --release -p chaos` runs for 24 minutes and prints a table. `--minutes N` and `--seed N` change that. It fails if
//! the issuer saw the reuse of a refresh token, if a call was sent a third time, if the foreign server got a credential, or if a
//! process ended by itself.
mod issuer;
mod random;
mod servers;
mod worker;
mod world;

use std::path::Path;
use std::process::{Child, Command, ExitCode};
use std::time::{Duration, Instant, SystemTime};

use reqwest_challenge::BoxError;

use random::Random;
use world::{Shared, World};

const PROCESSES: usize = 2;

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    if std::env::var_os("PROCESS").is_some() {
        worker::run().await?;
        return Ok(ExitCode::SUCCESS);
    }
    let minutes = argument("--minutes")?.unwrap_or(24.0);
    let by_time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let seed = argument("--seed")?.map_or(by_time, |seed| seed as u64);
    println!("seed {seed}, {minutes} minutes, {PROCESSES} processes of 8 tasks");
    let world = Shared::new(seed);
    let folder = std::env::temp_dir().join(format!("chaos-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let result = run(&world, seed, Duration::from_secs_f64(minutes * 60.0), &folder).await;
    std::fs::remove_dir_all(&folder)?;
    result?;
    Ok(report(&world.lock()))
}

/// The number after this argument.
fn argument(name: &str) -> Result<Option<f64>, BoxError> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
    arguments
        .next()
        .map(|text| text.parse().map_err(|_| format!("{name}: `{text}` is not a number").into()))
        .transpose()
}

/// Keeps the processes running for that long, and kills one of them from time to time.
async fn run(world: &Shared, seed: u64, span: Duration, folder: &Path) -> Result<(), BoxError> {
    let state = world.clone();
    let foreign = servers::serve(move |request| servers::foreign(state.clone(), request)).await?;
    let state = world.clone();
    let api = servers::serve(move |request| servers::api(state.clone(), foreign.clone(), request)).await?;
    let state = world.clone();
    let issuer = servers::serve(move |request| servers::issuer(state.clone(), request)).await?;
    let file = folder.join("credentials.json");
    let mut random = Random::new(seed ^ 0xC4A0_5000);
    let mut started = 0_u64;
    let mut start = |random: &mut Random| -> Result<(String, Child), BoxError> {
        started += 1;
        let name = format!("p{started}");
        let child = Command::new(std::env::current_exe()?)
            .env("PROCESS", &name)
            .env("API", &api)
            .env("ISSUER", &issuer)
            .env("FILE", &file)
            .env("SEED", random.next().to_string())
            .spawn()?;
        Ok((name, child))
    };
    let mut processes = Vec::new();
    for _ in 0..PROCESSES {
        processes.push(start(&mut random)?);
    }
    let began = Instant::now();
    while began.elapsed() < span {
        tokio::time::sleep(Duration::from_millis(100 + random.below(2_000))).await;
        let index = random.below(PROCESSES as u64) as usize;
        let replacement = start(&mut random)?;
        end(world, std::mem::replace(&mut processes[index], replacement))?;
    }
    processes.into_iter().try_for_each(|process| end(world, process))
}

/// Kills a process. If it has ended by itself, that is a fault.
fn end(world: &Shared, (name, mut child): (String, Child)) -> Result<(), BoxError> {
    let ended = child.try_wait()?;
    child.kill()?;
    child.wait()?;
    let mut world = world.lock();
    world.issuer.bury(&name);
    world.counts.kills += 1;
    if let Some(status) = ended {
        world.counts.crashes += 1;
        world.faults.push(format!("the process {name} ended by itself: {status}"));
    }
    Ok(())
}

/// Prints the table. The exit code is 1 if there was a fault.
fn report(world: &World) -> ExitCode {
    let (counts, issuer) = (&world.counts, &world.issuer);
    let happened = [
        ("calls", counts.calls),
        ("sends", counts.sends),
        ("401 for an invalid token", counts.refused),
        ("cut connections", counts.cut),
        ("redirects to the foreign server", counts.redirects),
        ("requests at the foreign server", counts.foreign),
        ("logins", issuer.logins),
        ("renewals", issuer.renewals),
        ("  after a lost response", issuer.repeated),
        ("logouts", issuer.logouts),
        ("clock jumps", counts.jumps),
        ("killed processes", counts.kills),
    ];
    let faults = [
        ("families revoked by a reuse", issuer.reuses.len() as u64),
        ("third sends", counts.third_sends),
        ("credentials at the foreign server", counts.foreign_sends),
        ("processes that ended by themselves", counts.crashes),
    ];
    println!();
    happened.iter().for_each(|(what, count)| println!("{what:<36} {count:>10}"));
    println!("\n{:<36} {:>10} {:>9}", "", "count", "allowed");
    faults.iter().for_each(|(what, count)| println!("{what:<36} {count:>10} {:>9}", 0));
    world.faults.iter().chain(&issuer.reuses).take(20).for_each(|fault| println!("fault: {fault}"));
    ExitCode::from(u8::from(faults.iter().any(|(_, count)| *count > 0)))
}
