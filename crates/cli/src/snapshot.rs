//! `port snapshot`.
use crate::arguments::{CommonArguments, SnapshotArguments};
pub const FOLDER: &str = "port-snapshots";
pub fn run(_: &SnapshotArguments, _: &CommonArguments) -> Result<u8, String> {
    Err("not yet".to_owned())
}
