//! Inline PTX in the words of HIP: what [`port_api::ptx`] writes in CUDA C++, with each name as its
//! row of the API tables says.

use std::sync::OnceLock;

use port_api::{Status, ptx};

/// The names that the translation keeps for operations of the intermediate representation, and what
/// the compatibility header calls them. Those without an entry have no form on HIP.
const OPERATIONS: &[(&str, &str)] = &[
    ("__port_lane", "port_lane_id"),
    ("__port_warp", "port_ptx_warp"),
    ("__port_lane_mask_lt", "port_lanemask_lt"),
    ("__port_lane_mask_le", "port_lanemask_le"),
    ("__port_lane_mask_gt", "port_lanemask_gt"),
    ("__port_lane_mask_ge", "port_lanemask_ge"),
    ("__port_lane_mask_eq", "port_lanemask_eq"),
    ("__port_load_acquire", "port_ptx_load_acquire"),
    ("__port_load_relaxed", "port_ptx_load_relaxed"),
    ("__port_store_release", "port_ptx_store_release"),
    ("__port_store_relaxed", "port_ptx_store_relaxed"),
    ("__ptx_round_tf32", "port_ptx_round_tf32"),
];

/// The beginnings of names of functions in which the lanes of a warp work together, or that number
/// them: written for warps of 32 lanes.
const WARP: &[&str] = &[
    "__port_lane",
    "__port_warp",
    "__shfl",
    "__ballot",
    "__any",
    "__all",
    "__uni",
    "__match",
    "__reduce",
    "__activemask",
    "__syncwarp",
    "__ptx_ldmatrix",
    "__ptx_stmatrix",
    "__ptx_mma",
    "__ptx_in_range",
];

/// Whether a translated text depends on the width of a warp.
pub(crate) fn depends_on_warps(text: &str) -> bool {
    words(text).any(|word| WARP.iter().any(|name| word.starts_with(name)) || word == "warpSize")
}

/// A translated text in HIP; `None` where one of its names has no form.
pub(crate) fn in_hip(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_first) {
        let (before, word) = rest.split_at(start);
        out.push_str(before);
        let end = word.find(|c: char| !is_part(c)).unwrap_or(word.len());
        let (word, after) = word.split_at(end);
        // The suffix of a number is no name.
        let number = before.ends_with(|c: char| c.is_ascii_digit());
        if number {
            out.push_str(word)
        } else {
            out.push_str(&name(word)?)
        }
        rest = after;
    }
    out.push_str(rest);
    Some(out.replace("__device__ inline", "PORT_DEVICE"))
}

fn name(word: &str) -> Option<String> {
    if let Some((_, form)) = OPERATIONS.iter().find(|(operation, _)| *operation == word) {
        return Some((*form).to_string());
    }
    if word.starts_with("__port_") {
        return None;
    }
    if let Some(rest) = word.strip_prefix("__ptx_") {
        return Some(format!("port_ptx_{rest}"));
    }
    match port_api::find(word) {
        None => Some(word.to_string()),
        Some(row) => match row.hip.status {
            Status::Unsupported(_) => None,
            _ => row.hip_name().map(str::to_string),
        },
    }
}

/// The functions of [`port_api::ptx`] as sections of the compatibility header: all but those that
/// stand for operations.
pub(crate) fn sections() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let text = ptx::FUNCTIONS;
        let start = text.find("//@ section").unwrap_or(0);
        let end = text.find("// Operations of the intermediate").unwrap_or(text.len());
        let text = text.get(start..end).unwrap_or_default();
        let mut out = String::new();
        for line in text.lines() {
            // Names of sections are the same on both sides.
            let line = match line.strip_prefix("//@ provides ") {
                Some(names) => format!("//@ provides {}", in_hip(names).unwrap_or_default()),
                None if line.starts_with("//") => line.to_string(),
                None => in_hip(line).unwrap_or_default(),
            };
            out.push_str(&line);
            out.push('\n');
        }
        out
    })
}

fn is_first(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !is_part(c)).filter(|word| word.starts_with(is_first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_hip() {
        assert_eq!(
            in_hip(
                "__device__ inline void f(unsigned &o0) { o0 = __ptx_bfe(0ull, __port_lane()); }"
            ),
            Some(
                "PORT_DEVICE void f(unsigned &o0) { o0 = port_ptx_bfe(0ull, port_lane_id()); }"
                    .into()
            )
        );
        assert_eq!(in_hip("__port_nanoseconds()"), None);
    }

    #[test]
    fn every_function_has_a_form() {
        let start = ptx::FUNCTIONS.find("//@ section").unwrap();
        let end = ptx::FUNCTIONS.find("// Operations of the intermediate").unwrap();
        for line in ptx::FUNCTIONS[start..end].lines().filter(|line| !line.starts_with("//")) {
            assert!(in_hip(line).is_some(), "{line}");
        }
    }
}
