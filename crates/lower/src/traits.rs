//! Properties of types that the standard library asks the compiler for.

use port_hir::Builtin;

use crate::check::Checker;
use crate::context::ClassSource;
use crate::ty::{Kind, Type, is_signed, make_signed, make_unsigned};
use crate::typed::{Expr, ExprKind};

/// The answer of `__is_…(T, U)`; `None` for a predicate that is not known.
pub(crate) fn builtin(checker: &mut Checker<'_, '_>, name: &str, types: &[Type]) -> Option<bool> {
    let first = *types.first()?;
    let second = types.get(1).copied();
    let kind = checker.cx.types.kind(first).clone();
    Some(match name {
        "__is_same" | "__is_same_as" => first == second?,
        "__builtin_types_compatible_p" => first.same(second?),
        "__is_integral" => checker.cx.types.is_integral(first),
        "__is_floating_point" => {
            matches!(kind, Kind::Builtin(Builtin::Float | Builtin::Double | Builtin::LongDouble))
        }
        "__is_arithmetic" => checker.cx.types.is_arithmetic(first),
        "__is_signed" => match kind {
            Kind::Builtin(builtin) if builtin.is_integer() => is_signed(builtin),
            Kind::Builtin(Builtin::Float | Builtin::Double | Builtin::LongDouble) => true,
            _ => false,
        },
        "__is_unsigned" => {
            matches!(kind, Kind::Builtin(builtin) if builtin.is_integer() && !is_signed(builtin))
        }
        "__is_scalar" => {
            matches!(kind, Kind::Pointer(_) | Kind::Enum(_) | Kind::MemberPointer(..))
                || matches!(kind, Kind::Builtin(builtin) if builtin != Builtin::Void)
        }
        "__is_void" => checker.cx.types.is_void(first),
        "__is_enum" => matches!(kind, Kind::Enum(_)),
        "__is_class" => match kind {
            Kind::Class(class) => !checker.cx.class(class).union,
            Kind::Narrow(_) | Kind::Vector { .. } | Kind::Fragment(_) => true,
            _ => false,
        },
        "__is_union" => matches!(kind, Kind::Class(class) if checker.cx.class(class).union),
        "__is_pointer" => matches!(kind, Kind::Pointer(_)),
        "__is_array" => matches!(kind, Kind::Array(..)),
        "__is_reference" => checker.cx.types.is_reference(first),
        "__is_lvalue_reference" => matches!(kind, Kind::LValueReference(_)),
        "__is_rvalue_reference" => matches!(kind, Kind::RValueReference(_)),
        "__is_const" => checker.is_constant_type(first),
        "__is_volatile" => first.volatile,
        "__is_trivially_copyable"
        | "__is_trivial"
        | "__is_pod"
        | "__is_standard_layout"
        | "__has_trivial_copy" => trivially_copyable(checker, first, 0),
        "__is_empty" => match kind {
            Kind::Class(class) => {
                checker.complete(class);
                checker.is_empty_class(class)
            }
            _ => false,
        },
        "__is_base_of" => {
            let second = second?;
            first.same(second) && matches!(kind, Kind::Class(_))
                || checker.base_distance(second, first).is_some()
        }
        "__is_convertible" | "__is_convertible_to" => {
            let to = second?;
            let referee = checker.cx.types.strip_reference(first);
            let lvalue = matches!(kind, Kind::LValueReference(_));
            let origin = port_diag::Origin::plain(port_diag::Span::new(port_diag::FileId(0), 0, 0));
            let value = if lvalue {
                Expr::place(ExprKind::Undefined, referee, origin)
            } else {
                Expr::value(ExprKind::Undefined, referee, origin)
            };
            checker.cx.types.is_void(to) || checker.conversion(&value, to).is_some()
        }
        _ => return None,
    })
}

fn trivially_copyable(checker: &mut Checker<'_, '_>, ty: Type, depth: u32) -> bool {
    if depth > 32 {
        return false;
    }
    match *checker.cx.types.kind(ty) {
        Kind::Array(element, _) => trivially_copyable(checker, element, depth + 1),
        Kind::LValueReference(_) | Kind::RValueReference(_) | Kind::Function(_) => false,
        Kind::Class(class) => {
            checker.complete(class);
            let entry = checker.cx.class(class);
            let fields: Vec<Type> = entry.fields.iter().map(|field| field.ty).collect();
            if let ClassSource::Record(record) = entry.source {
                let hir = checker.cx.hir(entry.environment.unit);
                let special = hir.records[record].methods.iter().any(|id| {
                    let function = &hir.functions[*id];
                    matches!(function.body, port_hir::Body::Block(_))
                        && matches!(function.kind, port_hir::FunctionKind::Destructor)
                });
                if special {
                    return false;
                }
            }
            let object = checker.class_type(class);
            let origin = port_diag::Origin::plain(port_diag::Span::new(port_diag::FileId(0), 0, 0));
            let value = Expr::place(ExprKind::Undefined, object.with_const(), origin);
            checker.copy_constructor(class, &value).is_none()
                && fields.into_iter().all(|field| trivially_copyable(checker, field, depth + 1))
        }
        _ => true,
    }
}

/// The type that one of the library's own templates (`__port_decay<T>`) stands for.
pub(crate) fn transform(checker: &mut Checker<'_, '_>, name: &str, ty: Type) -> Option<Type> {
    Some(match name {
        "__port_decay" => checker.decayed(ty),
        "__port_make_unsigned" | "__port_make_signed" => {
            let unsigned = name == "__port_make_unsigned";
            let from = match *checker.cx.types.kind(ty) {
                Kind::Enum(id) => checker.cx.enumeration(id).underlying,
                _ => ty,
            };
            let builtin = checker.cx.types.builtin(from)?;
            let builtin = if unsigned { make_unsigned(builtin) } else { make_signed(builtin) };
            Type::builtin(builtin).qualified_as(ty)
        }
        "__port_underlying_type" => match *checker.cx.types.kind(ty) {
            Kind::Enum(id) => checker.cx.enumeration(id).underlying,
            _ => return None,
        },
        _ => return None,
    })
}
