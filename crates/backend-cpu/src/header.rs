//! `port_cpu.hpp`: one header out of parts. The parts that give CUDA's names their meaning are those
//! of the oracle that `port check` runs originals on, so that a port computes what it computes.

/// The header's name.
pub const FILE_NAME: &str = "port_cpu.hpp";

/// A part by the name that includes give it.
struct Part {
    name: &'static str,
    text: &'static str,
}

macro_rules! parts {
    ($($name:literal => $path:literal),* $(,)?) => {
        &[$(Part { name: $name, text: include_str!($path) }),*]
    };
}

/// Every part. What another part includes stands where it is first included.
const PARTS: &[Part] = parts![
    "base.hpp" => "../assets/port_cpu/base.hpp",
    "vectors.hpp" => "../../check/oracle/include/port_oracle/vectors.hpp",
    "launch.hpp" => "../assets/port_cpu/launch.hpp",
    "arithmetic.hpp" => "../assets/port_cpu/arithmetic.hpp",
    "lanes.hpp" => "../assets/port_cpu/lanes.hpp",
    "core.hpp" => "../assets/port_cpu/machine.hpp",
    "join.hpp" => "../assets/port_cpu/join.hpp",
    "atomic_operations.hpp" => "../assets/port_cpu/atomic_operations.hpp",
    "atomics.hpp" => "../../check/oracle/include/port_oracle/atomics.hpp",
    "integers.hpp" => "../../check/oracle/include/port_oracle/integers.hpp",
    "directed.hpp" => "../../check/oracle/include/port_oracle/directed.hpp",
    "rounding.hpp" => "../../check/oracle/include/port_oracle/rounding.hpp",
    "maths.hpp" => "../../check/oracle/include/port_oracle/maths.hpp",
    "warp.hpp" => "../../check/oracle/include/port_oracle/warp.hpp",
    "cuda_warp.hpp" => "../../check/oracle/include/cuda/port_cuda_warp.h",
    "host.inc" => "../../check/oracle/include/port_oracle/host.inc",
    "attributes.inc" => "../../check/oracle/include/port_oracle/attributes.inc",
    "host.hpp" => "../assets/port_cpu/host.hpp",
    "half.hpp" => "../../check/oracle/include/port_oracle/half.hpp",
    "bfloat16.hpp" => "../../check/oracle/include/port_oracle/bfloat16.hpp",
    "sixteen.inc" => "../../check/oracle/include/port_oracle/sixteen.inc",
    "port_cuda_sixteen.h" => "../../check/oracle/include/cuda/port_cuda_sixteen.h",
    "groups.hpp" => "../../check/oracle/include/port_oracle/groups.hpp",
    "philox.hpp" => "../../check/oracle/include/port_oracle/philox.hpp",
    "complex.hpp" => "../../check/oracle/include/port_oracle/complex.hpp",
    "wmma.hpp" => "../../check/oracle/include/port_oracle/wmma.hpp",
    "cub.inc" => "../../check/oracle/include/port_oracle/cub.inc",
    "thrust.hpp" => "../../check/oracle/include/port_oracle/thrust.hpp",
    "cudacxx.hpp" => "../../check/oracle/include/port_oracle/cudacxx.hpp",
    "cuda_fp16.h" => "../../check/oracle/include/cuda/cuda_fp16.h",
    "cuda_bf16.h" => "../../check/oracle/include/cuda/cuda_bf16.h",
    "cuda_fp8.h" => "../../check/oracle/include/cuda/cuda_fp8.h",
    "cuComplex.h" => "../../check/oracle/include/cuda/cuComplex.h",
    "curand_kernel.h" => "../../check/oracle/include/cuda/curand_kernel.h",
    "curand.h" => "../../check/oracle/include/cuda/curand.h",
    "mma.h" => "../../check/oracle/include/cuda/mma.h",
    "cub.cuh" => "../../check/oracle/include/cuda/cub/cub.cuh",
    "cuda_pipeline_primitives.h" =>
        "../../check/oracle/include/cuda/cuda_pipeline_primitives.h",
    "blas.hpp" => "../assets/port_cpu/blas.hpp",
    "math_constants.h" => "../../check/oracle/include/cuda/math_constants.h",
];

/// The parts of every header, in order.
const ALWAYS: &[&str] = &[
    "base.hpp",
    "vectors.hpp",
    "core.hpp",
    "launch.hpp",
    "join.hpp",
    "atomics.hpp",
    "integers.hpp",
    "maths.hpp",
    "cuda_warp.hpp",
    "host.inc",
    "host.hpp",
    "arithmetic.hpp",
    "lanes.hpp",
];

/// A part that not every port needs.
struct Section {
    /// What the header's second line calls it.
    name: &'static str,
    part: &'static str,
    /// Beginnings of the names of CUDA's headers that it stands for.
    headers: &'static [&'static str],
    /// Beginnings of names that ask for it, for text whose headers are not in view.
    names: &'static [&'static str],
}

/// In the order in which they stand.
const SECTIONS: &[Section] = &[
    Section {
        name: "fp16",
        part: "cuda_fp16.h",
        headers: &["cuda_fp16"],
        names: &["half", "__half", "__nv_half", "__float2half", "__hadd", "__hfma", "__hmul"],
    },
    Section {
        name: "bf16",
        part: "cuda_bf16.h",
        headers: &["cuda_bf16"],
        names: &["nv_bfloat16", "__nv_bfloat16", "__float2bfloat16"],
    },
    Section {
        name: "fp8",
        part: "cuda_fp8.h",
        headers: &["cuda_fp8"],
        names: &["__nv_fp8", "__nv_cvt_float_to_fp8", "__nv_cvt_fp8"],
    },
    Section {
        name: "groups",
        part: "groups.hpp",
        headers: &["cooperative_groups"],
        names: &["cooperative_groups"],
    },
    Section {
        name: "random",
        part: "curand_kernel.h",
        headers: &["curand_kernel.h", "curand_philox"],
        names: &["curandState", "curand_init"],
    },
    Section {
        name: "random-host",
        part: "curand.h",
        headers: &["curand.h"],
        names: &["curandGenerator_t", "curandCreateGenerator"],
    },
    Section { name: "wmma", part: "mma.h", headers: &["mma.h"], names: &["nvcuda"] },
    Section { name: "cub", part: "cub.cuh", headers: &["cub/"], names: &["cub"] },
    Section { name: "thrust", part: "thrust.hpp", headers: &["thrust/"], names: &["thrust"] },
    Section {
        name: "cudacxx",
        part: "cudacxx.hpp",
        headers: &["cuda/std/", "cuda/atomic", "cuda/functional", "cuda/cmath"],
        names: &[],
    },
    Section {
        name: "pipeline",
        part: "cuda_pipeline_primitives.h",
        headers: &["cuda_pipeline"],
        names: &["__pipeline_"],
    },
    Section {
        name: "complex",
        part: "cuComplex.h",
        headers: &["cuComplex.h"],
        names: &["cuComplex", "cuFloatComplex", "cuDoubleComplex"],
    },
    Section {
        name: "constants",
        part: "math_constants.h",
        headers: &["math_constants.h"],
        names: &["CUDART_"],
    },
    Section {
        name: "blas",
        part: "blas.hpp",
        headers: &["cublas_v2.h", "cublas_api.h", "cublasLt.h", "library_types.h"],
        names: &["cublas", "CUBLAS", "CUDA_R_", "cudaDataType"],
    },
];

/// Which sections a header has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs(u32);

impl Needs {
    /// Every section.
    pub fn all() -> Self {
        Needs((1 << SECTIONS.len()) - 1)
    }

    /// Without the sections that stand for libraries of the host as much as of the device. They are as
    /// long as all others, and few texts use them.
    pub fn without_libraries(self) -> Self {
        let mut needs = Needs::default();
        needs.add(|section| !["random-host", "thrust", "cudacxx", "blas"].contains(&section.name));
        Needs(self.0 & needs.0)
    }

    /// What a text needs that includes these headers of CUDA's and holds these identifiers.
    pub fn of<'n>(
        headers: impl Iterator<Item = &'n str>,
        names: impl Iterator<Item = &'n str>,
    ) -> Self {
        let mut needs = Needs::default();
        let begins = |text: &str, with: &[&str]| with.iter().any(|start| text.starts_with(start));
        for header in headers {
            needs.add(|section| begins(header, section.headers));
        }
        for name in names {
            needs.add(|section| match section.name {
                "cub" | "thrust" => name == section.name,
                _ => begins(name, section.names),
            });
        }
        needs
    }

    /// The needs of both.
    pub fn union(self, other: Self) -> Self {
        Needs(self.0 | other.0)
    }

    fn add(&mut self, wanted: impl Fn(&Section) -> bool) {
        for (index, section) in SECTIONS.iter().enumerate() {
            if wanted(section) {
                self.0 |= 1 << index;
            }
        }
    }

    fn sections(self) -> impl Iterator<Item = &'static Section> {
        SECTIONS.iter().enumerate().filter(move |(i, _)| self.0 & (1 << i) != 0).map(|(_, s)| s)
    }
}

/// Whether some part stands for a header of CUDA's.
pub fn replaces(header: &str) -> bool {
    SECTIONS.iter().any(|s| s.headers.iter().any(|start| header.starts_with(start)))
}

/// The beginning of the line that lists the sections.
const LIST: &str = "// Sections: ";

/// One header for several ports; `None` if one of the texts is not a header that [`assemble`] made.
pub fn merge(texts: &[&str]) -> Option<String> {
    let mut all = Needs::default();
    for text in texts {
        let line = text.lines().find_map(|line| line.strip_prefix(LIST)).unwrap_or("");
        let mut needs = Needs::default();
        for name in line.trim_end_matches('.').split(", ") {
            needs.add(|section| section.name == name);
        }
        if assemble(needs) != **text {
            return None;
        }
        all = all.union(needs);
    }
    Some(assemble(all))
}

/// What the parts call themselves where they are compiled for the oracle.
const NAMES: &[(&str, &str)] = &[
    ("port_oracle", "port_fibers"),
    ("PORT_ORACLE", "PORT_CPU"),
    ("\"port oracle\"", "\"CPU (port_cpu)\""),
];

/// The header.
pub fn assemble(needs: Needs) -> String {
    // CUDA's runtime header is what the parts stand for.
    let mut assembly = Assembly { out: String::new(), done: vec!["cuda_runtime.h"] };
    let list: Vec<&str> = needs.sections().map(|section| section.name).collect();
    if !list.is_empty() {
        assembly.out.push_str(&format!("{LIST}{}.\n", list.join(", ")));
    }
    for name in ALWAYS.iter().copied().chain(needs.sections().map(|section| section.part)) {
        assembly.part(name);
    }
    assembly.out
}

struct Assembly {
    out: String,
    /// Parts and system headers that are in already.
    done: Vec<&'static str>,
}

impl Assembly {
    fn part(&mut self, name: &str) {
        let file = name.rsplit_once('/').map_or(name, |(_, file)| file);
        if self.done.contains(&file) {
            return;
        }
        let Some(part) = PARTS.iter().find(|part| part.name == file) else {
            debug_assert!(false, "no part {name}");
            return;
        };
        // `.inc` files are included once for each type that they are for.
        if !part.name.ends_with(".inc") {
            self.done.push(part.name);
        }
        if !self.out.is_empty() && !self.out.ends_with("\n\n") && !part.name.ends_with(".inc") {
            self.out.push('\n');
        }
        for line in part.text.lines() {
            self.line(line);
        }
    }

    fn line(&mut self, line: &'static str) {
        if line == "#pragma once" && self.out.contains("#pragma once") {
            return;
        }
        if let Some(name) = line.strip_prefix("#include ") {
            let own = name.starts_with('"') || name.starts_with("<port_oracle/");
            if own {
                return self.part(name.trim_matches(['"', '<', '>']));
            }
            if self.done.contains(&name) {
                return;
            }
            self.done.push(name);
        }
        let mut text = api_names(line);
        for (from, to) in NAMES {
            text = text.replace(from, to);
        }
        self.out.push_str(&text);
        self.out.push('\n');
    }
}

/// `PORT_API(name)`, which is CUDA's or HIP's in the oracle, is CUDA's.
fn api_names(line: &str) -> String {
    const OPEN: &str = "PORT_API(";
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let Some((name, after)) = after.split_once(')') else { break };
        out.push_str(before);
        out.push_str("cuda");
        out.push_str(name);
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_stands_alone() {
        let text = assemble(Needs::all());
        assert_eq!(text.matches("#pragma once").count(), 1);
        for word in ["#include \"", "port_oracle", "PORT_API("] {
            assert!(!text.contains(word), "{word}");
        }
        assert!(text.contains("cudaMemcpyAsync("));
    }

    #[test]
    fn headers_of_several_ports_are_joined() {
        let names = |list: &'static [&'static str]| list.iter().copied();
        let half = assemble(Needs::of(names(&["cuda_fp16.h"]), names(&[])));
        let groups = assemble(Needs::of(names(&[]), names(&["cooperative_groups"])));
        let both = assemble(Needs::of(names(&["cuda_fp16.h", "cooperative_groups.h"]), names(&[])));
        assert_eq!(merge(&[&half, &groups]).unwrap(), both);
        assert_ne!(half, both);
        assert_eq!(merge(&[&half, "// Sections: fp16.\nedited"]), None);
    }
}
