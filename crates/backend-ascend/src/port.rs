//! The passes of a port to Ascend, in order.

use port_backend::{Options, Ported, Unit};

/// Ports a unit.
pub(crate) fn run(_unit: &Unit<'_>, _options: &Options) -> Ported {
    Ported::default()
}
