//! One input through one stage: panics caught, time taken.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, Once};
use std::time::{Duration, Instant};

use crate::Stage;

/// An input takes at most this long. Inputs are small: more means that something grows faster than
/// they do.
pub const BUDGET: Duration = Duration::from_secs(if cfg!(debug_assertions) { 30 } else { 3 });

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The stage panicked, or a promise does not hold.
    Panic {
        /// What it said.
        message: String,
        /// Where.
        place: String,
    },
    /// It took longer than [`BUDGET`].
    Slow(Duration),
}

impl Failure {
    /// What tells failures apart: two inputs of the same key show the same defect.
    pub fn key(&self) -> &str {
        match self {
            Failure::Panic { place, .. } => place,
            Failure::Slow(_) => "slow",
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Panic { message, place } => write!(f, "{place}: {message}"),
            Failure::Slow(time) => write!(f, "took {:.1} s", time.as_secs_f64()),
        }
    }
}

/// The last panic of any thread: a stage may use threads of its own.
static PANIC: Mutex<Option<(String, String)>> = Mutex::new(None);

/// Where our own code called what panicked in the standard library.
fn caller() -> Option<String> {
    let frames = std::backtrace::Backtrace::force_capture().to_string();
    let places = frames.lines().filter_map(|line| line.trim().strip_prefix("at "));
    let own = |place: &&str| place.contains("crates/") && !place.contains("crates/fuzz/");
    let place = places.filter(|place| !place.starts_with("/rustc/")).find(own)?;
    place.find("crates/").map(|start| place[start..].to_owned())
}

/// What a process (`self` or a number) has used of the processors so far, where the system says so
/// (Linux, `proc(5)`: fields 14 and 15 of the line, in hundredths of a second).
pub fn processor_time(process: &str) -> Option<Duration> {
    let line = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the program's name in brackets, which may hold spaces.
    let (_, fields) = line.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_millis((ticks()? + ticks()?) * 10))
}

/// What this process has used of the processors since a moment, or the time since then where that is
/// less or the system does not say.
#[derive(Clone, Copy, Debug)]
pub struct Work(Instant, Option<Duration>);

impl Work {
    /// From now on.
    pub fn begin() -> Self {
        Work(Instant::now(), processor_time("self"))
    }

    /// So far. A machine with other work is no fault of the input's.
    pub fn done(self) -> Duration {
        match (self.1, processor_time("self")) {
            (Some(before), Some(after)) => self.0.elapsed().min(after.saturating_sub(before)),
            _ => self.0.elapsed(),
        }
    }
}

/// Runs an input through a stage; how far it came (see [`Stage::whole`]).
pub fn run(stage: &Stage, text: &str) -> Result<usize, Failure> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let message = info.payload_as_str().unwrap_or("a panic without a message");
            let place = info.location().map_or(String::new(), ToString::to_string);
            let place = if place.contains("crates/") { place } else { caller().unwrap_or(place) };
            if let Ok(mut last) = PANIC.lock() {
                *last = Some((message.to_owned(), place));
            }
        }));
    });
    let work = Work::begin();
    let result = catch_unwind(AssertUnwindSafe(|| (stage.run)(text)));
    let time = work.done();
    match result {
        Ok(_) if time > BUDGET * stage.patience => Err(Failure::Slow(time)),
        Ok(reached) => Ok(reached),
        Err(_) => {
            let last = PANIC.lock().ok().and_then(|mut last| last.take());
            let (message, place) = last.unwrap_or_default();
            Err(Failure::Panic { message, place })
        }
    }
}
