//! Work on many inputs at the same time, with results in the order of the inputs whatever the number
//! of threads, and no input able to take the others down.

use std::cell::RefCell;
use std::io::{IsTerminal, Write};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The pipeline bounds its recursion for a stack of this size, in debug builds too.
const STACK: usize = 64 << 20;

thread_local! {
    /// The message of the last panic of this worker; `None` outside workers.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// How a run works.
pub struct Settings<'a> {
    /// Threads; all processors by default.
    pub jobs: Option<NonZeroUsize>,
    /// Shown with each input that begins, on a terminal only.
    pub progress: Option<&'a (dyn Fn(usize) -> String + Sync)>,
}

/// Does `work` for each item. A panic in it is a defect of ours; it becomes an error of that item.
pub fn map<T: Sync, R: Send>(
    items: &[T],
    settings: &Settings<'_>,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<Result<R, String>> {
    catch_panics();
    let available = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let jobs = settings.jobs.map_or(available, NonZeroUsize::get).min(items.len()).max(1);
    let progress = settings.progress.filter(|_| items.len() > 1 && std::io::stderr().is_terminal());
    let next = AtomicUsize::new(0);
    let slots: Vec<Mutex<Option<Result<R, String>>>> =
        items.iter().map(|_| Mutex::new(None)).collect();
    let worker = || {
        PANIC.set(Some(String::new()));
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { break };
            if let Some(progress) = progress {
                let line = format!("\r{}/{} {:<60.60}", index + 1, items.len(), progress(index));
                let _ = std::io::stderr().write_all(line.as_bytes());
            }
            let result = catch_unwind(AssertUnwindSafe(|| work(item))).map_err(|payload| {
                match PANIC.take() {
                    // A thread of the work's own has panicked: its message is the payload.
                    None => words(&*payload).to_owned(),
                    Some(message) if message.is_empty() => words(&*payload).to_owned(),
                    Some(message) => message,
                }
            });
            PANIC.set(Some(String::new()));
            if let Ok(mut slot) = slots[index].lock() {
                *slot = Some(result);
            }
        }
    };
    std::thread::scope(|scope| {
        let mut started = 0;
        for _ in 0..jobs {
            let thread = std::thread::Builder::new().stack_size(STACK);
            started += usize::from(thread.spawn_scoped(scope, worker).is_ok());
        }
        // Where the system gives no thread at all, the work is done here.
        if started == 0 {
            worker();
            PANIC.set(None);
        }
    });
    if progress.is_some() {
        let _ = write!(std::io::stderr(), "\r{:<80}\r", "");
    }
    let missing = || Err("the work was not done".to_owned());
    slots.into_iter().map(|slot| slot.into_inner().ok().flatten().unwrap_or_else(missing)).collect()
}

/// Keeps what a worker's panic says for the report instead of printing it; other threads are left
/// alone.
fn catch_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let default = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let is_worker = PANIC.with_borrow_mut(|message| match message {
                Some(message) => {
                    *message = describe(info);
                    true
                }
                None => false,
            });
            if !is_worker {
                default(info);
            }
        }));
    });
}

fn words(payload: &(dyn std::any::Any + Send)) -> &str {
    let owned = || payload.downcast_ref::<String>().map(String::as_str);
    let words = payload.downcast_ref::<&str>().copied();
    words.or_else(owned).unwrap_or("a panic without a message")
}

fn describe(info: &std::panic::PanicHookInfo<'_>) -> String {
    let message = words(info.payload());
    match info.location() {
        Some(place) => format!("{message} ({place})"),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_order_and_a_panic_is_one_items_error() {
        let items: Vec<usize> = (0..40).collect();
        for jobs in [1, 2, 8] {
            let settings = Settings { jobs: NonZeroUsize::new(jobs), progress: None };
            let results = map(&items, &settings, |item| {
                assert!(*item != 7, "seven is refused");
                item * 2
            });
            for (item, result) in items.iter().zip(&results) {
                match result {
                    Ok(double) => assert_eq!(*double, item * 2),
                    Err(message) => {
                        assert_eq!(*item, 7);
                        assert!(message.starts_with("seven is refused (crates/cli/"), "{message}");
                    }
                }
            }
            assert!(results[7].is_err());
        }
    }
}
