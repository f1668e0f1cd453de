//! Launches: `k<T><<<g, b, s, st>>>(x)` becomes `(port_cpu::configure(g, b, s, st), k<T>(x))`, in code,
//! macro bodies and inactive branches alike. Overloads, deduction and conversions stay C++'s own.

use port_diag::Span;
use port_rewrite::launches::{Launch, launches};
use port_rewrite::{Reason, Side};

use crate::port::Port;

/// What is launched.
const REASON: Reason = Reason::Row("__global__");

/// Rewrites every launch.
pub(crate) fn apply(port: &mut Port<'_>) {
    for index in 0..port.files.len() {
        let found: Vec<Launch> = launches(&port.files[index]);
        for launch in found {
            let file = &port.files[index];
            let text = |span: Span| file.text.get(span.range()).unwrap_or("").trim().to_owned();
            let configuration = text(launch.configuration);
            let id = file.id;
            // Without its arguments in view (a macro's body whose use goes on) the comma alone.
            let open = if launch.end.is_some() { "(" } else { "" };
            let before = format!("{open}port_cpu::configure({configuration}), ");
            port.changes.insert(id, launch.callee, Side::After, before, REASON);
            port.changes.replace(launch.brackets, "", REASON);
            if let Some(end) = launch.end {
                port.changes.insert(id, end, Side::Before, ")", REASON);
            }
        }
    }
}
