//! Products of matrices on the cube against the fiber oracle, on the model of the 910B. Sums are
//! reassociated, so results agree within a bound and not bit for bit.

mod common;

use port_backend_ascend::kernel::Chip;

#[test]
fn products_agree_with_the_oracle() {
    common::check_all(Chip::A910b, &["sgemm_naive"]);
}
