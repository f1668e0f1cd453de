//! The Ascend target: Ascend C for the 910B (tiles) and the 950 (SIMT), joined with the user's own
//! host code on ACL.
//!
//! * `port`: the passes of a port, in order.
//! * `host`: the user's own text.
//! * `section`: the kernels behind their launchers, and their tiling.
//! * `tiling`: the header with what the host computes for a launch.
//! * `project`: build files, data, documentation.
//! * `kernel`: what a kernel instance becomes, and the forms that are tried for it.
//! * `tile`: the tile IR, its recognisers and its writer.
//! * `code`: IR as plain C++ of the device.
//! * `matrix`: products of matrices for the cube.
//! * `scalar`: loops of the scalar unit, for what has no vector form.
//! * `simt`: threads of the 950.
//! * `support`: headers of device code that stand beside a port.

mod code;
pub mod findings;
mod host;
mod interned;
pub mod kernel;
mod matrix;
mod port;
mod project;
mod rows;
mod scalar;
mod section;
mod simt;
pub mod support;
mod tile;
mod tiling;

use port_backend::{Architecture, Backend, Options, Ported, Unit};

/// How a port spells a type of CUDA's; `None` where it keeps the name.
pub fn type_name(name: &str) -> Option<&'static str> {
    host::api::type_name(name)
}

/// The Ascend target.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ascend;

impl Backend for Ascend {
    fn name(&self) -> &'static str {
        "ascend"
    }

    fn description(&self) -> &'static str {
        "Ascend C (CANN) for Huawei's Ascend chips: tiles for the 910B, SIMT for the 950"
    }

    fn architectures(&self) -> &'static [Architecture] {
        &[
            Architecture { name: "910b", wave: 32, note: None },
            Architecture { name: "950", wave: 32, note: None },
        ]
    }

    fn extension(&self) -> &'static str {
        "asc"
    }

    fn folder_suffix(&self) -> Option<&'static str> {
        Some("_ascend")
    }

    fn merge_generated(&self, _name: &str, _texts: &[&str]) -> Option<String> {
        None
    }

    fn port(&self, unit: &Unit<'_>, options: &Options) -> Ported {
        port::run(unit, options)
    }
}
