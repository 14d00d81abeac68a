//! A program whose runs are kept where `FLOW_DATABASE_URL` says: the tests `processes`, `store_unopened` and `cache_processes` start it,
//! several at a time.

use std::io::{self, Read};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use flowcore::prelude::*;
use flowcore::{Error, RunId, resume};

static BODIES: AtomicU32 = AtomicU32::new(0);

#[task]
fn step(n: u32) -> u32 {
    BODIES.fetch_add(1, SeqCst);
    n
}

#[flow]
fn plain() -> flowcore::Result<u32> {
    (0..5).map(*step).sum()
}

/// Waits until there is nothing more to read.
#[task(retries = 1)]
fn reads() -> io::Result<u32> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    BODIES.fetch_add(1, SeqCst);
    Ok(1)
}

#[flow(durable)]
fn kept(name: String) -> flowcore::Result<String> {
    let sum: u32 = (0..5).map(|n| step.submit(n).result()).sum::<flowcore::Result<u32>>()?;
    Ok(format!("{name} {}", sum + reads()?))
}

#[flow]
async fn floods(runs: u32) {
    for n in 0..runs {
        drop(step.submit(n));
    }
}

#[task(
    cache_key_fn = |run| run.parameters().map(ToOwned::to_owned),
    cache_expiration = expiry(),
)]
fn measured(text: &str) -> String {
    BODIES.fetch_add(1, SeqCst);
    format!("{text}: {} bytes", text.len())
}

/// Of the same task, in a build whose result is another.
#[task(key = "keeps::measured", cache_key_fn = |_| Some(r#"{"text":"old"}"#.to_owned()))]
fn measured_otherwise() -> Vec<u32> {
    BODIES.fetch_add(1, SeqCst);
    vec![3]
}

#[task(cache_key_fn = |_| -> Option<String> { panic!("in a key function") })]
fn panics() -> u32 {
    BODIES.fetch_add(1, SeqCst);
    7
}

fn expiry() -> Duration {
    let millis = std::env::var("EXPIRES_MILLIS").ok().and_then(|text| text.parse().ok());
    Duration::from_millis(millis.unwrap_or(86_400_000))
}

fn shut_down() -> Result<flowcore::ShutdownReport, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::new)?;
    Ok(runtime.block_on(flowcore::shutdown(Duration::from_secs(10))))
}

fn told<T: std::fmt::Display>(outcome: flowcore::Result<T>) {
    match outcome {
        Ok(value) => println!("ok: {value}"),
        Err(error) => println!("{:?}: {error:#}", error.kind()),
    }
}

fn state<T: Send + 'static>(run: &RunFuture<T>) {
    println!("{} after {} bodies", run.wait().name(), BODIES.load(SeqCst));
}

fn run(arguments: &[&str]) -> Result<(), Error> {
    match arguments {
        ["plain"] => told(plain()),
        ["durable"] => told(kept("durable".to_owned())),
        ["waits"] => {
            let run = kept.submit("first".to_owned());
            println!("{}", run.run_id());
            told(run.result());
        }
        ["resume", run] => {
            let run: RunId = run.parse().map_err(Error::new)?;
            told(resume(run).and_then(|run| run.result_json()));
        }
        ["floods", runs] => {
            let runs: u32 = runs.parse().map_err(Error::new)?;
            let run = floods.submit(runs);
            println!("{}", run.run_id());
            told(run.result().map(|()| "all"));
            // Their records may be queued still.
            let report = shut_down()?;
            println!("crashed {}, unrecorded {}", report.crashed, report.unrecorded);
            told(plain());
            told(plain.submit().result());
            told(kept("late".to_owned()));
            // Longer than it takes to learn that the process has ended.
            std::thread::sleep(Duration::from_millis(1500));
            return Ok(());
        }
        ["cached", text] => {
            let run = measured.submit(*text);
            state(&run);
            told(run.result());
            let again = measured.submit(*text);
            state(&again);
            told(again.result());
        }
        ["otherwise"] => {
            let run = measured_otherwise.submit();
            state(&run);
            told(run.result().map(|lengths| lengths.len()));
        }
        ["panics"] => {
            let run = panics.submit();
            state(&run);
            told(run.result());
        }
        _ => return Err(Error::msg("what?")),
    }
    println!("{} bodies", BODIES.load(SeqCst));
    let report = shut_down()?;
    println!("crashed {}, unrecorded {}", report.crashed, report.unrecorded);
    Ok(())
}

fn main() -> ExitCode {
    let _ = flowcore::logging::init();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}
