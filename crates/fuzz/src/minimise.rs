//! The shortest text that still fails: parts are taken out, large ones first, as long as what is left
//! fails (delta debugging, Zeller and Hildebrandt 2002).

use std::time::{Duration, Instant};

use crate::mutate::tokens;

/// Shortens a text while `fails` says yes, for at most this time.
pub fn minimise(text: &str, time: Duration, fails: &mut dyn FnMut(&str) -> bool) -> String {
    let end = Instant::now() + time;
    let mut text = text.to_owned();
    loop {
        let before = text.len();
        let lines = text.split_inclusive('\n').map(str::to_owned).collect();
        text = reduce(lines, end, fails);
        let words = tokens(&text).into_iter().map(str::to_owned).collect();
        text = reduce(words, end, fails);
        if text.len() == before || Instant::now() >= end {
            return text;
        }
    }
}

/// Takes parts out of a list, half of it at once, then quarters, down to single parts.
fn reduce(mut parts: Vec<String>, end: Instant, fails: &mut dyn FnMut(&str) -> bool) -> String {
    let mut size = parts.len().div_ceil(2);
    while size > 0 && Instant::now() < end {
        let mut start = 0;
        while start < parts.len() && Instant::now() < end {
            let stop = (start + size).min(parts.len());
            let rest = [&parts[..start], &parts[stop..]].concat();
            if fails(&rest.concat()) {
                parts = rest;
            } else {
                start = stop;
            }
        }
        size = if size == 1 { 0 } else { size.div_ceil(2) };
    }
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_is_left() {
        let text = "int a;\nint b;\nvoid f() { bad(1); }\nint c;\n";
        let mut fails = |text: &str| text.contains("bad") && text.contains('{');
        let short = minimise(text, Duration::from_secs(10), &mut fails);
        assert_eq!(short, "{bad");
        assert_eq!(minimise(text, Duration::ZERO, &mut |_| true), text);
    }
}
