//! Rows: kernels whose threads go over a row together, reduce it and go over it again.
//!
//! * `graph`: values, so that what is equal is one node; `intern`: how that is found fast.
//! * `execute`: the threads of a group, carried out together; `phase`: their loops over a row;
//!   `state`: running values of several parts; `settle`: what threads make of each other's.
//! * `scalars`, `vector`: what a row has once, and what its elements have, as Ascend C.
//! * `write`: the class of a kernel.
//!
//! A group is a block, or a warp of one. What its threads' numbers decide is carried out for each
//! thread, so that no pattern of a reduction has to be known: it is one where in the end one value is
//! made of every thread's share, once each.

mod execute;
mod graph;
mod intern;
mod phase;
mod scalars;
mod settle;
mod state;
mod vector;
mod write;

use port_ir::{Axis, Builtin, Expression, FunctionKind, StatementKind};

use crate::code::refuse;
use crate::kernel::{Context, Declarations, DeviceKernel, NotTranslated, Request};
use crate::support::Library;
use execute::{Executor, Shape};

/// The support code.
const SUPPORT: &str = include_str!("assets/rows.h");

/// Threads of blocks of which nothing is said: what a kernel of rows must hold for.
const SIZES: [u32; 6] = [32, 64, 128, 256, 512, 1024];
/// Threads of blocks that a kernel may hold for: a tree by halves drops threads of these, and an exchange
/// of whole warps misses some. What holds for these too holds for any number.
const ODD_SIZES: [u32; 6] = [1, 33, 40, 96, 100, 192];
/// Larger ones, asked for where those above that are whole warps hold and others do not.
const WIDE_SIZES: [u32; 2] = [384, 768];

/// The form of a kernel.
pub(crate) fn kernel(
    context: &Context<'_, '_>,
    request: &Request,
    declarations: &mut Declarations,
) -> Result<DeviceKernel, NotTranslated> {
    let module = context.program.module;
    let function = &module.functions[request.function];
    let flow = context.program.flow(request.function);
    // Without a word between threads there is nothing to reduce.
    let works_together = flow.statements().any(|(_, entry)| {
        matches!(
            entry.statement.kind,
            StatementKind::Shuffle { .. }
                | StatementKind::WarpReduce { .. }
                | StatementKind::Barrier { .. }
        )
    });
    if !works_together {
        return Err(refuse("no form holds it"));
    }
    let mut refused = None;
    let translated = |shape: Shape| {
        let mut executor = Executor::new(module, function, flow, shape);
        executor.run().and_then(|()| {
            write::kernel(context.options.sources, context.options.reserved, request, executor)
        })
    };
    for Group { mut shapes, odd, is_constant } in groups(context, request) {
        if is_constant {
            // The size that the program has in mind is one of these.
            match shapes.iter().position(|shape| translated(*shape).is_ok()) {
                Some(at) => shapes = vec![shapes[at]],
                None => shapes.truncate(1),
            }
        }
        let mut made: Option<DeviceKernel> = None;
        let mut held = true;
        for shape in &shapes {
            match (translated(*shape), &made) {
                (Ok(text), None) => made = Some(text),
                (Ok(text), Some(before)) if text == *before => {}
                (Ok(_), Some(_)) => {
                    held = false;
                    refused.get_or_insert(refuse("what a row is depends on the size of its block"));
                    break;
                }
                (Err(why), _) => {
                    held = false;
                    refused.get_or_insert(why);
                    break;
                }
            }
        }
        if let (true, Some(mut made)) = (held, made) {
            let holds = |shape: &Shape| translated(*shape).is_ok_and(|text| text == made);
            let mut held: Vec<Shape> = odd.iter().copied().filter(holds).collect();
            if held.len() < odd.len() || odd.is_empty() {
                if held.iter().any(|shape| shape.threads[0] == 192) {
                    let most = shapes.iter().map(Shape::count).max().unwrap_or(0);
                    let wide = WIDE_SIZES.map(|x| Shape { threads: [x, 1, 1], warps: None });
                    held.extend(wide.into_iter().filter(|s| s.count() <= most).filter(holds));
                }
                made.proven_for = Some(proven_for(shapes.into_iter().chain(held).collect()));
            }
            declarations.add_support(Library::Rows, "rows", SUPPORT);
            return Ok(made);
        }
    }
    Err(refused.unwrap_or_else(|| refuse("no form holds it")))
}

/// Threads that share a row.
struct Group {
    /// The shapes that it may have, all of which the translation must hold for.
    shapes: Vec<Shape>,
    /// Shapes that it may hold for.
    odd: Vec<Shape>,
    /// Whether nothing asks how large a block is, so that it has one size, which is not known.
    is_constant: bool,
}

/// A condition of the host on `block` that says that a block is one of these shapes, and the shapes in
/// words. Of blocks in which each warp has its own row the number of warps is free.
fn proven_for(mut shapes: Vec<Shape>) -> (String, String) {
    shapes.sort_by_key(|shape| shape.threads);
    match shapes.first().and_then(|shape| shape.warps) {
        Some(Axis::X) => {
            let condition = "block.x % 32 == 0 && block.y == 1 && block.z == 1";
            return (condition.to_owned(), "whole warps".to_owned());
        }
        Some(_) => {
            let condition = "block.x == 32 && block.z == 1";
            return (condition.to_owned(), "warps one below the other".to_owned());
        }
        None => {}
    }
    let one_row = shapes.iter().all(|shape| shape.threads[1] == 1 && shape.threads[2] == 1);
    let conditions = shapes.iter().map(|Shape { threads: [x, y, z], .. }| match one_row {
        true => format!("block.x == {x}"),
        false => format!("(block.x == {x} && block.y == {y} && block.z == {z})"),
    });
    let conditions = conditions.collect::<Vec<_>>().join(" || ");
    let words = shapes.iter().map(|Shape { threads: [x, y, z], .. }| match one_row {
        true => x.to_string(),
        false => format!("{x}x{y}x{z}"),
    });
    let words = format!("{} threads", words.collect::<Vec<_>>().join(", "));
    match one_row {
        true => (format!("block.y == 1 && block.z == 1 && ({conditions})"), words),
        false => (conditions, words),
    }
}

/// Groups to try.
fn groups(context: &Context<'_, '_>, request: &Request) -> Vec<Group> {
    let module = context.program.module;
    let function = &module.functions[request.function];
    let uses = |axis: Axis| {
        function.expressions.iter().any(|(_, e)| {
            *e == Expression::Builtin(Builtin::ThreadIndex(axis))
                || *e == Expression::Builtin(Builtin::BlockDim(axis))
        })
    };
    let most = match function.kind {
        FunctionKind::Kernel(bounds) => bounds.max_threads.unwrap_or(1024).min(1024),
        FunctionKind::Device => 1024,
    };
    // What the launches in view say.
    let mut known: Vec<[u32; 3]> = Vec::new();
    let mut is_known = true;
    for launch in module.launches.iter().filter(|l| l.kernel == request.function) {
        let block = launch
            .block
            .map(|axis| axis.and_then(port_ir::Range::single).and_then(|n| u32::try_from(n).ok()));
        match block {
            // No chip launches more than 1024 threads.
            [Some(x), Some(y), Some(z)]
                if (1..=1024).contains(&[x, y, z].map(u64::from).iter().product::<u64>()) =>
            {
                known.push([x, y, z]);
            }
            _ => is_known = false,
        }
    }
    known.sort_unstable();
    known.dedup();
    let is_known = is_known && !known.is_empty() && known.len() <= 4;
    let fits = |threads: &[u32; 3]| {
        threads.iter().map(|n| u64::from(*n)).product::<u64>() <= u64::from(most.max(32))
    };
    // Who asks for a thread's number in the block asks for all axes; most blocks have one.
    let is_plane = uses(Axis::Y) && !uses(Axis::Z);
    let is_line = known.iter().all(|k| k[1] == 1 && k[2] == 1);
    let blocks: Vec<[u32; 3]> = match (is_known, is_plane) {
        (true, _) => known.clone(),
        (false, false) => SIZES.iter().map(|x| [*x, 1, 1]).filter(fits).collect(),
        (false, true) => [1, 2, 4, 8, 16, 32].iter().map(|y| [32, *y, 1]).filter(fits).collect(),
    };
    let of = |threads: &[u32; 3]| Shape { threads: *threads, warps: None };
    let line = |x: &u32| [*x, 1, 1];
    let odd: Vec<[u32; 3]> = match (is_known, is_plane) {
        (false, false) => ODD_SIZES.iter().map(line).filter(fits).collect(),
        // Whoever launches it elsewhere may have other blocks.
        (true, _) if is_line => {
            let others = SIZES.iter().chain(&ODD_SIZES).map(line);
            others.filter(|block| fits(block) && !known.contains(block)).collect()
        }
        _ => Vec::new(),
    };
    let asks = function
        .expressions
        .iter()
        .any(|(_, e)| matches!(e, Expression::Builtin(Builtin::BlockDim(_))));
    let block = Group {
        shapes: blocks.iter().map(of).collect(),
        odd: odd.iter().map(of).collect(),
        is_constant: !is_known && !asks,
    };
    let warp = |axis: Axis| {
        let shapes = vec![Shape { threads: [32, 1, 1], warps: Some(axis) }];
        Group { shapes, odd: Vec::new(), is_constant: false }
    };
    let mut groups = Vec::new();
    let is_whole = !is_known || known.iter().all(|k| k[0] * k[1] * k[2] % 32 == 0);
    if !is_plane && (!uses(Axis::Y) || is_line) || is_known && is_line {
        let flat = !is_known || is_line;
        groups.push(block);
        if is_whole && flat {
            groups.push(warp(Axis::X));
        }
    } else {
        groups.push(block);
        let is_wide = !is_known || known.iter().all(|k| k[0] == 32 && k[2] == 1);
        if is_wide && !uses(Axis::Z) {
            groups.push(warp(Axis::Y));
        }
    }
    groups
}
