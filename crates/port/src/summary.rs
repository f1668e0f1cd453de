//! What became of a unit on a target, as text that is the same wherever and whenever it is made:
//! for reports and snapshots.

use std::collections::BTreeMap;
use std::fmt::Write;

use port_backend::{KernelReport, Status};
use port_diag::render::human;
use port_diag::{Severity, SourceMap};

use crate::Translation;

/// A kernel with the worst status of its instances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelSummary<'a> {
    /// The qualified name.
    pub name: &'a str,
    /// The worst status.
    pub status: Status,
    /// How many instances were looked at.
    pub instances: usize,
}

/// Each kernel once, in the order of the reports.
pub fn kernels<'a>(reports: impl IntoIterator<Item = &'a KernelReport>) -> Vec<KernelSummary<'a>> {
    let mut summaries: Vec<KernelSummary<'a>> = Vec::new();
    let mut index: BTreeMap<&str, usize> = BTreeMap::new();
    for report in reports {
        let at = *index.entry(&report.name).or_insert(summaries.len());
        match summaries.get_mut(at) {
            Some(known) => {
                known.status = known.status.max(report.status);
                known.instances += 1;
            }
            None => summaries.push(KernelSummary {
                name: &report.name,
                status: report.status,
                instances: 1,
            }),
        }
    }
    summaries
}

/// The kernels of a port with their statuses, then its warnings and errors as people read them.
pub fn summary(sources: &SourceMap, translation: &Translation) -> String {
    let mut text = String::new();
    for kernel in kernels(&translation.ported.kernels) {
        let instances = match kernel.instances {
            1 => String::new(),
            some => format!(" ({some} instances)"),
        };
        let _ = writeln!(text, "{:<16} {}{instances}", kernel.status.as_str(), kernel.name);
    }
    for finding in translation.ported.diagnostics.iter().filter(|d| d.severity > Severity::Note) {
        let _ = write!(text, "\n{}", human::render(sources, finding, human::Options::default()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_shows_its_worst_instance() {
        let report = |name: &str, status| KernelReport {
            name: name.to_owned(),
            instance: String::new(),
            file: port_diag::FileId(0),
            line: 1,
            status,
            lowering: "edits",
            codes: Vec::new(),
        };
        let reports = [
            report("b", Status::Ported),
            report("a", Status::Ported),
            report("b", Status::Manual),
            report("b", Status::PortedSlow),
        ];
        let summaries = kernels(&reports);
        assert_eq!(summaries.len(), 2);
        assert_eq!(summaries[0], KernelSummary { name: "b", status: Status::Manual, instances: 3 });
    }
}
