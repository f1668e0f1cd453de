//! Moves, loads, stores, atomics, addresses and asynchronous copies.

use super::parse::Operand;
use super::registers::{Registers, Space, Type};
use super::table::Op;

pub(super) fn instruction(
    r: &mut Registers<'_>,
    op: &Op<'_>,
    operands: &[Operand],
) -> Option<String> {
    match op.base {
        "mov" => {
            let [d, a] = operands else { return None };
            let ty = op.last_type()?;
            let value = r.read(a, ty)?;
            r.write(d, ty, &value)
        }
        "prefetch" | "prefetchu" | "applypriority" => Some(String::new()),
        "createpolicy" => r.write(operands.first()?, Type::Bits(64), "0ull"),
        "cvta" => {
            let [d, a] = operands else { return None };
            let a = r.read(a, Type::Unsigned(64))?;
            let shared = op.modifiers.iter().any(|part| part.starts_with("shared"));
            let value = match (shared, op.has("to")) {
                (true, true) => {
                    format!("(unsigned long long)__cvta_generic_to_shared((const void *)({a}))")
                }
                (true, false) => format!("(unsigned long long)__cvta_shared_to_generic({a})"),
                (false, _) => a,
            };
            r.write(d, Type::Unsigned(64), &value)
        }
        "ld" | "ldu" => load(r, op, operands),
        "st" => store(r, op, operands),
        "atom" | "red" => atomic(r, op, operands),
        _ => async_copy(r, op, operands),
    }
}

fn load(r: &mut Registers<'_>, op: &Op<'_>, operands: &[Operand]) -> Option<String> {
    let (d, address) = (operands.first()?, operands.get(1)?);
    let ty = op.last_type()?;
    let t = ty.spelling();
    let pointer = r.pointer(address, op.space()?, &format!("const {t}"))?;
    let single = [d.clone()];
    let parts = match d {
        Operand::Vector(parts) if op.elements() > 1 => &parts[..],
        _ => &single[..],
    };
    if parts.len() != op.elements() {
        return None;
    }
    let mut code = format!("const {t} *from = {pointer};");
    let mut writes = String::new();
    for (index, part) in parts.iter().enumerate() {
        let value = if op.has("acquire") {
            format!("__port_load_acquire(from + {index})")
        } else if op.has("relaxed") || op.has("mmio") {
            format!("__port_load_relaxed(from + {index})")
        } else if op.has("volatile") {
            format!("((const volatile {t} *)from)[{index}]")
        } else if op.has("nc") && ty.bits() >= 32 {
            format!("__ldg(from + {index})")
        } else {
            format!("from[{index}]")
        };
        // The registers of the address may be among those written.
        code.push_str(&format!(" {t} value{index} = {value};"));
        writes.push(' ');
        writes.push_str(&r.write(part, ty, &format!("value{index}"))?);
    }
    Some(code + &writes)
}

fn store(r: &mut Registers<'_>, op: &Op<'_>, operands: &[Operand]) -> Option<String> {
    let (address, value) = (operands.first()?, operands.get(1)?);
    let ty = op.last_type()?;
    let t = ty.spelling();
    let pointer = r.pointer(address, op.space()?, t)?;
    let single = [value.clone()];
    let parts = match value {
        Operand::Vector(parts) if op.elements() > 1 => &parts[..],
        _ => &single[..],
    };
    if parts.len() != op.elements() {
        return None;
    }
    let mut code = format!("{t} *to = {pointer};");
    for (index, part) in parts.iter().enumerate() {
        let value = r.read(part, ty)?;
        code.push_str(&if op.has("release") {
            format!(" __port_store_release(to + {index}, {value});")
        } else if op.has("relaxed") || op.has("mmio") {
            format!(" __port_store_relaxed(to + {index}, {value});")
        } else if op.has("volatile") {
            format!(" ((volatile {t} *)to)[{index}] = {value};")
        } else {
            format!(" to[{index}] = {value};")
        });
    }
    Some(code)
}

fn atomic(r: &mut Registers<'_>, op: &Op<'_>, operands: &[Operand]) -> Option<String> {
    let (d, rest) = match op.base {
        "atom" => (operands.first(), operands.get(1..)?),
        _ => (None, operands),
    };
    let (address, values) = rest.split_first()?;
    // Bits are words for the functions; `add` of signed words is that of unsigned ones.
    let ty = match (op.last_type()?, op.has("add")) {
        (Type::Bits(bits), _) => Type::Unsigned(bits),
        (Type::Signed(64), true) => Type::Unsigned(64),
        (ty, _) => ty,
    };
    let name =
        match op.any(&["add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec"])? {
            "add" => "Add",
            "min" => "Min",
            "max" => "Max",
            "and" => "And",
            "or" => "Or",
            "xor" => "Xor",
            "exch" => "Exch",
            "cas" => "CAS",
            "inc" => "Inc",
            _ => "Dec",
        };
    let scope = match op.any(&["cta", "sys"]) {
        Some("cta") => "_block",
        Some(_) => "_system",
        None => "",
    };
    let fence = match scope {
        "_block" => "__threadfence_block();",
        "_system" => "__threadfence_system();",
        _ => "__threadfence();",
    };
    let t = ty.spelling();
    let pointer = r.pointer(address, op.space()?, t)?;
    let mut code = format!("{t} *at = {pointer};");
    if op.has("release") || op.has("acq_rel") {
        code.push(' ');
        code.push_str(fence);
    }
    if let (None, [Operand::Vector(parts)], true) = (d, values, op.elements() > 1) {
        for (index, part) in parts.iter().enumerate() {
            let value = r.read(part, ty)?;
            code.push_str(&format!(" atomic{name}{scope}(at + {index}, {value});"));
        }
    } else {
        let mut list = Vec::new();
        for value in values {
            list.push(r.read(value, ty)?);
        }
        let expected = if name == "CAS" { 2 } else { 1 };
        if list.len() < expected {
            return None;
        }
        list.truncate(expected);
        let call = format!("atomic{name}{scope}(at, {})", list.join(", "));
        match d {
            Some(d) => {
                code.push_str(&format!(" {t} old = {call}; "));
                code.push_str(&r.write(d, ty, "old")?);
            }
            None => code.push_str(&format!(" {call};")),
        }
    }
    if op.has("acquire") || op.has("acq_rel") {
        code.push(' ');
        code.push_str(fence);
    }
    Some(code)
}

fn async_copy(r: &mut Registers<'_>, op: &Op<'_>, operands: &[Operand]) -> Option<String> {
    if op.modifiers.first() != Some(&"async") || op.has("bulk") || op.has("mbarrier") {
        return None;
    }
    if op.has("commit_group") {
        return Some("__pipeline_commit();".to_string());
    }
    if op.has("wait_all") {
        return Some("__pipeline_commit(); __pipeline_wait_prior(0);".to_string());
    }
    if op.has("wait_group") {
        let count = r.amount(operands.first()?)?;
        return Some(format!("__pipeline_wait_prior({count});"));
    }
    let operands = match op.has("L2::cache_hint") {
        true => operands.split_last()?.1,
        false => operands,
    };
    let [to, from, bytes, rest @ ..] = operands else { return None };
    let bytes = r.amount(bytes)?;
    let to = r.pointer(to, Space::Shared, "void")?;
    let from = r.pointer(from, Space::Generic, "const void")?;
    Some(match rest {
        [] => format!("__pipeline_memcpy_async({to}, {from}, {bytes});"),
        [size] => match r.predicate(size) {
            // Whether the source is left out.
            Some(ignored) => {
                format!("__pipeline_memcpy_async({to}, {from}, {bytes}, {ignored} ? {bytes} : 0);")
            }
            None => {
                let size = r.read(size, Type::Unsigned(32))?;
                format!("__pipeline_memcpy_async({to}, {from}, {bytes}, {bytes} - {size});")
            }
        },
        _ => return None,
    })
}
