//! The generated part of a driver, and the plan that it runs: the driver depends on the forms of a
//! spec's launches (kernel texts, which arguments are structs, symbol names), the plan on a case's
//! sizes and values. So a text is compiled once for all sizes.

use std::fmt::Write;

use super::{Source, build};
use crate::spec::{Argument, ArgumentSpec, Case, Spec};

/// Where the C++ side of a driver is.
pub(crate) struct Names {
    /// What `#include` takes.
    header: &'static str,
    namespace: &'static str,
    /// Text after the tables.
    end: &'static str,
}

/// The driver of the fiber oracle, whose `main` is in its runtime.
pub(crate) const ORACLE: Names =
    Names { header: "<port_oracle/driver.hpp>", namespace: "port_oracle::driver", end: "" };

/// The driver of ports for the processor.
pub(crate) const CPU: Names = Names {
    header: "\"port_check_call.hpp\"",
    namespace: "port_check::driver",
    end: "int main(int argc, char** argv) {\n    \
          return port_check::driver::main(argc, argv, port_oracle_entries, port_oracle_symbols);\n}\n",
};

/// The driver of Ascend ports.
pub(crate) const ASCEND: Names = Names { header: "\"port_check_ascend_call.hpp\"", ..CPU };

/// The text of the driver's translation unit: the user's text, then the tables.
pub(crate) fn translation_unit(source: &Source, spec: Option<&Spec>, names: &Names) -> String {
    let Names { header, namespace, end } = names;
    let main = source.files.first().map(|(path, _)| build::inside(path)).unwrap_or_default();
    let main = main.display();
    let mut text = String::new();
    let Some(spec) = spec else {
        let _ = writeln!(text, "#include \"{main}\"");
        return text;
    };
    // The text may have a `main` of its own; the driver's is another.
    let _ = writeln!(
        text,
        "#define main port_oracle_user_main\n#include \"{main}\"\n#undef main\n\
         #include {header}"
    );
    for (index, launch) in spec.launches.iter().enumerate() {
        let kernel = rename(&launch.kernel, &source.renames);
        let fills: String =
            launch.arguments.iter().map(|of| format!(", {}", fill(of, 0, namespace))).collect();
        // Host code often has a function of the kernel's name that launches it: the kernel is the one with
        // as many parameters as the launch has arguments, if there are several.
        let types: Vec<String> =
            (0..launch.arguments.len()).map(|at| format!("PortArgument{at}")).collect();
        let classes: String = types.iter().map(|ty| format!("class {ty}, ")).collect();
        let _ = writeln!(
            text,
            "template <{classes}int = 0> static auto port_oracle_kernel_{index}(void (*kernel)({types})) \
             {{ return kernel; }}\n\
             template <class PortKernel> static PortKernel& port_oracle_kernel_{index}(PortKernel& kernel) {{ return kernel; }}",
            types = types.join(", "),
        );
        // Errors of the compiler then name the launch, not a line of a file that nobody wrote.
        let _ = writeln!(
            text,
            "#line 1 \"<launch {number} of the spec>\"\n\
             static int port_oracle_entry_{index}(const {namespace}::Launch& launch) {{ \
             return {namespace}::call(launch, port_oracle_kernel_{index}({kernel}){fills}); }}",
            number = index + 1,
        );
    }
    text.push_str("#line 1 \"<tables of the driver>\"\n");
    let _ = writeln!(text, "const {namespace}::Entry port_oracle_entries[] = {{");
    for (index, launch) in spec.launches.iter().enumerate() {
        let name = launch.kernel.replace('\\', "\\\\").replace('"', "\\\"");
        let _ = writeln!(text, "    {{\"{name}\", port_oracle_entry_{index}}},");
    }
    text.push_str("    {nullptr, nullptr}};\n");
    let _ = writeln!(text, "const {namespace}::Symbol port_oracle_symbols[] = {{");
    for symbol in &spec.symbols {
        let name = rename(&symbol.name, &source.renames);
        let _ = writeln!(
            text,
            "    {{\"{}\", const_cast<void*>(static_cast<const volatile void*>(&{name})), \
             sizeof({name})}},",
            symbol.name
        );
    }
    text.push_str("    {nullptr, nullptr, 0}};\n");
    text.push_str(end);
    text
}

/// Replaces whole identifiers.
fn rename(text: &str, renames: &[(String, String)]) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        if word > 0 {
            let (name, tail) = rest.split_at(word);
            let renamed = renames.iter().find(|(from, _)| from == name);
            result.push_str(renamed.map_or(name, |(_, to)| to));
            rest = tail;
        } else {
            let other = rest.find(is_word).unwrap_or(rest.len());
            result.push_str(&rest[..other]);
            rest = &rest[other..];
        }
    }
    result
}

/// C++ that fills a parameter from an argument of the plan.
fn fill(argument: &ArgumentSpec, depth: usize, namespace: &str) -> String {
    let ArgumentSpec::Struct(fields) = argument else {
        return format!("{namespace}::plain");
    };
    let (to, from) = (format!("to_{depth}"), format!("from_{depth}"));
    let mut body = String::new();
    for (index, (name, field)) in fields.iter().enumerate() {
        let _ = write!(
            body,
            "({})({to}.{name}, {from}.fields[{index}]); ",
            fill(field, depth + 1, namespace)
        );
    }
    format!(
        "[](auto& {to}, const {namespace}::Argument& {from}) {{ (void){to}; (void){from}; {body}}}"
    )
}

/// The plan of a case, with its data. Results are written in the order of [`outputs`].
/// Its files are in the folder in which the driver runs.
pub(super) fn plan(case: &Case) -> (String, Vec<u8>) {
    let mut plan = String::from("data data\nresults results\n");
    let mut data = Vec::new();
    for (kind, buffers) in [("buffer", &case.buffers), ("symbol", &case.symbols)] {
        for buffer in buffers {
            let bytes = buffer.tensor.bytes();
            let _ = writeln!(plan, "{kind} {} {} {}", buffer.name, bytes.len(), data.len());
            data.extend_from_slice(bytes);
        }
    }
    for (index, launch) in case.launches.iter().enumerate() {
        if launch.grid.contains(&0) {
            continue;
        }
        let ([gx, gy, gz], [bx, by, bz]) = (launch.grid, launch.block);
        let _ = writeln!(
            plan,
            "launch {index} {gx} {gy} {gz} {bx} {by} {bz} {} {}",
            launch.shared,
            launch.arguments.len()
        );
        for argument in &launch.arguments {
            write_argument(&mut plan, argument, case);
        }
    }
    for (index, buffer) in case.buffers.iter().enumerate() {
        if buffer.output {
            let _ = writeln!(plan, "out b {index}");
        }
    }
    for symbol in &case.symbols {
        if symbol.output {
            let _ = writeln!(plan, "out s {} {}", symbol.name, symbol.tensor.bytes().len());
        }
    }
    (plan, data)
}

fn write_argument(plan: &mut String, argument: &Argument, case: &Case) {
    let _ = match argument {
        Argument::Buffer { index, offset } => {
            let size = case.buffers.get(*index).map_or(1, |b| b.tensor.dtype().size() as u64);
            writeln!(plan, "p {index} {}", offset * size)
        }
        Argument::Null => writeln!(plan, "n"),
        Argument::Integer(value) => writeln!(plan, "i {value}"),
        Argument::Real(value) => writeln!(plan, "r {}", value.to_bits()),
        Argument::Struct(fields) => {
            let _ = writeln!(plan, "s {}", fields.len());
            fields.iter().for_each(|(_, field)| write_argument(plan, field, case));
            Ok(())
        }
    };
}

/// The buffers and symbols whose final contents are results, in the order of the results file.
pub(super) fn outputs(case: &Case) -> impl Iterator<Item = &crate::spec::Buffer> {
    case.buffers.iter().chain(&case.symbols).filter(|buffer| buffer.output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_identifiers_are_renamed() {
        let renames = [("half".to_string(), "float".to_string())];
        assert_eq!(rename("k<half, half2, ns::half>", &renames), "k<float, half2, ns::float>");
    }
}
