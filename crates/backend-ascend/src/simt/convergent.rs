//! Operations that threads execute together, and atomics, in the 950's SIMT API.

use port_ir::analysis::flow::StatementId;
use port_ir::{
    AtomicOp, BarrierReduction, BarrierScope, Constant, Expression, MatrixLayout, ReduceOp, Scalar,
    ShuffleMode, Space, StatementKind, Type, Value, VoteKind,
};

use crate::code::cpp::{Level, Text, call, component};
use crate::code::types::fragment_shape;
use crate::code::{Printer, refuse};
use crate::kernel::NotTranslated;

type Done = Result<(), NotTranslated>;

/// An operation of several threads.
pub(crate) fn convergent(printer: &mut Printer<'_, '_, '_>, id: StatementId) -> Done {
    let facts = printer.facts;
    match facts.kind(id) {
        StatementKind::Barrier { scope, reduce, .. } => match (scope, reduce) {
            (BarrierScope::Block, None) => {
                printer.out.line("asc_syncthreads();");
                Ok(())
            }
            (BarrierScope::Block, Some(reduce)) => {
                barrier_count(printer, reduce.op, reduce.predicate, reduce.result)
            }
            // The lanes of a warp go in step; what they wrote is to be seen.
            (BarrierScope::Warp, _) => {
                printer.out.line("asc_threadfence_block();");
                Ok(())
            }
            _ => Err(refuse("it waits for more than a block")),
        },
        StatementKind::Shuffle { result, in_range, mode, value, lane, width, .. } => {
            shuffle(printer, *result, *in_range, *mode, *value, *lane, *width)
        }
        StatementKind::Vote { result, kind, mask, predicate } => {
            let predicate = printer.value(*predicate)?;
            let text = match (kind, some_lanes(printer, *mask)?) {
                (VoteKind::Any, None) => call("asc_any", &[truth(&predicate)]),
                (VoteKind::All, None) => call("asc_all", &[truth(&predicate)]),
                (VoteKind::Ballot, None) => call("asc_ballot", &[truth(&predicate)]),
                (VoteKind::Uniform, None) => Text::at(
                    format!("asc_all({0}) || !asc_any({0})", truth(&predicate).text),
                    Level::Or,
                ),
                (kind, Some(mask)) => {
                    let votes = format!(
                        "(asc_ballot({}) & {})",
                        truth(&predicate).text,
                        mask.in_level(Level::Unary)
                    );
                    match kind {
                        VoteKind::Any => Text::at(format!("{votes} != 0"), Level::Equality),
                        VoteKind::All => Text::at(
                            format!("{votes} == {}", mask.in_level(Level::Shift)),
                            Level::Equality,
                        ),
                        VoteKind::Uniform => Text::at(
                            format!("{votes} == 0 || {votes} == {}", mask.in_level(Level::Shift)),
                            Level::Or,
                        ),
                        VoteKind::Ballot => Text::primary(votes),
                    }
                }
            };
            let ty = printer.facts.ty(*result);
            let text = match kind {
                VoteKind::Ballot if ty != Type::U32 => {
                    let spelled = printer.spelling.value(ty)?;
                    Text::primary(format!("{spelled}({})", text.text))
                }
                VoteKind::Any | VoteKind::All if text.level == Level::Primary => {
                    Text::at(format!("{} != 0", text.text), Level::Equality)
                }
                _ => text,
            };
            printer.define(*result, &text)
        }
        StatementKind::ActiveMask { result } => {
            let spelled = printer.spelling.value(printer.facts.ty(*result))?;
            printer.define(*result, &Text::primary(format!("{spelled}(asc_activemask())")))
        }
        StatementKind::Elect { result, mask } => {
            let mask = lanes(printer, *mask)?;
            let lane = printer.spelling.helper("LaneId");
            let text = format!("({} & ((1u << {lane}()) - 1u)) == 0", mask.in_level(Level::Unary));
            printer.define(*result, &Text::at(text, Level::Equality))
        }
        StatementKind::Match { result, same, all, mask, value } => {
            let mask = lanes(printer, *mask)?;
            let value = printer.value(*value)?;
            let name = printer.spelling.helper("MatchAny");
            let found = Text::primary(format!("{name}({}, {})", mask.text, value.text));
            let spelled = printer.spelling.value(printer.facts.ty(*result))?;
            if !all {
                return printer
                    .define(*result, &Text::primary(format!("{spelled}({})", found.text)));
            }
            let equal = printer.names.fresh("equalLanes");
            printer.out.line(format!("const uint32_t {equal} = {};", found.text));
            // All agree where each finds all.
            let together = printer.names.fresh("allEqual");
            printer.out.line(format!(
                "const bool {together} = (asc_ballot({equal} == {0}) & {0}) == {0};",
                mask.in_level(Level::Unary)
            ));
            printer.define(
                *result,
                &Text::at(format!("{together} ? {equal} : 0u"), Level::Conditional),
            )?;
            match same {
                Some(same) => printer.define(*same, &Text::primary(together)),
                None => Ok(()),
            }
        }
        StatementKind::WarpReduce { result, op, mask, value } => {
            let ty = printer.facts.ty(*result);
            let Type::Scalar(scalar) = ty else {
                return Err(refuse("it reduces several words over a warp"));
            };
            let mask = lanes(printer, *mask)?;
            let value = printer.value(*value)?;
            let spelled = printer.spelling.value(ty)?;
            let op = match op {
                ReduceOp::Add => AtomicOp::Add,
                ReduceOp::Minimum => AtomicOp::Minimum,
                ReduceOp::Maximum => AtomicOp::Maximum,
                ReduceOp::And => AtomicOp::And,
                ReduceOp::Or => AtomicOp::Or,
                ReduceOp::Xor => AtomicOp::Xor,
            };
            let (a, b) = (Text::primary("a"), Text::primary("b"));
            let combined = printer.updated(op, scalar, &a, &b)?;
            let name = printer.spelling.helper("ReduceLanes");
            let text = format!(
                "{name}<{spelled}>({}, {}, []({spelled} a, {spelled} b) {{ return {}; }})",
                mask.text, value.text, combined.text
            );
            printer.define(*result, &Text::primary(text))
        }
        StatementKind::MatrixLoad { result, pointer, stride, layout } => {
            let Type::Fragment(fragment) = printer.facts.ty(*result) else { return Ok(()) };
            let (_, columns) = fragment_shape(fragment);
            let element = fragment.element.storage();
            let spelled = printer.spelling.value(Type::Scalar(element))?;
            let length = crate::code::types::fragment_length(fragment)?;
            let from = printer.typed(*pointer, Type::Scalar(element))?;
            let stride = printer.value(*stride)?;
            let name = printer.spelling.helper("LoadFragment");
            let lane = printer.spelling.helper("LaneId");
            let text = format!(
                "{name}<{columns}, {}, {spelled}, {length}>({}, uint32_t({}), {lane}())",
                by_rows(*layout),
                from.text,
                stride.text
            );
            printer.define(*result, &Text::primary(text))
        }
        StatementKind::MatrixStore { pointer, value, stride, layout } => {
            let Type::Fragment(fragment) = printer.facts.ty(*value) else { return Ok(()) };
            let (_, columns) = fragment_shape(fragment);
            let to = printer.typed(*pointer, Type::Scalar(fragment.element.storage()))?;
            let text = printer.value(*value)?;
            let stride = printer.value(*stride)?;
            let name = printer.spelling.helper("StoreFragment");
            let lane = printer.spelling.helper("LaneId");
            printer.out.line(format!(
                "{name}<{columns}, {}>({}, {}, uint32_t({}), {lane}());",
                by_rows(*layout),
                to.text,
                text.text,
                stride.text
            ));
            Ok(())
        }
        StatementKind::MatrixMultiply { result, a, b, c, saturate } => {
            if *saturate {
                return Err(refuse("it multiplies matrices with saturation"));
            }
            let Type::Fragment(fragment) = printer.facts.ty(*a) else { return Ok(()) };
            let texts = [printer.value(*a)?, printer.value(*b)?, printer.value(*c)?];
            let name = printer.spelling.helper("MultiplyFragments");
            let lane = printer.spelling.helper("LaneId");
            let text = format!(
                "{name}<{}, {}, {}>({}, {}, {}, {lane}())",
                fragment.m, fragment.n, fragment.k, texts[0].text, texts[1].text, texts[2].text
            );
            printer.define(*result, &Text::primary(text))
        }
        _ => Err(refuse("it uses an operation of several threads that has no form here")),
    }
}

fn by_rows(layout: MatrixLayout) -> bool {
    layout == MatrixLayout::RowMajor
}

/// A truth value as the integer that votes take.
fn truth(predicate: &Text) -> Text {
    predicate.clone()
}

/// The mask of an operation; `None` if it is all lanes of the warp, or those that are active.
fn some_lanes(
    printer: &mut Printer<'_, '_, '_>,
    mask: Option<Value>,
) -> Result<Option<Text>, NotTranslated> {
    let Some(mask) = mask else { return Ok(None) };
    if let Expression::Constant(Constant { bits, .. }) = printer.facts.expression(mask)
        && *bits as u32 == u32::MAX
    {
        return Ok(None);
    }
    let text = printer.value(mask)?;
    if printer.facts.ty(mask) == Type::U32 {
        return Ok(Some(text));
    }
    Ok(Some(Text::primary(format!("uint32_t({})", text.text))))
}

/// The lanes that take part.
fn lanes(printer: &mut Printer<'_, '_, '_>, mask: Option<Value>) -> Result<Text, NotTranslated> {
    Ok(some_lanes(printer, mask)?.unwrap_or_else(|| Text::primary("asc_activemask()")))
}

/// A barrier that counts, through shared memory.
fn barrier_count(
    printer: &mut Printer<'_, '_, '_>,
    op: BarrierReduction,
    predicate: Value,
    result: Value,
) -> Done {
    let predicate = printer.value(predicate)?;
    let counted = printer.names.fresh("counted");
    let counts = if op == BarrierReduction::And {
        format!("!{}", predicate.in_level(Level::Unary))
    } else {
        predicate.text.clone()
    };
    printer.out.line("asc_syncthreads();");
    printer.out.line("syncCount[0] = 0;");
    printer.out.line("asc_syncthreads();");
    printer.out.open(format!("if ({counts}) {{"));
    printer.out.line("asc_atomic_add(&syncCount[0], 1u);");
    printer.out.close("}");
    printer.out.line("asc_syncthreads();");
    printer.out.line(format!("const uint32_t {counted} = syncCount[0];"));
    let text = match op {
        BarrierReduction::Count => Text::primary(format!("int32_t({counted})")),
        BarrierReduction::And => Text::at(format!("{counted} == 0"), Level::Equality),
        BarrierReduction::Or => Text::at(format!("{counted} != 0"), Level::Equality),
    };
    printer.define(result, &text)
}

fn shuffle(
    printer: &mut Printer<'_, '_, '_>,
    result: Value,
    in_range: Option<Value>,
    mode: ShuffleMode,
    value: Value,
    lane: Value,
    width: Option<Value>,
) -> Done {
    let ty = printer.facts.ty(value);
    let name = match mode {
        ShuffleMode::Index => "asc_shfl",
        ShuffleMode::Up => "asc_shfl_up",
        ShuffleMode::Down => "asc_shfl_down",
        ShuffleMode::Xor => "asc_shfl_xor",
    };
    let mut value = printer.value(value)?;
    let lane = printer.value(lane)?;
    let full = match width {
        None => true,
        Some(width) => matches!(printer.facts.expression(width),
            Expression::Constant(it) if it.as_integer() == Some(32)),
    };
    let width = match width {
        Some(width) if !full => Some(printer.value(width)?),
        _ => None,
    };
    if let Some(in_range) = in_range
        && !printer.facts.uses[in_range.index()].is_empty()
    {
        let own = printer.spelling.helper("LaneId");
        let size =
            width.as_ref().map_or("32u".to_owned(), |text| format!("uint32_t({})", text.text));
        let by = format!("uint32_t({})", lane.text);
        let text = match mode {
            ShuffleMode::Index => "true".to_owned(),
            ShuffleMode::Up => format!("{own}() % {size} >= {by}"),
            ShuffleMode::Down => format!("{own}() % {size} + {by} < {size}"),
            ShuffleMode::Xor => {
                format!("({own}() ^ {by}) / {size} <= {own}() / {size}")
            }
        };
        printer.define(in_range, &Text::at(text, Level::Relation))?;
    }
    let tail = match &width {
        Some(width) => format!("{}, {}", lane.text, width.text),
        None => lane.text.clone(),
    };
    let text = match ty {
        Type::Scalar(scalar) => lane_value(printer, name, scalar, &value.text, &tail)?,
        Type::Vector(scalar, size) => {
            let spelled = printer.spelling.value(ty)?;
            if value.level != Level::Primary || value.text.contains('(') {
                let held = printer.names.fresh("whole");
                printer.out.line(format!("const {spelled} {held} = {};", value.text));
                value = Text::primary(held);
            }
            let mut parts = Vec::new();
            for index in 0..size.count() {
                let part = format!("{}.{}", value.text, component(index));
                parts.push(lane_value(printer, name, scalar, &part, &tail)?.text);
            }
            Text::primary(format!("{spelled}{{{}}}", parts.join(", ")))
        }
        _ => return Err(refuse("it exchanges structs between lanes")),
    };
    printer.define(result, &text)
}

/// A shuffle of a scalar: of types that the device does not shuffle, as a word.
fn lane_value(
    printer: &mut Printer<'_, '_, '_>,
    name: &str,
    scalar: Scalar,
    value: &str,
    tail: &str,
) -> Result<Text, NotTranslated> {
    let spelled = printer.spelling.value(Type::Scalar(scalar))?;
    Ok(Text::primary(match scalar {
        Scalar::I32 | Scalar::U32 | Scalar::I64 | Scalar::U64 | Scalar::F32 => {
            format!("{name}({value}, {tail})")
        }
        Scalar::F64 => {
            let (word, back) = (printer.bit_cast("uint64_t"), printer.bit_cast("Float64"));
            format!("{back}({name}({word}({value}), {tail}))")
        }
        Scalar::F16 | Scalar::Bf16 => {
            let word = printer.bit_cast("uint16_t");
            let back = printer.bit_cast(&spelled);
            format!("{back}(uint16_t({name}(uint32_t({word}({value})), {tail})))")
        }
        _ => format!("{spelled}({name}(int32_t({value}), {tail}))"),
    }))
}

/// An atomic operation.
pub(crate) fn atomic(
    printer: &mut Printer<'_, '_, '_>,
    result: Option<Value>,
    op: AtomicOp,
    pointer: Value,
    value: Value,
) -> Done {
    let ty = printer.facts.ty(value);
    let scalar = match ty {
        Type::Scalar(scalar) => scalar,
        Type::Vector(scalar, size) if op == AtomicOp::Add => {
            return atomic_parts(printer, result, pointer, value, scalar, size.count());
        }
        _ => return Err(refuse("it updates several words atomically")),
    };
    if scalar.size() == 8 && printer.is_shared(pointer) {
        if let (None, Scalar::I64 | Scalar::U64, AtomicOp::Add | AtomicOp::Subtract) =
            (result, scalar, op)
        {
            return add_in_halves(printer, op, pointer, value);
        }
        return Err(refuse("it updates 64 bits of shared memory atomically"));
    }
    let space = printer.space(pointer);
    if scalar == Scalar::F64 {
        if let AtomicOp::CompareExchange { .. } = op {
            return Err(refuse("it compares and swaps doubles"));
        }
        let place = printer.typed(pointer, Type::U64)?;
        let operand = printer.value(value)?;
        let held = printer.names.fresh("change");
        printer.out.line(format!("const Float64 {held} = {};", operand.text));
        let new = printer.updated(op, scalar, &Text::primary("old"), &Text::primary(held))?;
        let name = printer.spelling.helper("AtomicUpdate64");
        let text = format!("{name}({}, [=](Float64 old) {{ return {}; }})", place.text, new.text);
        return give(printer, result, &Text::primary(text));
    }
    if scalar.size() == 2 {
        return atomic_16(printer, result, op, pointer, value, scalar);
    }
    let place = printer.typed(pointer, ty)?;
    let operand = printer.value(value)?;
    let text = atomic_text(printer, op, scalar, space, place, operand)?;
    give(printer, result, &text)
}

/// A sum of 64 bits that nobody asks for the value from before: its halves are added one after the
/// other, the carry with the upper one. In the end the sum is whole, whatever the order of threads.
fn add_in_halves(
    printer: &mut Printer<'_, '_, '_>,
    op: AtomicOp,
    pointer: Value,
    value: Value,
) -> Done {
    let place = printer.typed(pointer, Type::U32)?;
    let operand = printer.value(value)?;
    let (at, change) = (printer.names.fresh("halves"), printer.names.fresh("change"));
    let (low, before) = (printer.names.fresh("low"), printer.names.fresh("before"));
    let sign = if op == AtomicOp::Subtract { "0 - " } else { "" };
    printer.out.line(format!("auto {at} = {};", place.text));
    printer
        .out
        .line(format!("const uint64_t {change} = {sign}static_cast<uint64_t>({});", operand.text));
    printer.out.line(format!("const uint32_t {low} = static_cast<uint32_t>({change});"));
    printer.out.line(format!("const uint32_t {before} = asc_atomic_add({at}, {low});"));
    printer.out.line(format!(
        "asc_atomic_add({at} + 1, static_cast<uint32_t>({change} >> 32) + ({before} + {low} < {low} ? 1u : 0u));"
    ));
    Ok(())
}

/// The result of an operation with an effect, if anybody asks for it.
fn give(printer: &mut Printer<'_, '_, '_>, result: Option<Value>, text: &Text) -> Done {
    match result {
        Some(result) => printer.define(result, text),
        None => {
            printer.out.line(format!("{};", text.text));
            Ok(())
        }
    }
}

/// The parts of a vector are added one by one, as CUDA does.
fn atomic_parts(
    printer: &mut Printer<'_, '_, '_>,
    result: Option<Value>,
    pointer: Value,
    value: Value,
    scalar: Scalar,
    count: u32,
) -> Done {
    let space = printer.space(pointer);
    let ty = printer.facts.ty(value);
    let spelled = printer.spelling.value(ty)?;
    let place = printer.typed(pointer, Type::Scalar(scalar))?;
    let operand = printer.value(value)?;
    let (at, held) = (printer.names.fresh("target"), printer.names.fresh("whole"));
    printer.out.line(format!("auto {at} = {};", place.text));
    printer.out.line(format!("const {spelled} {held} = {};", operand.text));
    let mut olds = Vec::new();
    for index in 0..count {
        let place = Text::at(format!("{at} + {index}"), Level::Sum);
        let part = Text::primary(format!("{held}.{}", component(index)));
        let text = if scalar.size() == 2 {
            update_16(printer, AtomicOp::Add, scalar, space, &place, &part)?
        } else {
            atomic_text(printer, AtomicOp::Add, scalar, space, place, part)?
        };
        if result.is_some() {
            let old = printer.names.fresh("old");
            printer.out.line(format!("const auto {old} = {};", text.text));
            olds.push(old);
        } else {
            printer.out.line(format!("{};", text.text));
        }
    }
    match result {
        Some(result) => {
            printer.define(result, &Text::primary(format!("{spelled}{{{}}}", olds.join(", "))))
        }
        None => Ok(()),
    }
}

/// An atomic operation on a word.
fn atomic_text(
    printer: &mut Printer<'_, '_, '_>,
    op: AtomicOp,
    scalar: Scalar,
    space: Space,
    place: Text,
    mut operand: Text,
) -> Result<Text, NotTranslated> {
    let name = match op {
        AtomicOp::Add => "asc_atomic_add",
        AtomicOp::Subtract if scalar == Scalar::F32 => "asc_atomic_add",
        AtomicOp::Subtract => "asc_atomic_sub",
        AtomicOp::Minimum => "asc_atomic_min",
        AtomicOp::Maximum => "asc_atomic_max",
        AtomicOp::And => "asc_atomic_and",
        AtomicOp::Or => "asc_atomic_or",
        AtomicOp::Xor => "asc_atomic_xor",
        AtomicOp::Exchange => "asc_atomic_exch",
        AtomicOp::CompareExchange { .. } => "asc_atomic_cas",
        AtomicOp::IncrementWrap => "asc_atomic_inc",
        AtomicOp::DecrementWrap => "asc_atomic_dec",
    };
    let fits =
        matches!(scalar, Scalar::I32 | Scalar::U32 | Scalar::F32 | Scalar::I64 | Scalar::U64);
    if !fits {
        return Err(refuse(format!(
            "it updates `{}` in memory atomically",
            crate::code::types::scalar_name(scalar)?
        )));
    }
    if op == AtomicOp::Subtract && scalar == Scalar::F32 {
        operand = Text::at(format!("-({})", operand.text), Level::Unary);
    }
    Ok(match op {
        // Bits are compared, not numbers: a NaN equals itself.
        AtomicOp::CompareExchange { expected } if scalar == Scalar::F32 => {
            let expected = printer.value(expected)?;
            let words = printer.spelling.pointer(space, Some(Type::U32))?;
            let (word, back) = (printer.bit_cast("uint32_t"), printer.bit_cast("float"));
            Text::primary(format!(
                "{back}({name}(reinterpret_cast<{words}>({}), {word}({}), {word}({})))",
                place.text, expected.text, operand.text
            ))
        }
        AtomicOp::CompareExchange { expected } => {
            let expected = printer.value(expected)?;
            call(name, &[place, expected, operand])
        }
        _ => call(name, &[place, operand]),
    })
}

/// An atomic operation on 16 bits, by the word that holds them.
fn atomic_16(
    printer: &mut Printer<'_, '_, '_>,
    result: Option<Value>,
    op: AtomicOp,
    pointer: Value,
    value: Value,
    scalar: Scalar,
) -> Done {
    if let AtomicOp::CompareExchange { .. } = op {
        return Err(refuse("it compares and swaps 16 bits"));
    }
    let space = printer.space(pointer);
    let place = printer.typed(pointer, Type::Scalar(scalar))?;
    let operand = printer.value(value)?;
    let text = update_16(printer, op, scalar, space, &place, &operand)?;
    give(printer, result, &text)
}

fn update_16(
    printer: &mut Printer<'_, '_, '_>,
    op: AtomicOp,
    scalar: Scalar,
    space: Space,
    place: &Text,
    operand: &Text,
) -> Result<Text, NotTranslated> {
    let spelled = printer.spelling.value(Type::Scalar(scalar))?;
    let words = printer.spelling.pointer(space, Some(Type::U32))?;
    let held = printer.names.fresh("change");
    printer.out.line(format!("const {spelled} {held} = {};", operand.text));
    let new = printer.updated(op, scalar, &Text::primary("old"), &Text::primary(held))?;
    let address = printer.names.fresh("address");
    printer
        .out
        .line(format!("const uint64_t {address} = reinterpret_cast<uint64_t>({});", place.text));
    let name = printer.spelling.helper("AtomicUpdate16");
    Ok(Text::primary(format!(
        "{name}<{spelled}>(reinterpret_cast<{words}>({address} & ~uint64_t(3)), \
         uint32_t({address} & 2) * 8, [=]({spelled} old) {{ return {}; }})",
        new.text
    )))
}
