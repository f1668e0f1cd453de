//! What threads do together: shuffles, votes, barriers, fences.

use super::parse::Operand;
use super::registers::{Registers, Type};
use super::table::Op;

pub(super) fn instruction(
    r: &mut Registers<'_>,
    op: &Op<'_>,
    operands: &[Operand],
) -> Option<String> {
    let word = Type::Unsigned(32);
    match op.base {
        "griddepcontrol" => Some(String::new()),
        "trap" => Some("__trap();".to_string()),
        "nanosleep" => Some(format!("__nanosleep({});", r.read(operands.first()?, word)?)),
        "activemask" => r.write(operands.first()?, word, "__activemask()"),
        "membar" | "fence" => {
            if op.modifiers.iter().any(|part| part.contains("proxy") || part.contains("mbarrier")) {
                return None;
            }
            let scope = match op.any(&["cta", "sys"]) {
                Some("cta") => "_block",
                Some(_) => "_system",
                None => "",
            };
            Some(format!("__threadfence{scope}();"))
        }
        "bar" | "barrier" => barrier(r, op, operands),
        "shfl" => shuffle(r, op, operands),
        "vote" => {
            let (d, a) = (operands.first()?, operands.get(1)?);
            let a = r.predicate(a)?;
            let mask = match operands.get(2) {
                Some(mask) => r.read(mask, word)?,
                None => "__activemask()".to_string(),
            };
            match op.any(&["ballot", "any", "all", "uni"])? {
                "ballot" => r.write(d, word, &format!("__ballot_sync({mask}, {a})")),
                kind => r.write(d, Type::Predicate, &format!("(__{kind}_sync({mask}, {a}) != 0)")),
            }
        }
        "match" => {
            let ty = match op.last_type()? {
                Type::Bits(bits) => Type::Unsigned(bits),
                _ => return None,
            };
            let [d, a, mask] = operands else { return None };
            let (a, mask) = (r.read(a, ty)?, r.read(mask, word)?);
            if op.has("any") {
                return r.write(d, word, &format!("__match_any_sync({mask}, {a})"));
            }
            let (d, p) = match d {
                Operand::Pair(d, p) => (&**d, Some(&**p)),
                d => (d, None),
            };
            let call = format!("__match_all_sync({mask}, {a}, &same)");
            let mut code = format!("int same; unsigned lanes = {call}; ");
            code.push_str(&r.write(d, word, "lanes")?);
            if let Some(p) = p {
                code.push_str(&r.write(p, Type::Predicate, "same != 0")?);
            }
            Some(code)
        }
        "redux" => {
            let ty = match op.last_type()? {
                Type::Bits(32) => word,
                ty if ty.is_integer() => ty,
                _ => return None,
            };
            let [d, a, mask] = operands else { return None };
            let (a, mask) = (r.read(a, ty)?, r.read(mask, word)?);
            let kind = op.any(&["add", "min", "max", "and", "or", "xor"])?;
            r.write(d, ty, &format!("__reduce_{kind}_sync({mask}, {a})"))
        }
        _ => None,
    }
}

fn barrier(r: &mut Registers<'_>, op: &Op<'_>, operands: &[Operand]) -> Option<String> {
    let word = Type::Unsigned(32);
    if op.has("warp") {
        let mask = r.read(operands.first()?, word)?;
        return Some(format!("__syncwarp({mask});"));
    }
    if op.has("cluster") {
        // What waits is the barrier; arriving alone lets nobody pass.
        return match op.any(&["arrive", "wait"])? {
            "wait" => Some("__port_cluster_barrier();".to_string()),
            _ => Some(String::new()),
        };
    }
    if op.has("red") {
        let kind = op.any(&["popc", "and", "or"])?;
        let (d, p) = (operands.first()?, operands.last()?);
        if r.number(operands.get(1)?) != Some(0) || operands.len() != 3 {
            return None;
        }
        let p = r.predicate(p)?;
        return match kind {
            "popc" => r.write(d, word, &format!("__syncthreads_count({p})")),
            kind => r.write(d, Type::Predicate, &format!("(__syncthreads_{kind}({p}) != 0)")),
        };
    }
    let name = op.any(&["sync", "arrive"])?;
    let index = operands.first()?;
    let number = r.number(index);
    let index = r.read(index, word)?;
    match (name, operands.get(1)) {
        ("sync", None) if number == Some(0) => Some("__syncthreads();".to_string()),
        ("sync", None) => Some(format!("__barrier_sync({index});")),
        ("sync", Some(count)) => {
            Some(format!("__barrier_sync_count({index}, {});", r.read(count, word)?))
        }
        (_, Some(count)) => {
            Some(format!("__port_barrier_arrive({index}, {});", r.read(count, word)?))
        }
        _ => None,
    }
}

fn shuffle(r: &mut Registers<'_>, op: &Op<'_>, operands: &[Operand]) -> Option<String> {
    let word = Type::Unsigned(32);
    let [d, a, b, c, rest @ ..] = operands else { return None };
    let (d, p) = match d {
        Operand::Pair(d, p) => (&**d, Some(&**p)),
        d => (d, None),
    };
    let (a, b) = (r.read(a, word)?, r.read(b, word)?);
    // The segment mask in bits 8 to 12 says which bits of a lane's number name its segment.
    let width = match r.number(c) {
        Some(c) => (32 - (c >> 8 & 31)).to_string(),
        None => format!("(32 - (int)({} >> 8 & 31u))", r.read(c, word)?),
    };
    let mask = match rest {
        [mask] => r.read(mask, word)?,
        [] => "__activemask()".to_string(),
        _ => return None,
    };
    let mode = op.any(&["up", "down", "bfly", "idx"])?;
    let function = match mode {
        "up" => "__shfl_up_sync",
        "down" => "__shfl_down_sync",
        "bfly" => "__shfl_xor_sync",
        _ => "__shfl_sync",
    };
    let mut code = format!("unsigned read = {function}({mask}, {a}, {b}, {width});");
    if let Some(p) = p {
        code.push_str(&format!(" bool inside = __ptx_in_range_{mode}({b}, {width}); "));
        code.push_str(&r.write(p, Type::Predicate, "inside")?);
    }
    code.push(' ');
    code.push_str(&r.write(d, word, "read")?);
    Some(code)
}
