//! The text of an Ascend port as it is reviewed: the kernels with their launchers, and what the host computes
//! for them. Of a template with many instances the first one stands for all.

use std::collections::BTreeSet;

use port::{FileRole, Ported};

/// Where a port's own text ends and what was made for it begins.
const SECTION: &str = "// ---- Kernels in Ascend C, made by port. ----\n";

/// Lines of a text that is shown as a whole.
const SHORT: usize = 200;

/// Lines of an instance that are shown.
const LONG: usize = 150;

/// What was made for a port: from the root the section at its end, and the header with the tiling.
pub fn made(ported: &Ported) -> String {
    let mut out = String::new();
    for file in &ported.files {
        let (name, text) = match file.role {
            FileRole::Root => {
                let section = file.text.split_once(SECTION).map_or("", |(_, section)| section);
                ("the kernels", section)
            }
            FileRole::Generated(name) if name.ends_with("_tiling.h") => ("the tiling", &*file.text),
            FileRole::Generated(_) | FileRole::Header(_) => continue,
        };
        let text = match text.lines().count() > SHORT {
            true => first_instances(text),
            false => text.trim().to_owned(),
        };
        out += &format!("\n==== {name} ====\n\n{text}\n");
    }
    out
}

/// A text without the instances of a template after its first, each of which is named, and without their
/// launchers.
fn first_instances(text: &str) -> String {
    let (mut shown, mut launchers) = (BTreeSet::new(), BTreeSet::new());
    let mut out: Vec<String> = Vec::new();
    let (mut hidden, mut launcher_hidden) = (false, false);
    // Where the instance that is being shown begins.
    let mut begun = usize::MAX;
    for line in text.trim().lines() {
        if let Some((kernel, whole)) = instance(line) {
            cut(&mut out, &mut begun);
            hidden = !shown.insert(kernel);
            out.push(if hidden { format!("// {whole}: as the first") } else { line.to_owned() });
            continue;
        }
        // Launchers come after all kernels.
        if line.starts_with("}  // namespace ") && !line.contains("port_device") {
            cut(&mut out, &mut begun);
            begun = usize::MAX;
            hidden = false;
        }
        let launcher = line.strip_prefix("void launch_").and_then(|rest| rest.split('<').next());
        if launcher.is_some_and(|name| !name.contains('(') && !launchers.insert(name)) {
            launcher_hidden = true;
            // `template <>`
            out.pop();
        }
        if !hidden && !launcher_hidden {
            out.push(line.to_owned());
        }
        launcher_hidden &= line != "}";
    }
    out.join("\n")
}

/// Of a long instance the end goes: a number says whether it is what it was. The next one begins here.
fn cut(out: &mut Vec<String>, begun: &mut usize) {
    let end = begun.saturating_add(LONG);
    if end < out.len() {
        let rest = out.split_off(end);
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let digest = rest.iter().flat_map(|line| line.bytes()).fold(0xcbf2_9ce4_8422_2325, mix);
        out.push(format!("// … {} more lines: {digest:016x}", rest.len()));
    }
    *begun = out.len();
}

/// The kernel that a line begins an instance of, and the instance: `// k<float> (k.cu:12)` in a port,
/// `// For k<float>.` in the tiling.
fn instance(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("// ")?;
    let whole = match rest.strip_prefix("For ") {
        Some(rest) => rest.strip_suffix('.')?,
        None => {
            let (whole, place) = rest.rsplit_once(" (")?;
            let line = place.strip_suffix(')')?.rsplit_once(':')?.1;
            let is_place = !line.is_empty() && line.chars().all(|c| c.is_ascii_digit());
            // A function that the kernel calls stands apart from its place.
            (is_place && !whole.ends_with(' ')).then_some(whole)?
        }
    };
    Some((whole.split('<').next()?, whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_instances_are_named() {
        let text = "// n::k<1, float> (k.cu:3)\nclass A {\n// callee<int>  (k.cu:1)\n};\n\n// n::k<2, float> (k.cu:3)\n\
                    class B {\n};\n// other (k.cu:9)\nclass C;\n// n::k<3, float> (k.cu:3)\nclass D;\n\
                    }  // namespace k_kernels\n\ntemplate <>\nvoid launch_k<1>(dim3 grid,\n        int a)\n{\n    f();\n}\n\n\
                    template <>\nvoid launch_k<2>(dim3 grid)\n{\n    g();\n}\n\nvoid launch_other(dim3 grid)\n{\n}\n";
        let expected = "// n::k<1, float> (k.cu:3)\nclass A {\n// callee<int>  (k.cu:1)\n};\n\n\
                        // n::k<2, float>: as the first\n// other (k.cu:9)\nclass C;\n\
                        // n::k<3, float>: as the first\n}  // namespace k_kernels\n\n\
                        template <>\nvoid launch_k<1>(dim3 grid,\n        int a)\n{\n    f();\n}\n\n\n\
                        void launch_other(dim3 grid)\n{\n}";
        assert_eq!(first_instances(text), expected);
        let long =
            format!("// k<1> (k.cu:3)\n{}// other (k.cu:9)\nint b;\n", "int a;\n".repeat(300));
        let cut = first_instances(&long);
        assert_eq!(cut.lines().count(), LONG + 3);
        assert!(
            cut.contains(&format!("// … {} more lines: ", 301 - LONG))
                && cut.ends_with("// other (k.cu:9)\nint b;")
        );
        let changed = long.replace("int a;\n// other", "int c;\n// other");
        assert_ne!(cut, first_instances(&changed));
        assert_eq!(instance("// For n::k<2>."), Some(("n::k", "n::k<2>")));
        assert_eq!(instance("// For more than that (a)"), None);
    }
}
