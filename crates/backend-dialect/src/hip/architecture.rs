//! The chips that HIP code is built for, with the width of their waves.
//!
//! Wave widths: AMD's "User Guide for AMDGPU Backend" (LLVM), table of processors; for Hygon the
//! compute capabilities reported by DTK's own tools.

use port_backend::Architecture;

const PROXY: Option<&str> = Some(
    "the public compiler does not know this Hygon chip; what was compiled and checked is gfx906, its closest public relative",
);

/// All of them, the default first.
pub const ALL: &[Architecture] = &[
    Architecture { name: "gfx90a", wave: 64, note: None },
    Architecture { name: "gfx906", wave: 64, note: None },
    Architecture { name: "gfx942", wave: 64, note: None },
    Architecture { name: "gfx1030", wave: 32, note: None },
    Architecture { name: "gfx1100", wave: 32, note: None },
    Architecture { name: "gfx926", wave: 64, note: PROXY },
    Architecture { name: "gfx928", wave: 64, note: PROXY },
    Architecture { name: "gfx936", wave: 64, note: PROXY },
];
