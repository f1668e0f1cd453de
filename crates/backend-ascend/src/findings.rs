//! What a port to Ascend has to say about the user's text. One struct a finding; its documentation
//! is what `port explain` prints.

use port_diag::Metadata;

/// Every finding of this crate.
pub const FINDINGS: &[&Metadata] = &[];
