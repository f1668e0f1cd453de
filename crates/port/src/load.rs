//! The files of a unit: the root and, transitively, what its `#include` lines may mean, in every
//! branch of its conditionals. Reads nothing itself: whoever calls passes a function that does, so
//! the command line, the tests and a user's own tests walk the same way.

use std::collections::{HashSet, VecDeque};

use port_diag::source::normalise;
use port_diag::{FileId, SourceMap};
use port_rewrite::{Directive, FileText};
use port_syntax::TokenKind;

/// What a unit may read at most. Far above what code of the field needs (the largest unit of the
/// surveyed repositories reads 3 MB in 200 files); together they bound time and memory.
mod limits {
    /// Bytes of all headers of a unit.
    pub const BYTES: usize = 64 << 20;
    /// Headers of a unit.
    pub const FILES: usize = 10_000;
    /// Paths that are tried.
    pub const LOOKUPS: usize = 200_000;
}

/// A unit in memory.
#[derive(Debug)]
pub struct Loaded {
    /// Every file in reach.
    pub sources: SourceMap,
    /// The file that was asked for.
    pub root: FileId,
    /// Headers that exist and were left out, each with the reason, in the order in which they were
    /// found. Where they are included they count as missing.
    pub refused: Vec<Refused>,
}

/// A file that is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its path, as the source map would spell it.
    pub path: String,
    /// Why, as the rest of a sentence that begins with the path.
    pub reason: String,
}

/// The text of a path: `Ok(None)` where there is no such file, an error where there is one that
/// cannot be taken.
pub type Read<'a> = dyn FnMut(&str) -> Result<Option<String>, String> + 'a;

/// Gathers a unit. `name` is the root's path as reports shall show it; `include_dirs` are searched
/// for headers as a compiler's `-I` folders are. Paths that `read` is given are normalised.
pub fn load(name: &str, text: &str, include_dirs: &[String], read: &mut Read<'_>) -> Loaded {
    let mut sources = SourceMap::new();
    let root = sources.add(name, text);
    let mut walk = Walk { read, tried: HashSet::new(), files: 0, bytes: 0, refused: Vec::new() };
    let mut pending = VecDeque::from([root]);
    while let Some(id) = pending.pop_front() {
        let file = sources.file(id);
        let (text, path) = (file.text.clone(), file.path.clone());
        for request in include_requests(&text) {
            for candidate in candidates(&path, &request, include_dirs) {
                // A header that asks for its own name means the next one of that name.
                if *candidate == *path {
                    continue;
                }
                if sources.find(&candidate).is_some() {
                    break;
                }
                if let Some(text) = walk.text(&candidate) {
                    pending.push_back(sources.add(&candidate, &text));
                    break;
                }
            }
        }
    }
    Loaded { sources, root, refused: walk.refused }
}

/// Where a header may be, in order.
fn candidates<'a>(
    from: &'a str,
    request: &'a IncludeRequest,
    include_dirs: &'a [String],
) -> impl Iterator<Item = String> + 'a {
    let absolute = request.name.starts_with('/');
    let beside = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    // A file at the root of an absolute path: `/a.cu`.
    let beside = if beside.is_empty() && from.starts_with('/') { "/" } else { beside };
    let folders = (!request.angled).then_some(beside).into_iter();
    let folders = folders.chain(include_dirs.iter().map(String::as_str)).filter(move |_| !absolute);
    let in_folder = |folder: &str| match folder {
        "" => normalise(&request.name),
        folder => normalise(&format!("{folder}/{}", request.name)),
    };
    absolute.then(|| normalise(&request.name)).into_iter().chain(folders.map(in_folder))
}

struct Walk<'a, 'r> {
    read: &'a mut Read<'r>,
    /// Paths that were asked for and gave nothing.
    tried: HashSet<String>,
    files: usize,
    bytes: usize,
    refused: Vec<Refused>,
}

impl Walk<'_, '_> {
    fn text(&mut self, path: &str) -> Option<String> {
        if self.tried.len() >= limits::LOOKUPS || !self.tried.insert(path.to_owned()) {
            return None;
        }
        let reason = match (self.read)(path) {
            Ok(None) => return None,
            Ok(Some(_)) if self.files == limits::FILES => {
                format!("is left out: the unit has more than {} headers", limits::FILES)
            }
            Ok(Some(text)) if self.bytes + text.len() > limits::BYTES => {
                format!("is left out: the unit's headers have more than {} bytes", limits::BYTES)
            }
            Ok(Some(text)) => {
                self.files += 1;
                self.bytes += text.len();
                return Some(text);
            }
            Err(reason) => reason,
        };
        self.refused.push(Refused { path: path.to_owned(), reason });
        None
    }
}

/// A header that a file asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncludeRequest {
    /// The name between the delimiters.
    pub name: String,
    /// Whether the delimiters are `<>`.
    pub angled: bool,
}

/// The headers that a text may include: those of its `#include` lines, in every branch of its
/// conditionals, and the quoted names that a macro may give to an `#include` line.
pub fn include_requests(text: &str) -> Vec<IncludeRequest> {
    // Most generated files include nothing, and are long.
    if !text.contains("include") {
        return Vec::new();
    }
    let file = FileText::of_text(FileId(0), text);
    let includes = file.includes();
    let mut requests: Vec<IncludeRequest> = includes
        .into_iter()
        .map(|include| IncludeRequest { name: include.name, angled: include.angled })
        .collect();
    let computed = file.directives.iter().any(|directive| {
        directive.keyword == "include"
            && third_token(&file, directive).is_some_and(|(kind, _)| kind == TokenKind::Identifier)
    });
    if computed {
        let defines = file.directives.iter().filter(|directive| directive.keyword == "define");
        let names = defines.flat_map(|directive| file.tokens.get(directive.tokens.clone()));
        let strings = names.flatten().filter(|token| token.kind == TokenKind::String);
        requests.extend(strings.filter_map(|token| {
            let name = file.bytes(token).strip_prefix('"')?.strip_suffix('"')?;
            Some(IncludeRequest { name: name.to_owned(), angled: false })
        }));
    }
    requests.retain(|request| !request.name.is_empty());
    requests
}

fn third_token<'a>(file: &'a FileText<'_>, directive: &Directive) -> Option<(TokenKind, &'a str)> {
    let token = file.tokens.get(directive.tokens.clone())?.get(2)?;
    Some((token.kind, file.bytes(token)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(files: &[(&str, &str)], include_dirs: &[&str]) -> (Vec<String>, Vec<Refused>) {
        let mut read = |path: &str| match files.iter().find(|(name, _)| *name == path) {
            Some((_, "!")) => Err("cannot be taken".to_owned()),
            Some((_, text)) => Ok(Some((*text).to_owned())),
            None => Ok(None),
        };
        let dirs: Vec<String> = include_dirs.iter().map(|dir| (*dir).to_owned()).collect();
        let loaded = load(files[0].0, files[0].1, &dirs, &mut read);
        let paths = loaded.sources.ids().map(|id| loaded.sources.file(id).path.to_string());
        (paths.collect(), loaded.refused)
    }

    #[test]
    fn headers_are_searched_beside_the_file_then_in_the_folders() {
        let files = [
            ("src/k.cu", "#include \"a.h\"\n#if 0\n#include <b.h>\n#endif\n#include <a.h>\n"),
            ("src/a.h", "#include \"../k.h\"\n#include \"k.cu\"\n"),
            ("k.h", ""),
            ("inc/a.h", "#include_next <a.h>\n"),
            ("inc/b.h", ""),
            ("more/a.h", ""),
        ];
        let (paths, _) = walk(&files, &["inc", "more"]);
        assert_eq!(paths, ["src/k.cu", "src/a.h", "inc/b.h", "inc/a.h", "k.h", "more/a.h"]);
    }

    #[test]
    fn what_cannot_be_taken_is_named_once() {
        let files = [("k.cu", "#include \"a.h\"\n#include \"b.h\"\n"), ("a.h", "!"), ("b.h", "")];
        let files = [files[0], files[1], ("b.h", "#include \"a.h\"\n")];
        let (paths, refused) = walk(&files, &[]);
        assert_eq!(paths, ["k.cu", "b.h"]);
        let reason = "cannot be taken".to_owned();
        assert_eq!(refused, [Refused { path: "a.h".to_owned(), reason }]);
    }

    #[test]
    fn a_macro_may_name_a_header() {
        let text = "#define HEADER \"h.h\"\n#include HEADER\n";
        let (paths, _) = walk(&[("/k.cu", text), ("/h.h", "")], &[]);
        assert_eq!(paths, ["/k.cu", "/h.h"]);
        assert!(include_requests("#define NAME \"h.h\"\n").is_empty());
    }

    #[test]
    fn a_cycle_ends() {
        let files = [("a.cu", "#include \"b.h\"\n"), ("b.h", "#include \"a.cu\"\n")];
        assert_eq!(walk(&files, &[]).0, ["a.cu", "b.h"]);
    }
}
