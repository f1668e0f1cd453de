//! The report of a check as one HTML page that needs nothing else: tables, and a histogram of
//! distances for each output.

use std::fmt::Write;

use port_check::judge::OutputReport;
use port_check::metrics::bucket_label;

use crate::check::View;
use crate::html::escaped;
use crate::subject::Subject;

/// The page.
pub fn page(subject: &Subject, views: &[View<'_>]) -> String {
    let name = &subject.unit.sources.file(subject.unit.root).path;
    let mut html = String::new();
    for view in views {
        let verdict = view.report.verdict().as_str();
        let _ = writeln!(
            html,
            "<h2>{} <span class=\"{verdict}\">{verdict}</span></h2>\n<p>Rule: {}</p>",
            escaped(&view.title),
            escaped(view.rule)
        );
        for kernel in &view.report.kernels {
            let verdict = kernel.verdict.as_str();
            let _ = writeln!(
                html,
                "<h3>{} <span class=\"{verdict}\">{verdict}</span></h3>",
                escaped(&kernel.name)
            );
            html.push_str("<table><tr><th>output</th><th>type</th><th>elements</th><th>verdict</th><th>max ulp</th><th>max rel</th><th>bias</th><th>cosine</th><th>rmse</th></tr>\n");
            for output in &kernel.outputs {
                row(&mut html, output);
            }
            html.push_str("</table>\n");
            for output in &kernel.outputs {
                histogram(&mut html, output);
            }
            if !kernel.causes.is_empty() {
                html.push_str("<table><tr><th>cause</th><th>share</th></tr>\n");
                for cause in &kernel.causes {
                    let _ = writeln!(
                        html,
                        "<tr><td>{}</td><td class=\"n\">{:.1} %</td></tr>",
                        escaped(&cause.name),
                        cause.share * 100.0
                    );
                }
                html.push_str("</table>\n");
            }
        }
        let _ = writeln!(html, "<pre>{}</pre>", escaped(&view.text));
        html.push_str("<table><tr><th>evidence</th><th></th></tr>\n");
        for note in &view.report.evidence {
            let (class, why) = match &note.missing {
                None => ("yes", "yes"),
                Some(why) => ("missing", why.as_str()),
            };
            let _ = writeln!(
                html,
                "<tr><td>{}</td><td class=\"{class}\">{}</td></tr>",
                escaped(&note.what),
                escaped(why)
            );
        }
        html.push_str("</table>\n");
    }
    crate::html::page(name, &html)
}

fn row(html: &mut String, output: &OutputReport) {
    let verdict = output.judged.verdict.as_str();
    let _ = write!(
        html,
        "<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"{verdict}\" title=\"{}\">{verdict}</td>",
        escaped(&output.name),
        output.dtype.name(),
        output.count,
        escaped(&output.judged.reason)
    );
    match &output.judged.comparison {
        Some(c) => {
            let _ = write!(
                html,
                "<td class=\"n\">{}</td><td class=\"n\">{:.3e}</td><td class=\"n\">{:+.3e}</td><td class=\"n\">{:.9}</td><td class=\"n\">{:.3e}</td>",
                c.max_ulp, c.max_relative, c.bias, c.cosine, c.rmse
            );
        }
        None => html.push_str("<td colspan=\"5\">not compared</td>"),
    }
    html.push_str("</tr>\n");
}

/// Bars of the distances, on a logarithmic scale; nothing for equal outputs.
fn histogram(html: &mut String, output: &OutputReport) {
    let Some(c) = output.judged.comparison.as_ref().filter(|c| !c.is_equal()) else { return };
    let (bar, height) = (34.0, 120.0);
    let log = |count: usize| (count as f64 + 1.0).ln();
    let most = c.ulp_histogram.iter().copied().map(log).fold(1e-9, f64::max);
    let width = bar * c.ulp_histogram.len() as f64 + 10.0;
    let _ = write!(
        html,
        "<p>Distances of {} in ulp (logarithmic)</p><svg width=\"{width}\" height=\"{}\" role=\"img\">",
        escaped(&output.name),
        height + 40.0
    );
    for (entry, count) in c.ulp_histogram.iter().enumerate() {
        let tall = log(*count) / most * height;
        let x = bar * entry as f64 + 5.0;
        let _ = write!(
            html,
            "<rect x=\"{x}\" y=\"{:.1}\" width=\"{}\" height=\"{tall:.1}\" fill=\"#0969da\"/><text x=\"{x}\" y=\"{}\">{}</text><text x=\"{x}\" y=\"{:.1}\">{count}</text>",
            height - tall + 15.0,
            bar - 6.0,
            height + 30.0,
            bucket_label(entry),
            height - tall + 12.0
        );
    }
    html.push_str("</svg>\n");
}
