//! The loops of the scalar unit against the fiber oracle: kernels of the repository, run by both on
//! the same inputs. The emitted text runs on the model of the 910B.
//!
//! Only some of them are run; `PORT_KERNELS=all`, or names, runs others.

use port_backend_ascend::kernel::{Chip, Forms};

use crate::common;

/// A kernel that uses much of what the form has: barriers, warp operations, atomics, both kinds of
/// shared memory, functions of the vector unit.
const SAMPLE: &[&str] = &["rms_norm"];

#[test]
fn scalar_loops_agree_with_the_oracle() {
    common::check_all(Chip::A910b, Forms::Scalar, SAMPLE);
}
