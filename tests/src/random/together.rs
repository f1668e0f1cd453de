//! What threads do together: barriers, warp operations, atomics, and the idioms of reductions, scans
//! and exchanges.

use super::Generator;
use super::expression::Want;
use super::scope::{Level, Mask, Place, Position, State};
use super::statement::{compound, fixed, statement};
use super::tree::{Node, Part, Role};
use super::types::Type::*;

const VARYING: Want = Want { depth: 2, level: Level::Varying };

/// Atomic operations whose order does not show.
const ATOMICS: [&str; 6] =
    ["atomicAdd", "atomicMin", "atomicMax", "atomicAnd", "atomicOr", "atomicXor"];

impl Generator {
    fn threads(&self) -> u32 {
        self.block.iter().product()
    }

    /// Whether some warp has fewer lanes than others.
    pub fn ragged(&self) -> bool {
        !self.threads().is_multiple_of(32)
    }

    /// A barrier of the block, after which shared arrays may be used in other ways.
    pub fn barrier(&mut self, at: Position, list: &mut Vec<Node>) {
        if at.level != Level::Block || !at.kernel {
            if at.mask == Mask::Full && self.random.one_in(3) {
                list.push(statement(vec!["__syncwarp();".into()]));
            }
            return;
        }
        match self.random.below(8) {
            0 | 1 => {
                let condition = self.condition(VARYING);
                let (name, variable) = self.fresh("b");
                let call = self.random.pick(&[
                    "__syncthreads_count",
                    "__syncthreads_or",
                    "__syncthreads_and",
                ]);
                let ty = if call == "__syncthreads_count" { "int " } else { "bool " };
                list.push(fixed(vec![
                    format!("{ty}{name} = {call}(").into(),
                    condition.into(),
                    ");".into(),
                ]));
                let ty = if call == "__syncthreads_count" { I32 } else { Bool };
                self.declare(&name, ty, Level::Block, true, variable);
            }
            2 => list.push(fixed(vec![format!("meet_{}();", self.tag).into()])),
            _ => list.push(fixed(vec!["__syncthreads();".into()])),
        }
        for index in 0..self.shared.len() {
            let ty = self.shared[index].ty;
            let state = match self.random.below(5) {
                0 | 1 => State::Own,
                2 if matches!(ty, I32 | U32) => State::Atomic(self.random.pick(&ATOMICS)),
                2 if ty == U64 => State::Atomic("atomicAdd"),
                _ => State::Read,
            };
            self.shared[index].state = state;
        }
    }

    /// A thread's own element of a shared array, or an atomic operation on any.
    pub fn shared_write(&mut self, list: &mut Vec<Node>) {
        if self.shared.is_empty() {
            return;
        }
        let index = self.random.below(self.shared.len());
        let shared = self.shared[index].clone();
        match shared.state {
            State::Read => {}
            State::Own => {
                let value = self.assignable(shared.ty, VARYING);
                list.push(statement(vec![
                    format!("{} = ", shared.own).into(),
                    value.into(),
                    ";".into(),
                ]));
            }
            State::Atomic(call) => {
                let mut parts: Vec<Part> = vec![format!("{call}(&{}", shared.name).into()];
                for extent in &shared.extents {
                    let index = self.index(*extent, Level::Varying);
                    parts.extend(["[".into(), index.into(), "]".into()]);
                }
                parts.extend([", ".into(), self.exactly(shared.ty, VARYING).into(), ");".into()]);
                list.push(statement(parts));
            }
        }
    }

    /// An atomic operation on global memory that nobody reads meanwhile.
    pub fn atomic(&mut self, list: &mut Vec<Node>) {
        let Some(accumulator) = self.accumulator else { return };
        let (call, ty) = accumulator;
        self.uses_accumulator = true;
        let index = self.index(8, Level::Varying);
        let value = if ty == F32 {
            // Small integers: their sums are exact, whatever the order.
            let value = self.exactly(U32, VARYING);
            let parts = vec!["(float)(".into(), value.at(9).into(), " & 15u)".into()];
            Node::new(Role::Text, parts)
        } else {
            self.exactly(ty, VARYING).node
        };
        list.push(statement(vec![
            format!("{call}(&acc[").into(),
            index.into(),
            "], ".into(),
            value.into(),
            ");".into(),
        ]));
    }

    fn mask(&mut self, mask: Mask) -> &'static str {
        match mask {
            Mask::Low16 => self.random.pick(&["0xffffu", "0x0000ffff", "65535u"]),
            _ => self.random.pick(&[
                "0xffffffffu",
                "0xffffffff",
                "~0u",
                "(unsigned)-1",
                "0xFFFFFFFFU",
            ]),
        }
    }

    /// A shuffle or a vote of the lanes that are here.
    pub fn warp_operation(&mut self, at: Position, list: &mut Vec<Node>) {
        if at.mask == Mask::Unknown || !at.kernel {
            return;
        }
        let agreed = if at.mask == Mask::Full { Level::Warp } else { Level::Varying };
        let mask = self.mask(at.mask);
        let (name, variable) = self.fresh("w");
        if self.exited || self.random.below(5) < 2 {
            let condition = self.condition(VARYING);
            match self.random.below(5) {
                0 | 1 => {
                    let parts = vec![
                        format!("const unsigned {name} = __ballot_sync({mask}, ").into(),
                        condition.into(),
                    ];
                    list.push(statement(with(parts, ");")));
                    self.declare(&name, U32, agreed, false, variable);
                }
                2 => {
                    let parts = vec![
                        format!("int {name} = __popc(__ballot_sync({mask}, ").into(),
                        condition.into(),
                    ];
                    list.push(statement(with(parts, "));")));
                    self.declare(&name, I32, agreed, true, variable);
                }
                3 => {
                    let call = self.random.pick(&["__any_sync", "__all_sync"]);
                    let parts = vec![
                        format!("const bool {name} = {call}({mask}, ").into(),
                        condition.into(),
                    ];
                    list.push(statement(with(parts, ");")));
                    self.declare(&name, Bool, agreed, false, variable);
                }
                _ => {
                    let key = self.exactly(U32, VARYING);
                    let parts = vec![
                        format!("unsigned {name} = __match_any_sync({mask}, ").into(),
                        key.at(9).into(),
                    ];
                    list.push(statement(with(parts, " & 3u);")));
                    self.declare(&name, U32, Level::Varying, true, variable);
                }
            }
            return;
        }
        if at.mask == Mask::Full && !self.ragged() && self.random.one_in(4) {
            let value = self.exactly(I32, VARYING);
            let tag = self.tag;
            self.uses_reduction = true;
            list.push(statement(vec![
                format!("int {name} = together_{tag}(").into(),
                value.into(),
                ", lane);".into(),
            ]));
            self.declare(&name, I32, Level::Varying, true, variable);
            return;
        }
        let ty = self.random.pick(&[I32, U32, F32, F32, I64, U64, F64, I32, F16]);
        let value = self.exactly(ty, VARYING);
        let most = if at.mask == Mask::Low16 { 16 } else { 32 };
        let width = self.random.pick(&[most, most, 16, 8, 4, 2]).min(most);
        let width_text =
            if width == 32 && self.random.one_in(2) { String::new() } else { format!(", {width}") };
        let mut level = Level::Varying;
        let distance = self.random.within(1, i128::from(width) - 1);
        let (call, operand, source): (&str, Part, String) = match self.random.below(5) {
            0 => ("__shfl_xor_sync", format!("{distance}").into(), format!("(lane ^ {distance})")),
            1 => ("__shfl_down_sync", format!("{distance}").into(), format!("(lane + {distance})")),
            2 => ("__shfl_up_sync", format!("{distance}").into(), "lane".to_owned()),
            3 => {
                let from = self.random.below(width as usize);
                if width == 32 && at.mask == Mask::Full {
                    level = Level::Warp;
                }
                (
                    "__shfl_sync",
                    format!("{from}").into(),
                    format!("((lane & ~{}) + {from})", width - 1),
                )
            }
            _ if self.ragged() => ("__shfl_up_sync", "1".into(), "lane".to_owned()),
            _ => {
                let lane = self.exactly(I32, VARYING);
                ("__shfl_sync", lane.into(), String::new())
            }
        };
        let guard = if self.ragged() && source != "lane" && !source.is_empty() {
            format!("\nif (!({source} < live)) {name} = {};", ty.literal(1))
        } else {
            String::new()
        };
        // What a lane gets from itself at the end of its segment is its own value.
        list.push(statement(vec![
            format!("{} {name} = {call}({mask}, ", ty.name()).into(),
            value.into(),
            ", ".into(),
            operand,
            format!("{width_text});{guard}").into(),
        ]));
        self.declare(&name, ty, level, true, variable);
    }

    /// A pattern that real kernels are made of.
    pub fn idiom(&mut self, at: Position, list: &mut Vec<Node>) {
        if self.exited || self.idioms == 0 {
            return;
        }
        self.idioms -= 1;
        let (name, variable) = self.fresh("x");
        let threads = self.threads();
        let tag = self.tag;
        match self.random.below(15) {
            13 | 14 => {
                let value = self.exactly(I32, VARYING);
                self.uses_reduction = true;
                list.push(statement(vec![
                    format!("__shared__ int sh{name}[{threads}];\nint {name} = exchange_{tag}(sh{name}, ").into(),
                    value.into(),
                    format!(", tid, {threads});").into(),
                ]));
                self.declare(&name, I32, Level::Varying, true, variable);
            }
            0 => self.tree_reduction(&name, variable, list),
            1 => {
                let ty = self.random.pick(&[U32, F32, U64, F64]);
                let value = self.assignable(ty, VARYING);
                let t = ty.name();
                list.push(statement(vec![
                    format!("__shared__ {t} sh{name}[{threads}];\nsh{name}[tid] = ").into(),
                    value.into(),
                    format!(
                        ";\n__syncthreads();\nfor (int d = 1; d < {threads}; d <<= 1) {{\n\
                         {t} add = 0;\nif (tid >= d) add = sh{name}[tid - d];\n__syncthreads();\n\
                         sh{name}[tid] += add;\n__syncthreads();\n}}\n\
                         {t} {name} = sh{name}[tid];\n__syncthreads();"
                    )
                    .into(),
                ]));
                self.declare(&name, ty, Level::Varying, true, variable);
            }
            2 if !self.ragged() => {
                let ty = self.random.pick(&[U32, F32, U64, F64]);
                let value = self.exactly(ty, VARYING);
                let op = self.random.pick(&["Add", "Max", "Mix"]);
                let parts = vec![
                    format!("{t} {name} = warp_reduce_{tag}<{t}, {op}_{tag}>(", t = ty.name())
                        .into(),
                    value.into(),
                    format!(", {op}_{tag}());").into(),
                ];
                list.push(statement(parts));
                self.declare(&name, ty, Level::Varying, true, variable);
                self.uses_reduction = true;
            }
            3 if !self.ragged() => {
                let ty = self.random.pick(&[U32, F32, U64]);
                let value = self.exactly(ty, VARYING);
                let parts = vec![
                    format!("{t} {name} = block_reduce_{tag}<{t}, {threads}>(", t = ty.name())
                        .into(),
                    value.into(),
                    ", tid);".into(),
                ];
                list.push(statement(parts));
                self.declare(&name, ty, Level::Block, true, variable);
                self.uses_reduction = true;
            }
            4 => {
                let value = self.exactly(U32, VARYING);
                let limit = self.random.within(0, 9);
                list.push(statement(vec![
                    format!("unsigned {name} = (").into(),
                    value.into(),
                    format!(
                        ") & 1023u;\nint r{name} = 0;\nwhile (__syncthreads_or({name} > {limit}u)) {{\n\
                         if ({name} > {limit}u) {name} = {name} / 2u;\n++r{name};\n}}"
                    )
                    .into(),
                ]));
                self.declare(&name, U32, Level::Varying, true, variable);
                self.declare(&format!("r{name}"), I32, Level::Block, true, variable);
            }
            5 => {
                let value = self.exactly(U32, VARYING);
                let limit = self.random.within(0, 9);
                let call = self.random.pick(&[
                    "__any_sync(0xffffffffu, {})",
                    "__ballot_sync(~0u, {}) != 0",
                    "!__all_sync(0xffffffff, !({}))",
                ]);
                let test = call.replace("{}", &format!("{name} > {limit}u"));
                list.push(statement(vec![
                    format!("unsigned {name} = (").into(),
                    value.into(),
                    format!(
                        ") & 255u;\nint r{name} = 0;\nwhile ({test}) {{\n\
                         if ({name} > {limit}u) {name} >>= 1;\n\
                         r{name} += __popc(__ballot_sync(0xffffffffu, {name} & 1u));\n}}"
                    )
                    .into(),
                ]));
                self.declare(&name, U32, Level::Varying, true, variable);
                self.declare(&format!("r{name}"), I32, Level::Warp, true, variable);
            }
            6 => {
                let condition = self.condition(VARYING);
                let value = self.exactly(I32, VARYING);
                list.push(statement(vec![
                    format!("bool p{name} = ").into(),
                    condition.into(),
                    format!(";\nint {name} = ").into(),
                    value.into(),
                    format!(
                        ";\nconst unsigned m{name} = __ballot_sync(0xffffffffu, p{name});\nif (p{name}) {{\n\
                         const int leader = __ffs(m{name}) - 1;\n\
                         const int rank = __popc(m{name} & ((1u << lane) - 1u));\n\
                         {name} = __shfl_sync(m{name}, {name}, leader) ^ rank;\n}}"
                    )
                    .into(),
                ]));
                self.declare(&name, I32, Level::Varying, true, variable);
            }
            7 => {
                let key = self.exactly(I32, VARYING);
                let value = self.exactly(F32, VARYING);
                list.push(statement(vec![
                    format!("const unsigned m{name} = __match_any_sync(0xffffffffu, ").into(),
                    key.at(9).into(),
                    format!(" & 3);\nfloat {name} = __shfl_sync(m{name}, ").into(),
                    value.into(),
                    format!(", __ffs(m{name}) - 1);").into(),
                ]));
                self.declare(&name, F32, Level::Varying, true, variable);
                self.declare(&format!("m{name}"), U32, Level::Varying, false, variable);
            }
            8 if self.strided.is_none() => {
                let ty = self.random.pick(&[I32, U32, F32, U8, F64]);
                let total = threads * self.grid.iter().product::<u32>();
                let count = total + self.random.below(2 * total as usize) as u32;
                let mark = self.mark();
                let index = self.random.pick(&[I32, U32, I64, U64]);
                let (i, own) = self.fresh("g");
                self.places.push(Place {
                    text: i.clone(),
                    ty: index,
                    level: Level::Varying,
                    writable: false,
                    variable: own,
                    range: (0, 4 * i128::from(total)),
                });
                self.loop_states.push(Vec::new());
                let inner = Position { depth: 1, ..at.inside(Level::Varying) };
                let body = self.block_at(inner, 2);
                self.loop_states.pop();
                let value = self.assignable(ty, VARYING);
                self.release(&mark);
                self.strided = Some((ty, count));
                list.push(compound(vec![
                    format!(
                        "for ({t} {i} = gid; {i} < {count}; {i} += {total}) {{",
                        t = index.name()
                    )
                    .into(),
                    body.into(),
                    format!("strided[{i}] = ").into(),
                    value.into(),
                    ";\n}".into(),
                ]));
            }
            9 => {
                // Pairs exchange: each is touched by one thread of the pair.
                let ty = self.random.pick(&[I32, U32, F32]);
                let value = self.assignable(ty, VARYING);
                let t = ty.name();
                let power = threads.next_power_of_two();
                let descends = self.random.pick(&["(tid & k) == 0", "(tid & k) != 0"]);
                list.push(statement(vec![
                    format!("__shared__ {t} sh{name}[{threads}];\nsh{name}[tid] = ").into(),
                    value.into(),
                    format!(
                        ";\n__syncthreads();\nfor (int k = 2; k <= {power}; k <<= 1) {{\n\
                         for (int j = k >> 1; j > 0; j >>= 1) {{\nconst int other = tid ^ j;\n\
                         if (other > tid && other < {threads}) {{\n\
                         if ((sh{name}[tid] > sh{name}[other]) == ({descends})) {{\n\
                         const {t} kept = sh{name}[tid];\nsh{name}[tid] = sh{name}[other];\n\
                         sh{name}[other] = kept;\n}}\n}}\n__syncthreads();\n}}\n}}\n\
                         {t} {name} = sh{name}[tid];\n__syncthreads();"
                    )
                    .into(),
                ]));
                self.declare(&name, ty, Level::Varying, true, variable);
            }
            10 => {
                let ty = self.random.pick(&[F32, U32]);
                let value = self.assignable(ty, VARYING);
                let t = ty.name();
                let passes = self.random.within(1, 4);
                list.push(statement(vec![
                    format!("__shared__ {t} sh{name}[2][{threads}];\nsh{name}[0][tid] = ").into(),
                    value.into(),
                    format!(
                        ";\nint c{name} = 0;\nfor (int s = 0; s < {passes}; ++s) {{\n__syncthreads();\n\
                         const {t} left = sh{name}[c{name}][tid > 0 ? tid - 1 : {last}];\n\
                         const {t} right = tid < {last} ? sh{name}[c{name}][tid + 1] : 0;\n\
                         sh{name}[c{name} ^ 1][tid] = left + right * 3 - sh{name}[c{name}][tid];\nc{name} ^= 1;\n}}\n\
                         __syncthreads();\n{t} {name} = sh{name}[c{name}][({threads} - 1) - tid];\n__syncthreads();",
                        last = threads - 1
                    )
                    .into(),
                ]));
                self.declare(&name, ty, Level::Varying, true, variable);
            }
            11 => {
                let length = threads * 2 + self.random.below(40) as u32;
                let mark = self.mark();
                let (_, own) = self.fresh("g");
                self.places.push(Place {
                    text: "e".into(),
                    ty: I32,
                    level: Level::Varying,
                    writable: false,
                    variable: own,
                    range: (0, i128::from(length) - 1),
                });
                let value = self.assignable(I32, VARYING);
                self.release(&mark);
                let index = self.index(length, Level::Varying);
                list.push(statement(vec![
                    format!(
                        "__shared__ int sh{name}[{length}];\nfor (int e = tid; e < {length}; e += {threads}) {{\nsh{name}[e] = "
                    )
                    .into(),
                    value.into(),
                    format!(";\n}}\n__syncthreads();\nint {name} = sh{name}[").into(),
                    index.into(),
                    "];\n__syncthreads();".into(),
                ]));
                self.declare(&name, I32, Level::Varying, true, variable);
            }
            _ => {
                let value = self.exactly(U32, VARYING);
                list.push(statement(vec![
                    format!("__shared__ unsigned sh{name}[16];\nif (tid < 16) sh{name}[tid] = 0u;\n__syncthreads();\natomicAdd(&sh{name}[(")
                        .into(),
                    value.into(),
                    format!(
                        ") & 15u], 1u);\n__syncthreads();\nconst unsigned {name} = sh{name}[tid & 15];\n__syncthreads();"
                    )
                    .into(),
                ]));
                self.declare(&name, U32, Level::Varying, false, variable);
            }
        }
    }

    fn tree_reduction(&mut self, name: &str, variable: usize, list: &mut Vec<Node>) {
        let ty = self.random.pick(&[U32, F32, F64, U64, I32]);
        let value = self.assignable(ty, VARYING);
        let t = ty.name();
        let threads = self.threads();
        let half = threads.next_power_of_two() / 2;
        let update = if ty == I32 {
            format!("sh{name}[tid] = max(sh{name}[tid], sh{name}[tid + s]);")
        } else {
            self.random
                .pick(&[
                    "sh[tid] += sh[tid + s];",
                    "sh[tid] = sh[tid] * 3 + sh[tid + s];",
                    "sh[tid] = sh[tid] < sh[tid + s] ? sh[tid] : sh[tid + s];",
                ])
                .replace("sh[", &format!("sh{name}["))
        };
        list.push(statement(vec![
            format!("__shared__ {t} sh{name}[{threads}];\nsh{name}[tid] = ").into(),
            value.into(),
            format!(
                ";\n__syncthreads();\nfor (int s = {half}; s > 0; s >>= 1) {{\n\
                 if (tid < s && tid + s < {threads}) {{ {update} }}\n__syncthreads();\n}}\n\
                 {t} {name} = sh{name}[0];\n__syncthreads();"
            )
            .into(),
        ]));
        self.declare(name, ty, Level::Block, true, variable);
    }

    /// Functions that idioms call.
    pub fn reduction_functions(&mut self) -> String {
        let tag = self.tag;
        let mut steps = String::new();
        for _ in 0..2 + self.random.below(4) {
            let (a, distance) = (self.random.below(32), 1 + self.random.below(15));
            steps += &match self.random.below(6) {
                0 => format!("if ((lane & {a}) != 0) v ^= {a}; else v = (int)((unsigned)v * 3u + {a}u);\n"),
                1 => format!("v ^= __shfl_xor_sync(0xffffffffu, v, {distance}, 16);\n"),
                2 => "for (int o = 1; o < 32; o <<= 1) {\nconst int t = __shfl_up_sync(0xffffffffu, v, o);\n\
                      if (lane >= o) v = (int)((unsigned)v + (unsigned)t);\n}\n"
                    .to_owned(),
                3 => format!(
                    "if (__any_sync(0xffffffffu, (v & 31) == {a})) {{\nv ^= (int)__ballot_sync(0xffffffffu, v & 1);\n\
                     }} else {{\nv = __shfl_sync(0xffffffffu, v, (lane + {distance}) & 31);\n}}\n"
                ),
                4 => format!("if (__all_sync(0xffffffffu, v != {a})) return __shfl_down_sync(~0u, v, {distance});\n"),
                _ => "{\nint k = 0;\nwhile (__any_sync(0xffffffffu, (v & 7) > k)) {\n++k;\n\
                      if ((v & 7) < k) continue;\nv ^= k << 4;\n}\n}\n"
                    .to_owned(),
            };
        }
        let shift = self.random.below(40);
        let uniform = self.random.pick(&["(blockIdx.x & 1) == 0", "n > 40", "gridDim.x > 1"]);
        let functions = format!(
            "__device__ int together_{tag}(int v, int lane) {{\n{steps}return v ^ lane;\n}}\n\
             __device__ int exchange_{tag}(int* s, int v, int tid, int n) {{\ns[tid] = v;\n__syncthreads();\n\
             int r = s[(tid + {shift}) % n];\nif ({uniform}) {{\n__syncthreads();\ns[tid] = r ^ 5;\n__syncthreads();\n\
             r ^= s[n - 1 - tid];\n}} else if (n == 64) {{\n__syncthreads();\nreturn r;\n}}\n\
             for (int i = 0; i < 2; ++i) {{\n__syncthreads();\nint* mine = s + tid;\n*mine = r;\n__syncthreads();\n\
             if (tid % 3 == i) continue;\nr = (int)((unsigned)r + (unsigned)s[(tid + 1) % n]);\n}}\n\
             __syncthreads();\nreturn r;\n}}\n"
        );
        functions
            + &format!(
                "struct Add_{tag} {{ template <class T> __device__ T operator()(T a, T b) const {{ return a + b; }} }};\n\
             struct Max_{tag} {{ template <class T> __device__ T operator()(const T& a, const T& b) const {{ return a > b ? a : b; }} }};\n\
             struct Mix_{tag} {{ template <class T> __device__ T operator()(T a, T b) const {{ return a * T(3) + b; }} }};\n\
             template <typename T, typename Op>\n__device__ __forceinline__ T warp_reduce_{tag}(T v, Op op) {{\n\
             #pragma unroll\nfor (int o = 16; o > 0; o >>= 1) v = op(v, __shfl_xor_sync(0xffffffff, v, o));\nreturn v;\n}}\n\
             template <typename T, int N>\n__device__ T block_reduce_{tag}(T v, int tid) {{\n\
             __shared__ T part[32];\nconst int lane = tid % 32, warp = tid / 32;\n\
             v = warp_reduce_{tag}(v, Add_{tag}());\nif (lane == 0) part[warp] = v;\n__syncthreads();\n\
             v = tid < N / 32 ? part[lane] : T(0);\nif (warp == 0) v = warp_reduce_{tag}(v, Add_{tag}());\n\
             if (tid == 0) part[0] = v;\n__syncthreads();\nv = part[0];\n__syncthreads();\nreturn v;\n}}\n"
            )
    }
}

fn with(mut parts: Vec<Part>, end: &str) -> Vec<Part> {
    parts.push(end.into());
    parts
}
