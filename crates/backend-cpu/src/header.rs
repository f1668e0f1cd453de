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
    "sixteen.hpp" => "../../check/oracle/include/cuda/port_cuda_sixteen.h",
    "groups.hpp" => "../../check/oracle/include/port_oracle/groups.hpp",
    "philox.hpp" => "../../check/oracle/include/port_oracle/philox.hpp",
    "complex.hpp" => "../../check/oracle/include/port_oracle/complex.hpp",
    "launch.hpp" => "../assets/port_cpu/launch_stub.hpp",
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
    "half.hpp",
    "bfloat16.hpp",
    "sixteen.hpp",
    "groups.hpp",
    "philox.hpp",
];

/// What the parts call themselves where they are compiled for the oracle.
const NAMES: &[(&str, &str)] = &[("port_oracle", "port_fibers"), ("PORT_ORACLE", "PORT_CPU")];

/// The header.
pub fn assemble() -> String {
    let mut assembly = Assembly { out: String::new(), done: Vec::new() };
    for name in ALWAYS {
        assembly.part(name);
    }
    assembly.out.push_str("\nPORT_CPU_SIXTEEN(__half, __half2)\n");
    assembly.out.push_str("PORT_CPU_SIXTEEN(__nv_bfloat16, __nv_bfloat162)\n");
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
        let Some(part) = PARTS.iter().find(|part| part.name == file) else {
            debug_assert!(false, "no part {name}");
            return;
        };
        // `.inc` files are included once for each type that they are for.
        if part.name.ends_with(".hpp") {
            if self.done.contains(&part.name) {
                return;
            }
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
        let text = assemble();
        assert_eq!(text.matches("#pragma once").count(), 1);
        for word in ["#include \"", "port_oracle", "PORT_API("] {
            assert!(!text.contains(word), "{word}");
        }
        assert!(text.contains("cudaMemcpyAsync("));
    }
}
