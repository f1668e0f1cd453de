//! What element-wise kernels and kernels over rows cost on the 910B, by the counters of the model: the bytes
//! that they move against those that they need, the lanes in use, how much of the copies runs beside
//! computation, and what the scalar unit does.

use std::collections::BTreeSet;

use port::KernelReport;
use port_check::Spec;
use port_check::ascend::Executable;
use port_check::oracle::RunOptions;
use port_check::spec::{Argument, ParameterSet};

/// A kernel at sizes at which it has several tiles on each core, or rows of more than a tile.
pub struct Measured {
    /// The kernel, as the workspace names it.
    pub kernel: &'static str,
    /// The spec's integers.
    pub ints: &'static [(&'static str, i64)],
    /// Which of them are the number of rows and that of a row's elements, where it has kernels over rows.
    pub rows: Option<(&'static str, &'static str)>,
    /// Loops over a row: each copies a row of several pieces anew.
    pub loops: u32,
    /// What the scalar unit reads and writes at most for a row and piece.
    pub scalars: i64,
}

/// A kernel of element-wise functions.
const fn flat(kernel: &'static str, ints: &'static [(&'static str, i64)]) -> Measured {
    Measured { kernel, ints, rows: None, loops: 1, scalars: 0 }
}

/// A kernel of functions over rows.
const fn rows(
    kernel: &'static str,
    ints: &'static [(&'static str, i64)],
    rows: (&'static str, &'static str),
    loops: u32,
    scalars: i64,
) -> Measured {
    Measured { kernel, ints, rows: Some(rows), loops, scalars }
}

/// All that is measured.
pub const ALL: &[Measured] = &[
    flat("activation/gelu_tanh", &[("n", (1 << 17) + 29)]),
    flat("activation/silu_and_mul", &[("tokens", 80), ("width", 1000)]),
    flat("dropout/bias_dropout_residual", &[("rows", 40), ("cols", 1000)]),
    flat("optimizer/adamw", &[("n", 65_537)]),
    flat("quant/dequantize_q4_0", &[("blocks", 1000)]),
    flat("rope/rotary_embedding", &[("tokens", 16)]),
    flat("scan/inclusive_scan", &[("n", 20_000)]),
    rows("norm/rms_norm", &[("tokens", 160), ("hidden", 2048)], ("tokens", "hidden"), 2, 4),
    rows("norm/rms_norm", &[("tokens", 2), ("hidden", 40_000)], ("tokens", "hidden"), 2, 4),
    rows(
        "norm/fused_add_rms_norm",
        &[("tokens", 160), ("hidden", 2048)],
        ("tokens", "hidden"),
        2,
        4,
    ),
    rows("norm/layer_norm", &[("rows", 160), ("cols", 2048)], ("rows", "cols"), 3, 6),
    rows("norm/layer_norm", &[("rows", 2), ("cols", 40_000)], ("rows", "cols"), 3, 6),
    rows("loss/cross_entropy", &[("rows", 160), ("V", 2048)], ("rows", "V"), 3, 13),
    rows("loss/cross_entropy", &[("rows", 2), ("V", 40_000)], ("rows", "V"), 3, 13),
    rows("reduce/argmax", &[("rows", 160), ("cols", 2048)], ("rows", "cols"), 2, 6),
    rows("gemm/gemv_half", &[("rows", 160), ("cols", 2048)], ("rows", "cols"), 1, 4),
    rows(
        "quant/quantize_int8_per_token",
        &[("tokens", 160), ("hidden", 2048)],
        ("tokens", "hidden"),
        2,
        12,
    ),
];

/// What a launch cost.
#[derive(Clone, Debug)]
pub struct Cost {
    /// The launched kernel, as the spec names it.
    pub launch: String,
    /// Whether it goes over rows.
    pub is_rows: bool,
    /// Bytes moved between global memory and the unified buffers.
    pub moved: f64,
    /// Bytes that it reads, each once.
    pub read: f64,
    /// Bytes that it reads, each once for every core that does.
    pub read_by_cores: f64,
    /// Bytes that it writes, each once.
    pub written: f64,
    /// Bytes of arrays that all rows share, once for each core.
    pub shared: f64,
    /// Lanes of vector instructions that are used, of 1.
    pub lanes: f64,
    /// How much of the transfers' time runs beside computation, of 1.
    pub overlap: f64,
    /// What the scalar unit reads and writes.
    pub scalars: f64,
    /// Transfers.
    pub transfers: f64,
}

impl Cost {
    /// The bytes moved, as a multiple of those needed where what is read is read so many times.
    pub fn bytes(&self, times: u32) -> f64 {
        let read = self.read_by_cores.min(self.read + self.shared);
        self.moved / (f64::from(times) * read + self.written).max(1.0)
    }
}

/// What element-wise kernels do not hold: the kernel, how its launches begin, and what. Words of packed weights that
/// begin anywhere go lane by lane; a row that all rows share is copied once a core, which is much where a core has
/// one row of its own; a pass that begins inside a row copies it again; a few elements fill no tile, and a core with
/// one tile has nothing to copy while it computes.
pub const KNOWN: &[(&str, &str, &[&str])] = &[
    ("dropout/bias_dropout_residual", "bias_dropout_residual_vec4_kernel", &["bytes"]),
    ("quant/dequantize_q4_0", "dequantize_q4_0_f16_packed", &["bytes", "overlap", "scalar"]),
    ("quant/dequantize_q4_0", "k_get_rows", &["lanes", "scalar"]),
    ("rope/rotary_embedding", "rope::rotary_embedding_kernel<__nv_bfloat16, false>", &["bytes"]),
    ("loss/cross_entropy", "cross_entropy_backward_kernel<float>", &["overlap"]),
    ("loss/cross_entropy", "cross_entropy_backward_kernel<half>", &["overlap"]),
];

impl Measured {
    /// What a launch does not hold, by the pieces of the port's kernels over rows: bytes within 1.2 of those
    /// that it needs, 90 % of the lanes, copies beside computation, no more of the scalar unit than a few
    /// accesses for each transfer or row.
    pub fn misses(&self, cost: &Cost, pieces: &[i64]) -> Result<Vec<&'static str>, String> {
        // A few elements fill no tile.
        if cost.moved < 1024.0 {
            return Ok(Vec::new());
        }
        let (few, times) = match (cost.is_rows, self.row(pieces)) {
            (false, _) => (cost.transfers, 1),
            (true, row) => match row?.ok_or("its rows are not named")? {
                (rows, 1) => ((self.scalars * rows) as f64, 1),
                (rows, all) => ((self.scalars * rows * all) as f64, self.loops),
            },
        };
        let holds = [
            ("bytes", cost.bytes(times) <= 1.2),
            ("lanes", cost.lanes >= 0.9),
            ("overlap", cost.overlap > 0.15),
            ("scalar", cost.scalars <= few),
        ];
        Ok(holds.into_iter().filter(|(_, holds)| !holds).map(|(what, _)| what).collect())
    }

    /// For kernels over rows, how many rows there are and how many pieces a row is, by the pieces of the
    /// port's kernels.
    pub fn row(&self, pieces: &[i64]) -> Result<Option<(i64, i64)>, String> {
        let Some((rows, length)) = self.rows else { return Ok(None) };
        let of = |wanted: &str| {
            let found = self.ints.iter().find(|(name, _)| *name == wanted).map(|(_, n)| *n);
            found.ok_or_else(|| format!("{}: no `{wanted}`", self.kernel))
        };
        let piece = pieces.iter().copied().filter(|piece| *piece > 0).min();
        let piece = piece.ok_or_else(|| format!("{}: no kernel goes over rows", self.kernel))?;
        Ok(Some((of(rows)?, (of(length)? + piece - 1) / piece)))
    }

    /// The launches in question with what they cost.
    pub fn costs(
        &self,
        kernels: &[KernelReport],
        spec: &Spec,
        program: &Executable,
    ) -> Result<Vec<Cost>, String> {
        let form = |launch: &str| {
            let name = launch.split('<').next().unwrap_or_default();
            kernels.iter().find(|kernel| kernel.name == name).map(|kernel| kernel.lowering)
        };
        let case = |ints: &[(&'static str, i64)]| {
            let set = ParameterSet::new(ints.iter().copied());
            spec.case(&set).map_err(|findings| format!("{}: {findings:?}", set.label()))
        };
        let mut whole = case(self.ints)?;
        // Other forms are not held to a cost, and some of them take long for so many elements: without
        // blocks they are left out.
        for launch in &mut whole.launches {
            if !matches!(form(&launch.kernel), Some("flatten" | "rows")) {
                launch.grid = [0; 3];
            }
        }
        // What does not grow with the rows is shared by them.
        let mut few = self.ints.to_vec();
        let rows = self.rows.map(|(rows, _)| rows);
        few.iter_mut().filter(|(name, _)| Some(*name) == rows).for_each(|(_, n)| *n = 1);
        let few = case(&few)?;
        let run = program.run(&whole, &RunOptions::default()).map_err(|error| error.to_string())?;
        if let Some(violation) = run.violations.first() {
            return Err(violation.to_string());
        }
        let launched: Vec<_> = whole.launches.iter().filter(|l| !l.grid.contains(&0)).collect();
        if launched.len() != run.launches.len() {
            return Err(format!("{} of {} launches", run.launches.len(), launched.len()));
        }
        let mut costs = Vec::new();
        for (launch, cost) in launched.into_iter().zip(&run.launches) {
            let is_rows = form(&launch.kernel) == Some("rows");
            let buffers: BTreeSet<usize> = launch
                .arguments
                .iter()
                .filter_map(|argument| match argument {
                    Argument::Buffer { index, .. } => Some(*index),
                    _ => None,
                })
                .collect();
            let bytes = |case: &port_check::Case, index: usize| {
                case.buffers.get(index).map_or(0, |buffer| buffer.tensor.bytes().len())
            };
            let shared = buffers
                .into_iter()
                .filter(|index| is_rows && bytes(&whole, *index) == bytes(&few, *index));
            let shared = shared.map(|index| bytes(&whole, index)).sum::<usize>() as f64;
            let of = |name: &str| cost.counters.get(name).copied().unwrap_or(f64::NAN);
            costs.push(Cost {
                launch: launch.kernel.clone(),
                is_rows,
                moved: of("gm_to_ub_bytes") + of("ub_to_gm_bytes"),
                read: of("gm_distinct_read_bytes"),
                read_by_cores: of("gm_core_read_bytes"),
                written: of("gm_distinct_written_bytes"),
                shared: shared * cost.blocks as f64,
                lanes: of("vector_lanes") / of("vector_lanes_possible"),
                overlap: of("overlap"),
                scalars: of("scalar_gm_accesses") + of("scalar_ub_accesses"),
                transfers: of("transfers"),
            });
        }
        match costs.is_empty() {
            true => Err("no launch is element-wise or over rows".to_owned()),
            false => Ok(costs),
        }
    }
}
