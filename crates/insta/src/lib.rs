//! Snapshot tests for the ports of your own CUDA kernels, on [insta](https://insta.rs).
//!
//! ```no_run
//! #[test]
//! fn scale() {
//!     port_insta::assert_port!("kernels/scale.cu", "hip");
//! }
//! ```
//!
//! The path is relative to the package's folder, as `Cargo.toml` is. The snapshot holds the status of
//! each kernel, the warnings and errors, and the ported text of the file and of the headers that
//! change with it; review it with `cargo insta review`, or write it with `INSTA_UPDATE=always`. It is
//! stored as insta stores all snapshots, in `snapshots/` beside the test, under the kernel's path and
//! the target: `tests__kernels_scale@hip.snap`.
//!
//! What the port brings along (`port_hip_compat.h`, `port_cpu.hpp`) is named but not shown: it changes
//! with `port`, not with your kernels.

#![allow(clippy::disallowed_methods, reason = "it reads the kernels that a user's test names")]

use std::fmt::Write;
use std::io::ErrorKind;
use std::path::Path;

#[doc(hidden)]
pub use insta;
pub use port::{Options, Target, WarpMode};

use port::FileRole;

/// Asserts that the port of a file to a target is the accepted one.
///
/// `assert_port!("k.cu", "hip")`, or `assert_port!("k.cu", "hip:gfx90a", &options)` with [`Options`]
/// (macros, include folders relative to the package, instances, the width of a warp).
#[macro_export]
macro_rules! assert_port {
    ($path:expr, $target:expr $(,)?) => {
        $crate::assert_port!($path, $target, &$crate::Options::default())
    };
    ($path:expr, $target:expr, $options:expr $(,)?) => {{
        let (path, target): (&str, &str) = (&$path, &$target);
        let port = $crate::port_text(env!("CARGO_MANIFEST_DIR"), path, target, $options);
        $crate::insta::with_settings!({ omit_expression => true }, {
            $crate::insta::assert_snapshot!($crate::snapshot_name(path, target), port);
        });
    }};
}

/// The name of a port's snapshot: `kernels/scale.cu` for `hip:gfx90a` is `kernels_scale@hip-gfx90a`.
pub fn snapshot_name(path: &str, target: &str) -> String {
    let plain = |text: &str| text.replace(['/', '\\'], "_").replace(':', "-");
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    format!("{}@{}", plain(stem), plain(target))
}

/// The port of a file as a snapshot holds it. `folder` is where relative paths start.
///
/// # Panics
///
/// Where the target does not exist or the file cannot be read: a test that names them is wrong.
pub fn port_text(folder: &str, path: &str, target: &str, options: &Options) -> String {
    let target: Target = target.parse().unwrap_or_else(|error| panic!("{error}"));
    let read = |path: &str| match std::fs::read_to_string(Path::new(folder).join(path)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    };
    let text = match read(path) {
        Ok(Some(text)) => text,
        Ok(None) => panic!("{path}: there is no such file in {folder}"),
        Err(reason) => panic!("{path}: {reason}"),
    };
    let loaded = port::load(path, &text, &options.include_dirs, &mut |path| read(path));
    let sources = &loaded.sources;
    let mut text = format!("{path} for {target}\n");
    for translation in port::translate(sources, loaded.root, &[target], options) {
        text.push_str(&port::summary(sources, &translation));
        for refused in &loaded.refused {
            let _ = writeln!(text, "\n{} {}", refused.path, refused.reason);
        }
        for file in &translation.ported.files {
            let name = match file.role {
                FileRole::Root => {
                    let extension = translation.target.backend.extension();
                    Path::new(path).with_extension(extension).to_string_lossy().into_owned()
                }
                FileRole::Header(id) if file.changes.is_empty() => {
                    let _ = writeln!(text, "\n== {}: unchanged", sources.file(id).path);
                    continue;
                }
                FileRole::Header(id) => sources.file(id).path.to_string(),
                FileRole::Generated(name) => {
                    let _ = writeln!(text, "\n== {name}: generated");
                    continue;
                }
            };
            let ending = if file.text.ends_with('\n') { "" } else { "\n" };
            let _ = write!(text, "\n== {name}\n{}{ending}", file.text);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_file_names() {
        assert_eq!(snapshot_name("a/b.cu", "hip:gfx90a"), "a_b@hip-gfx90a");
        assert_eq!(snapshot_name("b", "hip"), "b@hip");
    }

    #[test]
    #[should_panic(expected = "no.cu: there is no such file")]
    fn a_missing_file_is_a_wrong_test() {
        port_text(env!("CARGO_MANIFEST_DIR"), "no.cu", "hip", &Options::default());
    }
}
