//! The model of the Ascend C API, embedded: the files under `ascend/include` and `ascend/src`.

/// (path below the model's folder, text), sorted by path.
pub(super) const FILES: &[(&str, &str)] = &include!("assets.list");

#[cfg(test)]
mod tests {
    use super::FILES;
    use crate::oracle::assets::files_below;
    use std::path::Path;

    #[test]
    fn every_file_of_the_model_is_embedded() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("ascend");
        let mut found = files_below(&root.join("include"), &root);
        found.extend(files_below(&root.join("src"), &root));
        let listed: Vec<_> = FILES.iter().map(|(path, _)| path.to_string()).collect();
        assert_eq!(listed, found, "assets.list names the files under ascend/, sorted");
    }
}
