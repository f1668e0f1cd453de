//! `port explain` and `port targets`.

use std::fmt::Write;

use crate::{CLEAN, print};

/// Prints one explanation, or the list of all codes.
pub fn explain(code: Option<&str>) -> Result<u8, String> {
    let mut out = String::new();
    match code {
        None => {
            for metadata in findings() {
                let severity = metadata.severity.as_str();
                let _ = writeln!(out, "{}  {severity:<7}  {}", metadata.code, metadata.summary);
            }
        }
        Some("rules") => {
            for rule in port_check::rules::RULES {
                let _ = writeln!(
                    out,
                    "{:<22} {}\n{:<22}   ({})",
                    rule.name, rule.summary, "", rule.source
                );
            }
            let _ =
                writeln!(out, "{:<22} |a - g| <= atol + rtol |g| everywhere", "close(rtol, atol)");
            let _ = writeln!(out, "{:<22} at most n units in the last place", "ulp(n)");
        }
        Some(code) => {
            let known = findings().into_iter().find(|known| known.code.eq_ignore_ascii_case(code));
            let metadata = known.ok_or_else(|| {
                format!("no finding has the code `{code}`; `port explain` lists all codes")
            })?;
            let severity = metadata.severity.as_str();
            let _ = writeln!(out, "{} {} ({severity})\n", metadata.code, metadata.name);
            let _ = writeln!(out, "{}\n\n{}", metadata.summary, metadata.explanation);
        }
    }
    print(&out).map(|()| CLEAN)
}

/// Every kind of finding that some command can report, by code.
pub fn findings() -> Vec<&'static port_diag::Metadata> {
    let mut all = port::findings();
    all.extend(port_check::FINDINGS);
    all.extend(crate::findings::FINDINGS);
    all.sort_by_key(|metadata| metadata.code);
    all
}

/// Prints the targets.
pub fn targets() -> Result<u8, String> {
    let mut out = String::new();
    for backend in port::backends() {
        let _ = writeln!(out, "{}: {}", backend.name(), backend.description());
        for architecture in backend.architectures() {
            let wave = architecture.wave;
            let _ = write!(out, "  {}:{:<8} wave {wave}", backend.name(), architecture.name);
            let _ = match architecture.note {
                Some(note) => writeln!(out, "  ({note})"),
                None => writeln!(out),
            };
        }
    }
    print(&out).map(|()| CLEAN)
}

#[cfg(test)]
mod tests {
    #[test]
    fn codes_are_unique() {
        let codes: Vec<&str> = super::findings().iter().map(|metadata| metadata.code).collect();
        let mut unique = codes.clone();
        unique.dedup();
        assert_eq!(codes, unique);
    }
}
