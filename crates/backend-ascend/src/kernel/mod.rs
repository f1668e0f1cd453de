//! What a kernel instance becomes: IR in, Ascend C out. Knows nothing of the user's text.
//!
//! [`emit`] tries the forms in the order of what they are worth and takes the first that holds the
//! kernel: matrix products for the cube, rows that are reduced, tiles of vectors, loops of the scalar
//! unit; for the 950, threads. A form that refuses says why, and the reason travels to the report of the next one
//! (`ported-slow` because it is no tile form …).
//!
//! ## The frame around a form
//! Who calls [`emit`] writes the kernel's head and its launcher:
//! ```text
//! __global__ __vector__ void NAME(GM_ADDR <pointer parameter>…, GM_ADDR <symbol>…,
//!                                 GM_ADDR workspace, <Name>Tiling tiling) { ENTRY }
//!
//! void launch_NAME(dim3 grid, dim3 block, size_t shared, aclrtStream stream, <parameters>…)
//! {   <Name>Tiling tiling; tiling.FIELD = VALUE; …
//!     NAME<<<BLOCKS, nullptr, stream>>>(…, tiling); }
//! ```
//! `ENTRY` may name the pointer parameters (as GM addresses, by [`DeviceKernel::pointers`]), the
//! symbols, `workspace` when [`DeviceKernel::workspace`] asks for one, and `tiling.FIELD`. `VALUE`,
//! `BLOCKS` and the workspace's size are C++ expressions of the host over `grid`, `block`, `shared`
//! (`grid.x` …, unsigned), the kernel's parameters by name, `cores` (vector cores of the chip, or
//! cube cores for [`Unit::Cube`]), `ubBytes`, and the fields that come before (by their own names); it
//! may call [`TILING_FUNCTIONS`].

use std::collections::{BTreeMap, BTreeSet};

use port_backend::Status;
use port_diag::{Origin, SourceMap};
use port_ir::analysis::program::Program;
use port_ir::analysis::uniformity::{Assumptions, ModuleUniformity};
use port_ir::passes::inline::Limits;
use port_ir::{Function, Handle, Module, Variable, validate};

use crate::code::{choices, decided, members};
use crate::support::{self, Header, Library};
use crate::{matrix, rows, scalar, simt, tile};

/// The chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chip {
    /// Ascend 910B and 910_93: vector cores with a unified buffer, cube cores.
    A910b,
    /// Ascend 950: SIMT threads.
    A950,
}

/// A kernel instance to translate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The kernel.
    pub function: Handle<Function>,
    /// The base of its names, snake_case: `softmax_float`. Type names are made from it in CamelCase.
    pub name: String,
}

/// What the emitter is told besides the IR.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// The files, for comments that name lines.
    pub sources: &'a SourceMap,
    /// Identifiers that the text must not use: macros of the user's text.
    pub reserved: &'a BTreeSet<String>,
    /// The chip.
    pub chip: Chip,
    /// Which forms are tried.
    pub forms: Forms,
}

/// Which forms of the 910B are tried for a kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Forms {
    /// All, the best first.
    #[default]
    All,
    /// The one that holds most: loops of the scalar unit.
    Scalar,
}

/// The cores that run a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Vector cores: `__vector__`.
    Vector,
    /// Cube cores with their vector cores: `__mix__(1, 2)`.
    Cube,
    /// Threads of the 950: no `__vector__`, launched with the user's own grid and block.
    Threads,
}

/// What a field's value may call: the length of tiles. It belongs into the header of the tiling, once.
pub const TILING_FUNCTIONS: &str = "
#ifndef PORT_TILE_LANES
#define PORT_TILE_LANES
// Lanes of a tile, for so many rows of lanes: `tilesOfCore` tiles for each core where there is enough to
// do, since the copies of one run beside the computation of another; the tiles of a row are of one length.
inline uint32_t TileLanes(uint64_t lanes, uint64_t rows, uint32_t cores, uint32_t most, uint32_t tilesOfCore)
{
    constexpr uint64_t FEWEST = 512;
    const uint64_t all = lanes * rows;
    const uint64_t share = (all + cores - 1) / cores;
    const uint64_t tilesOfAll = static_cast<uint64_t>(tilesOfCore) * cores;
    const uint64_t part = (all + tilesOfAll - 1) / tilesOfAll;
    uint64_t wanted = part > FEWEST ? part : share < FEWEST ? share : FEWEST;
    wanted = wanted < most ? wanted : most;
    const uint64_t tiles = wanted == 0 ? 1 : (lanes + wanted - 1) / wanted;
    const uint64_t even = tiles == 0 ? 64 : ((lanes + tiles - 1) / tiles + 63) / 64 * 64;
    return static_cast<uint32_t>(even < most ? (even == 0 ? 64 : even) : most);
}
#endif
";

/// What the conditions of [`DeviceKernel::apart`] may call. It belongs into the header of the tiling, once.
pub const APART_FUNCTION: &str = "
#ifndef PORT_ELEMENTS_APART
#define PORT_ELEMENTS_APART
// Whether no element of one array meets another one of a second, of so many that lie `stride` bytes apart. Those of the
// first begin `further` bytes behind `a`; elements of one number may be the same.
inline bool ElementsApart(const void* a, int64_t bytesA, const void* b, int64_t bytesB, int64_t further, int64_t stride,
                          uint64_t count, bool mayBeSame = true)
{
    const int64_t distance = reinterpret_cast<int64_t>(a) + further - reinterpret_cast<int64_t>(b);
    const int64_t step = stride < 0 ? -stride : stride;
    if (count == 0 || distance == 0) return count == 0 || mayBeSame;
    const int64_t span = step * static_cast<int64_t>(count - 1);
    if (distance >= span + bytesB || -distance >= span + bytesA) return true;
    if (step == 0) return false;
    // So far into an element of the second one of the first begins.
    const int64_t within = (distance % step + step) % step;
    return within >= bytesB && within + bytesA <= step;
}
#endif
";

/// A number that the host computes for the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TilingField {
    /// Its C++ type: `uint32_t`, `uint64_t`, `float`, or a user's struct.
    pub ty: String,
    /// Its name, camelCase.
    pub name: String,
    /// A C++ expression of the host.
    pub value: String,
    /// What it is, for the comment beside it.
    pub comment: String,
}

/// A kernel instance in Ascend C.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceKernel {
    /// How it was translated, as reports show it: `flatten`, `rows`, `block`, `matmul`, `scalar`,
    /// `simt` ….
    pub lowering: &'static str,
    /// [`Status::Ported`] or [`Status::PortedSlow`].
    pub status: Status,
    /// For `ported-slow`: the reason, as the end of a sentence "… because `reason`", and its place.
    pub reason: Option<(String, Origin)>,
    /// The cores that run it.
    pub unit: Unit,
    /// The parameters that are pointers, by index, in order: each is a `GM_ADDR`.
    pub pointers: Vec<u32>,
    /// Global and constant variables that it uses: each is a further `GM_ADDR`, by the variable's
    /// name with `::` as `_`.
    pub symbols: Vec<Handle<Variable>>,
    /// What the host computes.
    pub tiling: Vec<TilingField>,
    /// How many cores: a C++ expression of the host.
    pub blocks: String,
    /// Threads of a block at most: for [`Unit::Threads`] the kernel's `__launch_bounds__`, for
    /// [`Unit::Vector`] what the launcher refuses to exceed.
    pub threads: Option<u32>,
    /// Which blocks the translation was proven for: a condition of the host on `block`, and the blocks
    /// in words. Others are refused by the launcher. `None`: all that `threads` allows.
    pub proven_for: Option<(String, String)>,
    /// What two pointers must hold that nobody promises to be different memory: a condition of the host, which may
    /// name fields, and what a launch is given where it does not hold. The launcher refuses that.
    pub apart: Vec<(String, String)>,
    /// Bytes of workspace in global memory: a C++ expression of the host.
    pub workspace: Option<String>,
    /// Includes that the text needs beyond `kernel_operator.h`.
    pub includes: BTreeSet<&'static str>,
    /// Definitions before the kernel: its class, constants, device functions.
    pub definitions: String,
    /// The statements of the kernel, each line indented by four spaces.
    pub entry: String,
}

/// Why a kernel has no form on the chip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotTranslated {
    /// In words that end a sentence: "… because `reason`".
    pub reason: String,
    /// The place that asks for it.
    pub origin: Origin,
}

/// Expressions of a module with its calls inlined: kernels have many instances, and what synchronises
/// threads has no form as a function.
const EXPRESSIONS: usize = 1_500_000;

/// What [`emit`] gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emitted {
    /// Device types and functions that several kernels use; they come first.
    pub declarations: String,
    /// Headers of device code that the texts need; [`crate::support::prelude`] gives a text their names.
    pub headers: Vec<Header>,
    /// One for each request, in order.
    pub kernels: Vec<Result<DeviceKernel, NotTranslated>>,
}

/// What all forms look at.
pub(crate) struct Context<'c, 'a> {
    /// The flattened module: calls inlined, values forwarded.
    pub program: &'c Program<'a>,
    /// Which of its values are the same for which threads.
    pub uniformity: &'c ModuleUniformity,
    /// What the caller asks for.
    pub options: &'c Options<'c>,
}

/// Device code that several kernels use, each piece once and in the order of first use.
#[derive(Default)]
pub(crate) struct Declarations {
    pieces: Vec<(String, String)>,
    support: BTreeMap<Library, Vec<(&'static str, &'static str)>>,
}

impl Declarations {
    /// Adds a piece unless one of this key is there.
    pub fn add(&mut self, key: &str, text: &str) {
        if !self.pieces.iter().any(|(known, _)| known == key) {
            self.pieces.push((key.to_owned(), text.to_owned()));
        }
    }

    /// Adds a piece to a header that stands beside the port, unless one of this key is there.
    pub fn add_support(&mut self, library: Library, key: &'static str, text: &'static str) {
        let pieces = self.support.entry(library).or_default();
        if !pieces.iter().any(|(known, _)| *known == key) {
            pieces.push((key, text));
        }
    }

    fn text(&self) -> String {
        let text = self.pieces.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n");
        support::joined(&text)
    }

    fn headers(&self, chip: Chip) -> Vec<Header> {
        let runtime = match chip {
            Chip::A910b => "kernel_operator.h",
            Chip::A950 => "simt_api/asc_simt.h",
        };
        let header = |(library, pieces): (&Library, &Vec<(&str, &str)>)| {
            let texts: Vec<&str> = pieces.iter().map(|(_, text)| *text).collect();
            Header::new(*library, &texts, runtime)
        };
        self.support.iter().map(header).collect()
    }
}

/// A form: a kernel in Ascend C, or why it does not hold the kernel. It declares nothing where it
/// refuses.
pub(crate) type Form =
    fn(&Context<'_, '_>, &Request, &mut Declarations) -> Result<DeviceKernel, NotTranslated>;

/// Translates kernels of a valid module. `module` is what lowering gave: it is inlined and analysed
/// here.
pub fn emit(module: &Module, requests: &[Request], options: &Options<'_>) -> Emitted {
    let nowhere = Origin::plain(port_diag::Span::new(port_diag::FileId(0), 0, 0));
    let invalid = || {
        let reason = "its translation is not valid".to_owned();
        Emitted {
            declarations: String::new(),
            headers: Vec::new(),
            kernels: requests
                .iter()
                .map(|_| Err(NotTranslated { reason: reason.clone(), origin: nowhere }))
                .collect(),
        }
    };
    let Ok(info) = validate(module) else { return invalid() };
    // Vectors of lanes have no calls.
    let limits = Limits { early_returns: true, module: EXPRESSIONS, ..Limits::default() };
    let module = decided::prune(port_ir::passes::flatten_within(module, &info, limits));
    let which = match options.chip {
        Chip::A910b => choices::Which::Any,
        Chip::A950 => choices::Which::OtherMemory,
    };
    let module = choices::split(members::split(module), which);
    let Ok(info) = validate(&module) else { return invalid() };
    let program = Program::of(&module, &info);
    let assumptions = Assumptions { warp_width: Some(32), rows_of_whole_warps: false };
    let uniformity = ModuleUniformity::of(&program, assumptions);
    let context = Context { program: &program, uniformity: &uniformity, options };
    let mut declarations = Declarations::default();
    let forms: &[Form] = match (options.chip, options.forms) {
        (Chip::A910b, Forms::All) => &[matrix::kernel, rows::kernel, tile::kernel, scalar::kernel],
        (Chip::A910b, Forms::Scalar) => &[scalar::kernel],
        (Chip::A950, Forms::All) => &[matrix::kernel, simt::kernel],
        (Chip::A950, Forms::Scalar) => &[simt::kernel],
    };
    let kernels = requests
        .iter()
        .map(|request| {
            // The reason of the best form that nearly held it is the one that helps: the cube's is
            // only told where there is no other.
            let mut refused: Option<NotTranslated> = None;
            for form in forms {
                match form(&context, request, &mut declarations) {
                    Ok(mut kernel) => {
                        if kernel.status == Status::PortedSlow && kernel.reason.is_none() {
                            kernel.reason = refused.map(|why| (why.reason, why.origin));
                        }
                        return Ok(kernel);
                    }
                    Err(why) if why.reason == "no form holds it" && refused.is_some() => {}
                    Err(why) => refused = Some(why),
                }
            }
            Err(refused.unwrap_or(NotTranslated {
                reason: "the chip has no form for it".to_owned(),
                origin: nowhere,
            }))
        })
        .collect();
    Emitted {
        declarations: declarations.text(),
        headers: declarations.headers(options.chip),
        kernels,
    }
}
