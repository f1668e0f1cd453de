//! Whole programs: device functions, structures and kernels, and the spec that runs them.

use std::fmt::Write;

use super::expression::Want;
use super::scope::{
    Array, Callable, Level, Mask, Place, Position, Procedure, Random, Shared, State,
};
use super::tree::{Node, Part, Role};
use super::types::Type::{self, *};
use super::{Generator, Structure};

/// A program with what a spec says of it.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its seed.
    pub seed: u64,
    /// Its text.
    pub text: Node,
    /// Its buffers: lines of a spec.
    buffers: String,
    /// The names of its outputs.
    pub outputs: Vec<String>,
    /// Its launches: tables of a spec.
    launches: String,
}

/// Programs that are compiled together.
#[derive(Clone, Debug)]
pub struct Unit {
    /// The programs.
    pub programs: Vec<Program>,
}

/// What every program may read: (name, type, elements, initial values).
const INPUTS: [(&str, Type, u32, &str); 14] = [
    ("in_f32", F32, 64, "init = \"normal(0, 3)\""),
    ("in_x32", F32, 64, SPECIAL),
    ("in_f64", F64, 32, "init = \"normal(0, 100)\""),
    ("in_s32", I32, 64, "init = \"ints(-8, 9)\""),
    ("in_i32", I32, 64, "init = \"ints(-2147483648, 2147483648)\""),
    ("in_u32", U32, 64, "init = \"ints(0, 4294967296)\""),
    ("in_u8", U8, 64, "init = \"ints(0, 256)\""),
    ("in_i8", I8, 32, "init = \"ints(-128, 128)\""),
    ("in_i16", I16, 32, "init = \"ints(-32768, 32768)\""),
    ("in_u16", U16, 32, "init = \"ints(0, 65536)\""),
    ("in_i64", I64, 32, "init = \"ints(-9223372036854775807, 9223372036854775807)\""),
    ("in_u64", U64, 32, "init = \"ints(0, 9223372036854775807)\""),
    ("in_f16", F16, 32, "init = \"normal(0, 2)\""),
    ("in_bf16", BF16, 32, "init = \"normal(0, 2)\""),
];

/// Values that arithmetic treats specially.
const SPECIAL: &str = "values = [0.0, -0.0, 1.0, -1.0, nan, inf, -inf, 1e-42, -1e-42, 3.4e38, -3.4e38, \
                       1.17549435e-38, 0.5, 2.5, 3.5, 16777216.0, 16777217.0, 2147483648.0, 1e-30, 65504.0, 65520.0, 6e-8]";

const CONSTANTS: &str = "__constant__ int c_i32[16];\n__constant__ float c_f32[16];\n";

/// The program of a seed.
pub fn generate(seed: u64) -> Program {
    let generator = Generator {
        random: Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x5851_f42d_4c95_7f2d),
        tag: seed,
        names: 0,
        // Of no kernel yet: the most that any has.
        block: [192, 64, 4],
        grid: [4; 3],
        in_kernel: false,
        places: Vec::new(),
        arrays: Vec::new(),
        shared: Vec::new(),
        callables: Vec::new(),
        procedures: Vec::new(),
        structures: Vec::new(),
        objects: Vec::new(),
        banned: Vec::new(),
        volatile: Vec::new(),
        loop_states: Vec::new(),
        exited: false,
        returns: None,
        budget: 0,
        idioms: 0,
        accumulator: None,
        uses_accumulator: false,
        strided: None,
        uses_reduction: false,
        uses_parameters: false,
    };
    generator.program()
}

impl Unit {
    /// The programs of these seeds.
    pub fn of(seeds: impl Iterator<Item = u64>) -> Unit {
        Unit { programs: seeds.map(generate).collect() }
    }

    /// The CUDA text.
    pub fn text(&self) -> String {
        let mut text = String::from(
            "#include <cstdint>\n#include <cstdio>\n#include <cuda_bf16.h>\n#include <cuda_fp16.h>\n\
             #include <cuda_runtime.h>\n\n",
        );
        text += CONSTANTS;
        let kinds = [
            "bool",
            "char",
            "signed char",
            "unsigned char",
            "short",
            "unsigned short",
            "int",
            "unsigned",
            "long",
            "unsigned long",
            "long long",
            "unsigned long long",
            "float",
            "double",
        ];
        for (index, kind) in kinds.iter().enumerate() {
            let _ = writeln!(text, "__device__ int kind_of({kind}) {{ return {}; }}", index + 1);
        }
        text += "template <class T> __device__ T same(T value) { return value; }\n";
        for program in &self.programs {
            text += &format!("\n// ---- {}\n{}", program.seed, program.text.text());
        }
        text
    }

    /// The spec.
    pub fn spec(&self) -> String {
        let mut text = String::from("[buffers]\n");
        for (seed, (name, ty, count, init)) in INPUTS.iter().enumerate() {
            let _ = writeln!(
                text,
                "{name} = {{ dtype = \"{}\", shape = [{count}], {init}, seed = {} }}",
                ty.dtype(),
                seed + 1
            );
        }
        for program in &self.programs {
            text += &program.buffers;
        }
        text += "[symbols]\nc_i32 = { dtype = \"i32\", shape = [16], init = \"ints(-100, 100)\", seed = 50 }\n\
                 c_f32 = { dtype = \"f32\", shape = [16], init = \"normal(0, 1)\", seed = 51 }\n";
        for program in &self.programs {
            text += &program.launches;
        }
        text
    }

    /// The program that an output belongs to.
    pub fn owner(&self, output: &str) -> Option<&Program> {
        self.programs.iter().find(|program| program.outputs.iter().any(|name| name == output))
    }
}

impl Generator {
    fn program(mut self) -> Program {
        let mut parts: Vec<Part> = Vec::new();
        let tag = self.tag;
        self.constants();
        for index in 0..self.random.below(3) {
            let part = self.structure(index);
            parts.push(part.into());
        }
        for index in 0..1 + self.random.below(4) {
            let part = self.function(index);
            parts.push(part.into());
        }
        parts.push(format!("__device__ void meet_{tag}() {{ __syncthreads(); }}\n").into());
        let reductions = parts.len();
        let mut program = Program {
            seed: tag,
            text: Node::new(Role::Text, Vec::new()),
            buffers: String::new(),
            outputs: Vec::new(),
            launches: String::new(),
        };
        for index in 0..1 + self.random.below(2) {
            let part = self.kernel(index, &mut program);
            parts.push(part.into());
        }
        if self.uses_parameters {
            parts.insert(
                reductions,
                format!("struct P_{tag} {{\nint a;\nfloat b;\nunsigned char c;\ndouble d;\n}};\n")
                    .into(),
            );
        }
        if self.uses_reduction {
            parts.insert(reductions, self.reduction_functions().into());
        }
        program.text = Node::new(Role::Text, parts);
        program
    }

    fn constants(&mut self) {
        for (name, ty) in [("c_i32", I32), ("c_f32", F32)] {
            let (_, variable) = self.fresh("c");
            self.arrays.push(Array {
                text: name.into(),
                extents: vec![16],
                ty,
                own: false,
                writable: false,
                variable,
            });
        }
    }

    /// A structure with fields of several types, and methods.
    fn structure(&mut self, index: usize) -> Node {
        let name = format!("S{index}_{}", self.tag);
        let result = self.random.pick(&[I32, F32, U64, F64]);
        let fields: Vec<(String, Type)> = (0..2 + self.random.below(4))
            .map(|index| {
                (
                    format!("f{index}"),
                    self.random.pick(&[I32, F32, U8, I16, F64, U32, I64, Bool, F16]),
                )
            })
            .collect();
        let mark = self.mark();
        for (field, ty) in &fields {
            let (_, variable) = self.fresh("f");
            self.declare(field, *ty, Level::Varying, true, variable);
        }
        let array = self.random.one_in(2);
        let members: String =
            fields.iter().map(|(field, ty)| format!("{} {field};\n", ty.name())).collect();
        let members = if array { members + "unsigned h[4];\n" } else { members };
        let mut parts: Vec<Part> = vec![format!("struct {name} {{\n{members}").into()];
        if array {
            let (_, variable) = self.fresh("h");
            self.arrays.push(Array {
                text: "h".into(),
                extents: vec![4],
                ty: U32,
                own: true,
                writable: false,
                variable,
            });
        }
        let (_, variable) = self.fresh("x");
        let inner = self.mark();
        self.declare("x", U32, Level::Varying, true, variable);
        let (field, ty) = self.random.pick(&fields);
        let this = self.random.pick(&["", "this->"]);
        let value = self.assignable(ty, Want { depth: 2, level: Level::Varying });
        parts.extend([
            format!("__device__ void bump(unsigned x) {{\n{this}{field} = ").into(),
            value.into(),
            ";\n}\n".into(),
        ]);
        self.release(&inner);
        self.declare("x", I32, Level::Varying, false, variable);
        let value = self.exactly(result, Want { depth: 3, level: Level::Varying });
        parts.extend([
            format!("__device__ {} value(int x) const {{\nreturn ", result.name()).into(),
            value.into(),
            ";\n}\n".into(),
        ]);
        self.release(&inner);
        let (field, ty) = self.random.pick(&fields);
        for (other, ty) in &fields {
            self.declare(&format!("other.{other}"), *ty, Level::Varying, false, variable);
        }
        let value = self.exactly(ty, Want { depth: 3, level: Level::Varying });
        parts.extend([
            format!("__device__ {name} operator+(const {name}& other) const {{\n{name} sum = *this;\nsum.{field} = ")
                .into(),
            value.into(),
            ";\nreturn sum;\n}\n};\n".into(),
        ]);
        self.release(&mark);
        self.structures.push(Structure { name, fields, result, array });
        Node::new(Role::Text, parts)
    }

    fn in_function(&self) -> Position {
        Position {
            level: Level::Varying,
            mask: Mask::Unknown,
            relative: Level::Varying,
            around: None,
            in_switch: false,
            depth: 2,
            loops: 1,
            may_return: false,
            kernel: false,
        }
    }

    /// A device function: one that gives a value, or one that changes what it is given.
    fn function(&mut self, index: usize) -> Node {
        let tag = self.tag;
        let mark = self.mark();
        let qualifiers = self.random.pick(&[
            "__device__",
            "__device__ __forceinline__",
            "static __device__",
            "__device__ inline",
            "__device__ __noinline__",
        ]);
        let procedure = self.random.one_in(3);
        let template = !procedure && self.random.one_in(4);
        let parameters: Vec<Type> = (0..1 + self.random.below(3))
            .map(|_| self.random.pick(&[I32, U32, F32, I64, F64, U8, I16, F32, I32]))
            .collect();
        let mut written = Vec::new();
        let mut texts = Vec::new();
        for ty in &parameters {
            let (name, variable) = self.fresh("p");
            let by = if procedure && (written.is_empty() || self.random.one_in(2)) {
                Some(self.random.pick(&['&', '*']))
            } else {
                None
            };
            let place = if by == Some('*') { format!("(*{name})") } else { name.clone() };
            self.declare(&place, *ty, Level::Varying, true, variable);
            texts.push(format!("{}{} {name}", ty.name(), by.map(String::from).unwrap_or_default()));
            written.push((*ty, by));
        }
        let (_, variable) = self.fresh("N");
        if template {
            self.places.push(Place {
                text: "N".into(),
                ty: I32,
                level: Level::Block,
                writable: false,
                variable,
                range: (1, 8),
            });
        }
        let result = self.random.pick(&[I32, F32, U32, F64, I64, U8]);
        self.returns = if procedure { None } else { Some(result) };
        self.budget = 3 + self.random.below(6);
        let count = self.budget;
        let own = self.mark();
        let at = self.in_function();
        let mut list = Vec::new();
        for _ in 0..count {
            self.statement_at(at, &mut list);
        }
        let name = format!("d{index}_{tag}");
        let head = if template { "template <int N>\n" } else { "" };
        let kind = if procedure { "void" } else { result.name() };
        let mut parts: Vec<Part> =
            vec![format!("{head}{qualifiers} {kind} {name}({}) {{", texts.join(", ")).into()];
        if !procedure {
            let value = self.assignable(result, Want { depth: 2, level: Level::Varying });
            list.push(super::statement::fixed(vec!["return ".into(), value.into(), ";".into()]));
        }
        parts.push(Node::block(list).into());
        parts.push("}\n".into());
        self.returns = None;
        self.release(&own);
        self.release(&mark);
        if procedure {
            self.procedures.push(Procedure { text: name, parameters: written });
        } else if template {
            for count in [1 + self.random.below(4), 5 + self.random.below(4)] {
                self.callables.push(Callable {
                    text: format!("{name}<{count}>"),
                    parameters: parameters.clone(),
                    result,
                });
            }
        } else {
            self.callables.push(Callable { text: name, parameters, result });
        }
        Node::new(Role::Text, parts)
    }

    fn shape(&mut self) {
        self.block = self.random.pick(&[
            [32, 1, 1],
            [64, 1, 1],
            [96, 1, 1],
            [128, 1, 1],
            [192, 1, 1],
            [64, 1, 1],
            [128, 1, 1],
            [33, 1, 1],
            [50, 1, 1],
            [100, 1, 1],
            [127, 1, 1],
            [8, 8, 1],
            [16, 4, 1],
            [32, 4, 1],
            [7, 9, 1],
            [1, 64, 1],
            [4, 4, 4],
            [5, 3, 4],
            [1, 1, 1],
            [17, 1, 1],
            [31, 1, 1],
        ]);
        self.grid = self.random.pick(&[
            [1, 1, 1],
            [2, 1, 1],
            [3, 1, 1],
            [4, 1, 1],
            [2, 2, 1],
            [1, 1, 2],
            [1, 3, 1],
        ]);
    }

    fn kernel(&mut self, index: usize, program: &mut Program) -> Node {
        let tag = self.tag;
        self.shape();
        self.in_kernel = true;
        let threads: u32 = self.block.iter().product();
        let total = threads * self.grid.iter().product::<u32>();
        let mark = self.mark();
        (self.exited, self.strided, self.uses_accumulator) = (false, None, false);
        self.budget = 20 + self.random.below(45);
        self.idioms = if threads < 16 { 0 } else { 2 };
        self.objects.clear();
        let name = format!("k{index}_{tag}");
        let mut parameters: Vec<String> = Vec::new();
        let mut arguments: Vec<String> = Vec::new();

        // What it reads.
        let restrict = self.random.pick(&["", " __restrict__"]);
        for (input, ty, count, _) in INPUTS {
            if !self.random.one_in(2) {
                continue;
            }
            parameters.push(format!("const {}*{restrict} {input}", ty.name()));
            arguments.push(format!("\"{input}\""));
            let (_, variable) = self.fresh("in");
            self.arrays.push(Array {
                text: input.into(),
                extents: vec![count],
                ty,
                own: false,
                writable: false,
                variable,
            });
        }
        for index in 0..self.random.below(4) {
            let ty = self.random.pick(&[I32, U32, F32, I64, U8, F64, I16, Bool]);
            let name = format!("s{index}");
            let (_, variable) = self.fresh("s");
            self.declare(&name, ty, Level::Block, self.random.clone().one_in(2), variable);
            parameters.push(format!("{} {name}", ty.name()));
            let range = if ty.is_integer() { ty.range() } else { (-9, 9) };
            let value = self.random.within(range.0.max(-(1 << 40)), range.1.min(1 << 40));
            arguments.push(match ty {
                F32 | F64 => format!("{value}.25"),
                Bool => (if value == 0 { "false" } else { "true" }).to_owned(),
                _ => format!("{value}"),
            });
        }
        if self.random.one_in(4) {
            self.uses_parameters = true;
            let (_, variable) = self.fresh("s");
            for (field, ty) in [("a", I32), ("b", F32), ("c", U8), ("d", F64)] {
                self.declare(&format!("prm.{field}"), ty, Level::Block, false, variable);
            }
            parameters.push(format!("P_{tag} prm"));
            let value = self.random.within(-1000, 1000);
            arguments.push(format!("{{ a = {value}, b = 1.5, c = 200, d = 0.1 }}"));
        }
        let dynamic = self.random.one_in(4);
        let mut top: Vec<Node> = Vec::new();
        self.prelude(&mut top);
        let mut shared_bytes = 0;
        for _ in 0..self.random.below(3) {
            self.shared_array(&mut top, dynamic && shared_bytes == 0, &mut shared_bytes);
        }
        if !self.shared.is_empty() && self.random.one_in(2) {
            top.push(super::statement::fixed(vec!["__syncthreads();".into()]));
            self.shared.iter_mut().for_each(|shared| shared.state = State::Read);
        }
        if self.random.one_in(4) {
            let n = total - self.random.below(threads as usize) as u32;
            parameters.push("int n".into());
            arguments.push(format!("{n}"));
            let test = self.random.pick(&["gid >= n", "!(gid < n)", "n <= gid"]);
            top.push(super::statement::fixed(vec![format!("if ({test}) return;").into()]));
            self.exited = n != total || self.random.one_in(2);
        }
        // Elements of its own in a buffer that it reads and writes.
        let own_type = self.random.pick(&[I32, U32, F32, U8, I64, F64, U16]);
        let (_, variable) = self.fresh("own");
        for slot in 0..3 {
            let text = format!("own[gid * 3 + {slot}]");
            self.declare(&text, own_type, Level::Varying, true, variable);
        }
        let own = format!("o{index}_{tag}_own");
        parameters.push(format!("{}*{restrict} own", own_type.name()));
        arguments.push(format!("\"{own}\""));
        output(program, &own, own_type, total * 3, "init = \"ints(0, 100)\"");

        self.accumulator = Some(self.random.pick(&[
            ("atomicAdd", I32),
            ("atomicAdd", U32),
            ("atomicMax", I32),
            ("atomicMin", U32),
            ("atomicOr", U32),
            ("atomicXor", I32),
            ("atomicAnd", U32),
            ("atomicAdd", U64),
            ("atomicAdd", F32),
        ]));

        let at = Position {
            level: Level::Block,
            mask: Mask::Full,
            relative: Level::Block,
            around: None,
            in_switch: false,
            depth: 3,
            loops: 0,
            may_return: true,
            kernel: true,
        };
        let body_mark = self.mark();
        let mut list = Vec::new();
        while self.budget > 0 {
            self.statement_at(at, &mut list);
        }
        let mut stores = Vec::new();
        let outputs = self.stores(&body_mark, &mut stores);
        for (ty, slots) in outputs {
            let buffer = format!("o{index}_{tag}_{}", ty.dtype());
            parameters.push(format!("{}*{restrict} out_{}", ty.name(), ty.dtype()));
            arguments.push(format!("\"{buffer}\""));
            output(program, &buffer, ty, total * slots, "init = \"ones\"");
        }
        if self.uses_accumulator {
            let (call, ty) = self.accumulator.unwrap_or(("atomicAdd", I32));
            let buffer = format!("o{index}_{tag}_acc");
            parameters.push(format!("{}* acc", ty.name()));
            arguments.push(format!("\"{buffer}\""));
            let init = if call == "atomicAnd" {
                "init = \"full(4294967295)\""
            } else {
                "init = \"ints(0, 100)\""
            };
            output(program, &buffer, ty, 8, init);
        }
        if let Some((ty, count)) = self.strided {
            let buffer = format!("o{index}_{tag}_strided");
            parameters.push(format!("{}*{restrict} strided", ty.name()));
            arguments.push(format!("\"{buffer}\""));
            output(program, &buffer, ty, count, "init = \"ones\"");
        }
        if self.random.one_in(10)
            && let Some(value) = self.place(|p| p.ty == I32)
        {
            let parts = vec![
                format!("if (gid == 0) printf(\"k{index}_{tag} %d\\n\", ").into(),
                value.into(),
                ");".into(),
            ];
            list.push(super::statement::statement(parts));
        }
        list.extend(stores);
        self.release(&mark);
        self.shared.clear();

        let template = self.random.one_in(4);
        let bounds = if self.random.one_in(4) {
            format!(" __launch_bounds__({threads})")
        } else {
            String::new()
        };
        let (head, instance) =
            if template { ("template <typename T, int M>\n", "<float, 2>") } else { ("", "") };
        let parameter_text = parameters.join(", ");
        let mut parts: Vec<Part> =
            vec![format!("{head}__global__ void{bounds} {name}({parameter_text}) {{").into()];
        top.extend(list);
        parts.push(Node::block(top).into());
        parts.push("}\n".into());
        let ([gx, gy, gz], [bx, by, bz]) = (self.grid, self.block);
        if template || self.random.one_in(2) {
            let names: Vec<&str> = parameters.iter().filter_map(|p| p.rsplit(' ').next()).collect();
            let (grid, block) = if self.random.one_in(2) {
                (format!("dim3({gx}, {gy}, {gz})"), format!("dim3({bx}, {by}, {bz})"))
            } else {
                ("grid".to_owned(), "block".to_owned())
            };
            parts.push(
                format!(
                    "void launch_{name}(dim3 grid, dim3 block, {parameter_text}) {{\n\
                     {name}{instance}<<<{grid}, {block}, {shared_bytes}>>>({});\n}}\n",
                    names.join(", ")
                )
                .into(),
            );
        }
        let _ = write!(
            program.launches,
            "[[launch]]\nkernel = \"{name}{instance}\"\ngrid = [{gx}, {gy}, {gz}]\nblock = [{bx}, {by}, {bz}]\n\
             shared = {shared_bytes}\nargs = [{}]\n",
            arguments.join(", ")
        );
        Node::new(Role::Text, parts)
    }

    /// The indices that everything else uses.
    fn prelude(&mut self, top: &mut Vec<Node>) {
        let [bx, by, bz] = self.block;
        let threads = bx * by * bz;
        let flat = (by, bz) == (1, 1);
        let tid = match self.random.below(3) {
            0 if flat => "threadIdx.x".to_owned(),
            1 if bz == 1 => "threadIdx.y * blockDim.x + threadIdx.x".to_owned(),
            _ => "threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)".to_owned(),
        };
        let block = if self.grid[1..] == [1, 1] && self.random.one_in(2) {
            "blockIdx.x".to_owned()
        } else {
            "(blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z))".to_owned()
        };
        let size = if flat && self.random.one_in(2) {
            "blockDim.x".to_owned()
        } else {
            format!("{threads}")
        };
        let global = self.random.pick(&["int", "int", "const int"]);
        let lane = self.random.pick(&["tid & 31", "tid % 32", "tid & (32 - 1)"]);
        let warp = self.random.pick(&["tid >> 5", "tid / 32"]);
        let mut text = format!(
            "const int tid = {tid};\n{global} gid = {block} * {size} + tid;\nconst int lane = {lane};\n\
             const int warp = {warp};\n"
        );
        if self.ragged() {
            let _ = writeln!(text, "const int live = min(32, {threads} - warp * 32);");
        }
        top.push(super::statement::fixed(vec![text.into()]));
        let total = i128::from(threads) * i128::from(self.grid.iter().product::<u32>());
        for (name, level, last) in [
            ("tid", Level::Varying, i128::from(threads) - 1),
            ("gid", Level::Varying, total - 1),
            ("lane", Level::Varying, 31),
            ("warp", Level::Warp, i128::from(threads - 1) / 32),
        ] {
            let (_, variable) = self.fresh("t");
            self.places.push(Place {
                text: name.into(),
                ty: I32,
                level,
                writable: false,
                variable,
                range: (0, last),
            });
        }
    }

    fn shared_array(&mut self, top: &mut Vec<Node>, dynamic: bool, bytes: &mut u32) {
        let [bx, by, bz] = self.block;
        let threads = bx * by * bz;
        let ty = self.random.pick(&[I32, U32, F32, F32, F64, U64, U8, I16]);
        let (name, variable) = self.fresh("sh");
        let square = by > 1 && bz == 1 && self.random.one_in(2);
        let (extents, own, declared) = if dynamic {
            let name = format!("{name}_{}", self.tag);
            *bytes = threads * ty.bits() / 8;
            (
                vec![threads],
                format!("{name}[tid]"),
                format!("extern __shared__ {} {name}[];", ty.name()),
            )
        } else if square {
            let pad = self.random.below(2) as u32;
            (
                vec![by, bx],
                format!("{name}[threadIdx.y][threadIdx.x]"),
                format!("__shared__ {} {name}[{by}][{bx} + {pad}];", ty.name()),
            )
        } else {
            (
                vec![threads],
                format!("{name}[tid]"),
                format!("__shared__ {} {name}[{threads}];", ty.name()),
            )
        };
        let name = if dynamic { format!("{name}_{}", self.tag) } else { name };
        let value = self.assignable(ty, Want { depth: 2, level: Level::Varying });
        top.push(super::statement::fixed(vec![
            format!("{declared}\n{own} = ").into(),
            value.into(),
            ";".into(),
        ]));
        self.shared.push(Shared { name, extents, ty, own, state: State::Own, variable });
    }

    /// Writes what the kernel's outermost scope holds to buffers: one for each type, with the number
    /// of elements for each thread.
    fn stores(&mut self, since: &super::statement::Mark, list: &mut Vec<Node>) -> Vec<(Type, u32)> {
        let places = self.places_since(since);
        let arrays = self.arrays_since(since);
        let mut slots: std::collections::BTreeMap<Type, Vec<(String, u32)>> = Default::default();
        for place in places {
            slots.entry(place.ty).or_default().push((place.text, 1));
        }
        for array in arrays {
            if let [extent] = array.extents[..] {
                slots.entry(array.ty).or_default().push((array.text, extent));
            }
        }
        let mut outputs = Vec::new();
        for (ty, sources) in slots {
            let count: u32 = sources.iter().map(|(_, count)| count).sum();
            let mut at = 0;
            for (text, length) in sources {
                let out = format!("out_{}", ty.dtype());
                let store = if length > 1 {
                    format!(
                        "for (int e = 0; e < {length}; ++e) {out}[gid * {count} + {at} + e] = {text}[e];"
                    )
                } else {
                    format!("{out}[gid * {count} + {at}] = {text};")
                };
                list.push(super::statement::statement(vec![store.into()]));
                at += length;
            }
            outputs.push((ty, count));
        }
        outputs
    }
}

fn output(program: &mut Program, name: &str, ty: Type, count: u32, init: &str) {
    program.outputs.push(name.to_owned());
    let _ = writeln!(
        program.buffers,
        "{name} = {{ dtype = \"{}\", shape = [{count}], {init}, out = true }}",
        ty.dtype()
    );
}
