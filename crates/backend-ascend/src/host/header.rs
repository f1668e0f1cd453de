//! `port_ascend.h`: what the host code of a port needs beyond ACL, in sections of which a port gets
//! those that its text names.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use super::text::has_word;
use crate::kernel::Chip;

/// The header's name.
pub(crate) const FILE_NAME: &str = "port_ascend.h";

/// All sections: a line `//@ word word …` begins one, with the words that ask for it; `//@` alone one
/// that every port has.
const TEXT: &str = include_str!("../../assets/port_ascend.h");

/// What begins the section that every port to a chip without such types has.
const DIM3: &str = "PORT_DIM3";

struct Section {
    words: Vec<&'static str>,
    text: String,
}

fn sections() -> &'static [Section] {
    static READ: OnceLock<Vec<Section>> = OnceLock::new();
    READ.get_or_init(|| {
        let mut sections: Vec<Section> = Vec::new();
        for line in TEXT.lines() {
            if let Some(words) = line.strip_prefix("//@") {
                let words = words.split_whitespace().collect();
                sections.push(Section { words, text: String::new() });
            } else if let Some(last) = sections.last_mut() {
                last.text.push_str(line);
                last.text.push('\n');
            }
        }
        sections
    })
}

/// Whether the header, or the compiler behind it, has a name of CUDA's.
pub(crate) fn provides(name: &str) -> bool {
    static NAMES: OnceLock<BTreeSet<&'static str>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        TEXT.lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .flat_map(|line| line.split(|c| !is_word(c)))
            .filter(|word| !word.is_empty())
            .collect()
    });
    names.contains(name)
}

/// The header for these texts.
pub(crate) fn assemble(texts: &[&str], chip: Chip, current_cann: bool) -> String {
    let all = sections();
    let mut wanted = vec![false; all.len()];
    // A section may name what another has.
    loop {
        let before = wanted.clone();
        for (index, section) in all.iter().enumerate() {
            let asked = |word: &&str| {
                let own = all.iter().zip(&before).filter(|(_, wanted)| **wanted);
                texts.iter().any(|text| has_word(text, word))
                    || own.map(|(section, _)| &section.text).any(|text| has_word(text, word))
            };
            // What the 950's own headers have.
            let first = section.words.first().copied().unwrap_or("");
            let is_native = is_vector(first) || matches!(first, "rsqrtf" | "min" | DIM3);
            // The compiler of CANN 9 has them for the host as well.
            let is_narrow = matches!(first, "half" | "bfloat16_t");
            let native = chip == Chip::A950 && is_native || current_cann && is_narrow;
            let always = section.words.is_empty() || first == DIM3;
            wanted[index] |= !native && (always || section.words.iter().any(asked));
        }
        if wanted == before {
            break;
        }
    }
    let mut out = String::new();
    for (section, _) in all.iter().zip(&wanted).filter(|(_, wanted)| **wanted) {
        out.push_str(&section.text);
    }
    let chip = match chip {
        Chip::A910b => "192 * 1024",
        Chip::A950 => "248 * 1024",
    };
    out.replace("PORT_UB_BYTES", chip)
}

/// Whether a section is a vector type of CUDA's: `int2`, `float4`.
fn is_vector(word: &str) -> bool {
    let name = word.trim_end_matches(|c: char| c.is_ascii_digit());
    name.len() + 1 == word.len()
        && ["char", "short", "int", "long", "longlong", "float", "double", "half"]
            .contains(&name.strip_prefix('u').unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_gets_what_it_names() {
        let small = assemble(&["void f();"], Chip::A910b, true);
        assert!(small.contains("struct dim3") && !small.contains("MemcpyToSymbol"));
        let symbols = assemble(&["port_acl::MemcpyToSymbol(c, p, 4);"], Chip::A910b, true);
        // What the function calls comes with it, before it.
        let at = |word: &str| symbols.find(word).unwrap();
        assert!(at("SymbolAddress") < at("aclError MemcpyToSymbol"));
        assert!(provides("float4") && provides("make_int2") && !provides("cudaGraphLaunch"));
    }
}
