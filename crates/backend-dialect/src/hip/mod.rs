//! HIP: AMD GPUs through ROCm, and Hygon DCUs through DTK.
//!
//! * `architecture`: the chips that may be named.
//! * `port`: the passes of a port, in order.
//! * `names`: API names become what their rows say.
//! * `pasted`: API names that `##` makes.
//! * `members`: members of API types.
//! * `operators`: operators of the user that HIP's vector types have.
//! * `rules`: uses that need more than a new name.
//! * `includes`: headers.
//! * `branches`: conditionals that would compile differently.
//! * `device`: device code that has no form (PTX).
//! * `hazards`: code that runs differently, by data flow.
//! * `guard`: what keeps an unfinished port from being built by accident.

mod architecture;
mod branches;
mod device;
mod guard;
mod hazards;
mod includes;
mod members;
mod names;
mod operators;
mod pasted;
mod port;
mod rules;
mod standard;

use crate::compat;
use port_backend::{Architecture, Backend, Options, Ported, Unit};

/// The name that messages give this target.
const TARGET: &str = "HIP";

/// The HIP target.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hip;

impl Backend for Hip {
    fn name(&self) -> &'static str {
        "hip"
    }

    fn description(&self) -> &'static str {
        "HIP C++ for AMD (ROCm 5, 6, 7) and Hygon DCU: edits of the CUDA text"
    }

    fn architectures(&self) -> &'static [Architecture] {
        architecture::ALL
    }

    fn extension(&self) -> &'static str {
        "hip"
    }

    fn merge_generated(&self, name: &str, texts: &[&str]) -> Option<String> {
        (name == compat::FILE_NAME).then(|| port::merge_compat_headers(texts)).flatten()
    }

    fn port(&self, unit: &Unit<'_>, options: &Options) -> Ported {
        port::run(unit, options)
    }
}
