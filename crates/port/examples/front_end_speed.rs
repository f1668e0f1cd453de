//! Speed of the front end and of whole ports, on one core: `cargo xtask bench`.
//!
//! Prints figures; it tests nothing. The files named on the command line are read with the headers
//! beside them; the front end's speed is the bytes of all files that a unit reads over the best time
//! of several runs.
#![allow(clippy::disallowed_methods, reason = "a measuring program reads files and the clock")]

use std::time::{Duration, Instant};

use port::{Loaded, Options, Target};

const RUNS: usize = 20;

fn main() {
    let target: Target = "hip".parse().expect("hip is a target");
    let options = Options::default();
    let (mut bytes, mut front, mut whole) = (0, Duration::ZERO, Duration::ZERO);
    println!("{:<48} {:>9} {:>12} {:>12}", "file", "bytes", "front end", "whole port");
    for path in std::env::args().skip(1) {
        let Loaded { sources, root, .. } = load(&path);
        let size: usize = sources.ids().map(|id| sources.file(id).text.len()).sum();
        let read = best(|| drop(port::front_end(&sources, root, &options)));
        let port = best(|| drop(port::translate(&sources, root, &[target], &options)));
        println!("{path:<48} {size:>9} {:>9.2} ms {:>9.2} ms", milli(read), milli(port));
        bytes += size;
        front += read;
        whole += port;
    }
    let speed = |time: Duration| bytes as f64 / 1e6 / time.as_secs_f64();
    println!(
        "front end (lexer, preprocessor, trees, names): {:.2} MB/s; whole ports: {:.2} MB/s",
        speed(front),
        speed(whole)
    );
}

fn best(mut run: impl FnMut()) -> Duration {
    let once = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..RUNS).map(|_| once(&mut run)).min().unwrap_or_default()
}

fn milli(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn load(path: &str) -> Loaded {
    let read = |path: &str| std::fs::read_to_string(path);
    let text = read(path).expect("the file is readable");
    port::load(path, &text, &[], &mut |path| Ok(read(path).ok()))
}
