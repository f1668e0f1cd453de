//! The SIMT form against the fiber oracle: kernels of the repository, run by both on the same
//! inputs. The emitted text is compiled against the SIMT API on the oracle's own machine.
//!
//! Only some of them are run; `PORT_KERNELS=all`, or names, runs others.

use port_backend_ascend::kernel::{Chip, Forms};

use crate::common;

/// A kernel that uses much of what the form has: shuffles, votes, shared memory of both kinds,
/// atomics, 16-bit floats, vectors, structs.
const SAMPLE: &[&str] = &["histogram"];

#[test]
fn threads_agree_with_the_oracle() {
    common::check_all(Chip::A950, Forms::All, SAMPLE);
}
