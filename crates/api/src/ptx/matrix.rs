//! Tiles of matrices: their loads, stores and products.

use super::parse::Operand;
use super::registers::{Registers, Space, Type};
use super::table::Op;

pub(super) fn instruction(
    r: &mut Registers<'_>,
    op: &Op<'_>,
    operands: &[Operand],
) -> Option<String> {
    let word = Type::Unsigned(32);
    if op.base == "mma" {
        return multiply(r, op, operands);
    }
    let (address, tiles) = match op.base {
        "ldmatrix" => (operands.get(1)?, operands.first()?),
        _ => (operands.first()?, operands.get(1)?),
    };
    let count = match op.any(&["x1", "x2", "x4"])? {
        "x1" => 1,
        "x2" => 2,
        _ => 4,
    };
    let Operand::Address(base, offset) = address else { return None };
    let tiles = parts(tiles);
    if !op.has("m8n8") || !op.has("b16") || tiles.len() != count {
        return None;
    }
    // A generic address points into shared memory, too.
    let (row, width) = match op.space()? {
        Space::Shared => ("unsigned", word),
        Space::Generic => ("unsigned long long", Type::Unsigned(64)),
    };
    let base = r.read(base, width)?;
    let trans = if op.has("trans") { "_trans" } else { "" };
    let mut code = format!("{row} row = {base} + ({row})({offset}ll);");
    let mut writes = String::new();
    for (index, tile) in tiles.iter().enumerate() {
        match op.base {
            "ldmatrix" => {
                code.push_str(&format!(
                    " unsigned tile{index} = __ptx_ldmatrix{trans}(row, {index});"
                ));
                writes.push(' ');
                writes.push_str(&r.write(tile, word, &format!("tile{index}"))?);
            }
            _ => {
                let tile = r.read(tile, word)?;
                code.push_str(&format!(" __ptx_stmatrix{trans}(row, {index}, {tile});"));
            }
        }
    }
    Some(code + &writes)
}

/// The parts of a vector; anything else is its only part.
fn parts(operand: &Operand) -> &[Operand] {
    match operand {
        Operand::Vector(parts) => parts,
        operand => std::slice::from_ref(operand),
    }
}

/// `mma.sync` of shapes whose fragments are made of 8 × 8 tiles (words across): rows of a quad hold
/// the rows of the tile.
fn multiply(r: &mut Registers<'_>, op: &Op<'_>, operands: &[Operand]) -> Option<String> {
    let [d, a, b, c] = operands else { return None };
    let (d, a, b, c) = (parts(d), parts(a), parts(b), parts(c));
    if !op.has("row") || !op.has("col") || op.has("sp") || op.has("satfinite") {
        return None;
    }
    let shape = op.modifiers.iter().find(|part| part.starts_with('m') && part.contains('n'))?;
    let kinds: Vec<&str> = op.modifiers.iter().rev().take(4).rev().copied().collect();
    let [to, left, right, from] = kinds[..] else { return None };
    let (steps, dot, integer) = match (*shape, left, right) {
        ("m16n8k16", "f16", "f16") => (2, "f16", false),
        ("m16n8k8", "f16", "f16") => (1, "f16", false),
        ("m16n8k16", "bf16", "bf16") => (2, "bf16", false),
        ("m16n8k8", "bf16", "bf16") => (1, "bf16", false),
        ("m16n8k8", "tf32", "tf32") => (2, "tf32", false),
        ("m16n8k4", "tf32", "tf32") => (1, "tf32", false),
        ("m16n8k32", "s8", "s8") => (2, "s8", true),
        ("m16n8k16", "s8", "s8") => (1, "s8", true),
        ("m16n8k32", "u8", "u8") => (2, "u8", true),
        ("m16n8k16", "u8", "u8") => (1, "u8", true),
        _ => return None,
    };
    if a.len() != 2 * steps || b.len() != steps {
        return None;
    }
    let word = Type::Unsigned(32);
    let (sum, sum_type) = if integer { ("int", Type::Signed(32)) } else { ("float", Type::F32) };
    let mut code = String::new();
    let packed = match (to, from, d.len(), c.len()) {
        ("f32", "f32", 4, 4) if !integer => false,
        ("s32", "s32", 4, 4) if integer => false,
        ("f16", "f16", 2, 2) if !integer => true,
        _ => return None,
    };
    for index in 0..4 {
        let value = match packed {
            false => r.read(c.get(index)?, sum_type)?,
            true => {
                let pair = r.read(c.get(index / 2)?, Type::F16x2)?;
                let half = if index % 2 == 0 { "__low2float" } else { "__high2float" };
                format!("{half}({pair})")
            }
        };
        code.push_str(&format!("{sum} c{index} = {value}; "));
    }
    for step in 0..steps {
        let low = r.read(a.get(2 * step)?, word)?;
        let high = r.read(a.get(2 * step + 1)?, word)?;
        let b = r.read(b.get(step)?, word)?;
        code.push_str(&format!("__ptx_mma_{dot}(c0, c1, c2, c3, {low}, {high}, {b}); "));
    }
    if packed {
        for (index, d) in d.iter().enumerate() {
            let (low, high) = (2 * index, 2 * index + 1);
            let value = format!("__floats2half2_rn(c{low}, c{high})");
            code.push_str(&r.write(d, Type::F16x2, &value)?);
        }
    } else {
        for (index, d) in d.iter().enumerate() {
            code.push_str(&r.write(d, sum_type, &format!("c{index}"))?);
            code.push(' ');
        }
    }
    Some(code)
}
