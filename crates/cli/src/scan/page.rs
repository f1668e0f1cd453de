//! A scan as one HTML page: a bar of statuses for each target, what keeps kernels from porting, and
//! every kernel by file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use port::Status;

use super::{Cause, CauseKey, KernelKey, Regression, Scan, counted};
use crate::html::escaped;

/// Of the bar, in pixels.
const WIDTH: f64 = 640.0;

/// The page.
pub fn page(scan: &Scan, regressions: &[Regression]) -> String {
    let mut body = String::new();
    let unreadable = match scan.unreadable.len() {
        0 => String::new(),
        some => format!(", {some} more could not be read"),
    };
    let _ = writeln!(body, "<p>{}{unreadable}</p>", counted(scan.files, "file"));
    for (target, survey) in &scan.targets {
        let kernels = counted(survey.kernels.len(), "kernel");
        let _ = writeln!(body, "<h2>{}: {kernels}</h2>", escaped(&target.to_string()));
        bar(&mut body, &survey.totals());
        causes(&mut body, &survey.ranked());
    }
    if !regressions.is_empty() {
        body.push_str("<h2>Worse than the baseline</h2>\n<table><tr><th>target</th><th>file</th><th>kernel</th><th>was</th><th>is</th></tr>\n");
        for Regression { target, key, was, is } in regressions {
            let cells = [target, &key.file, &key.name].map(|text| escaped(text)).join("</td><td>");
            let _ = writeln!(
                body,
                "<tr><td>{cells}</td><td class=\"{0}\">{0}</td><td class=\"{is}\">{is}</td></tr>",
                escaped(was)
            );
        }
        body.push_str("</table>\n");
    }
    kernels(&mut body, scan);
    for error in &scan.unreadable {
        let _ = writeln!(body, "<p class=\"missing\">{}</p>", escaped(&error.to_string()));
    }
    crate::html::page("port scan", &body)
}

/// One bar, a part of it for each status, and the counts below.
fn bar(body: &mut String, totals: &BTreeMap<Status, usize>) {
    let all: usize = totals.values().sum();
    if all == 0 {
        return;
    }
    let _ = write!(body, "<svg width=\"{WIDTH}\" height=\"24\" role=\"img\">");
    let mut x = 0.0;
    for (status, count) in totals {
        let wide = *count as f64 / all as f64 * WIDTH;
        let fill = match status {
            Status::Ported => "#2da44e",
            Status::PortedUnchecked | Status::PortedSlow => "#d4a72c",
            Status::Manual => "#cf222e",
        };
        let _ = write!(
            body,
            "<rect x=\"{x:.1}\" width=\"{wide:.1}\" height=\"24\" fill=\"{fill}\"><title>{}</title></rect>",
            status.as_str()
        );
        x += wide;
    }
    let counts: Vec<String> = totals
        .iter()
        .map(|(status, count)| format!("<span class=\"{0}\">{count} {0}</span>", status.as_str()))
        .collect();
    let _ = writeln!(body, "</svg>\n<p>{}</p>", counts.join(", "));
}

fn causes(body: &mut String, ranked: &[(&CauseKey, &Cause)]) {
    if ranked.is_empty() {
        return;
    }
    body.push_str("<table><tr><th>cause</th><th>places</th><th>kernels</th><th>first</th><th>names</th></tr>\n");
    for (key, cause) in ranked {
        let first = cause.places.first();
        let first = first.map_or(String::new(), |(file, line, _)| format!("{file}:{line}"));
        let _ = writeln!(
            body,
            "<tr><td>{}[{}]: {}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td><td>{}</td></tr>",
            cause.severity.as_str(),
            key.code,
            escaped(&key.message),
            cause.count(),
            cause.kernels.len(),
            escaped(&first),
            escaped(&cause.examples().join(", "))
        );
    }
    body.push_str("</table>\n");
}

/// A table for each file; those with a kernel that is left to a person are open.
fn kernels(body: &mut String, scan: &Scan) {
    let keys = scan.targets.iter().flat_map(|(_, survey)| survey.kernels.keys());
    let mut files: BTreeMap<&str, BTreeSet<&KernelKey>> = BTreeMap::new();
    for key in keys {
        files.entry(&key.file).or_default().insert(key);
    }
    body.push_str("<h2>Kernels</h2>\n");
    for (file, keys) in files {
        let status = |key: &KernelKey| {
            scan.targets
                .iter()
                .map(|(_, survey)| {
                    survey.kernels.get(key).map(|kernel| (kernel.status, &kernel.codes))
                })
                .collect::<Vec<_>>()
        };
        let is_manual =
            |key: &&KernelKey| status(key).iter().flatten().any(|(s, _)| *s == Status::Manual);
        let open = if keys.iter().any(is_manual) { " open" } else { "" };
        let _ = writeln!(
            body,
            "<details{open}><summary>{} ({})</summary><table><tr><th>kernel</th><th>line</th>",
            escaped(file),
            counted(keys.len(), "kernel")
        );
        for (target, _) in &scan.targets {
            let _ = write!(body, "<th>{}</th>", escaped(&target.to_string()));
        }
        body.push_str("</tr>\n");
        for key in &keys {
            let _ = write!(
                body,
                "<tr><td>{}</td><td class=\"n\">{}</td>",
                escaped(&key.name),
                key.line
            );
            for on_target in status(key) {
                match on_target {
                    None => body.push_str("<td>-</td>"),
                    Some((status, codes)) => {
                        let codes = codes.iter().copied().collect::<Vec<_>>().join(", ");
                        let _ = write!(
                            body,
                            "<td class=\"{0}\" title=\"{codes}\">{0}</td>",
                            status.as_str()
                        );
                    }
                }
            }
            body.push_str("</tr>\n");
        }
        body.push_str("</table></details>\n");
    }
}
