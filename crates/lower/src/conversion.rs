//! Implicit conversions: whether there is one, how good it is, and making it.

use std::cmp::Ordering;

use port_diag::Origin;
use port_hir::{Builtin, FunctionKind};

use crate::check::Checker;
use crate::context::{ClassId, ClassSource, Completion, FunctionInstanceId};
use crate::findings::NoConversion;
use crate::overload::{CallArgument, Candidate};
use crate::ty::{Kind, Type, builtin_size, integer_rank, is_signed};
use crate::typed::{Category, Expr, ExprKind};
use crate::value::Value;

/// How good a conversion is; the better ones are smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    Exact,
    Promotion,
    Conversion,
    /// By a constructor or conversion function.
    User,
    /// To the `...` of C.
    Ellipsis,
}

/// An implicit conversion sequence, as far as overload resolution compares it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conversion {
    pub(crate) rank: Rank,
    /// Of a user conversion, what follows it.
    second: Rank,
    /// Of a pointer to `bool`.
    to_bool: bool,
    /// How far a base class is, or more for `void *`.
    distance: u32,
    /// Whether the pointee or referee gets qualifiers.
    qualifies: bool,
    reference: Option<Reference>,
}

/// A reference that is bound.
#[derive(Clone, Copy, Debug)]
struct Reference {
    rvalue: bool,
    to_rvalue: bool,
    constant: bool,
}

impl Conversion {
    const EXACT: Conversion = Conversion {
        rank: Rank::Exact,
        second: Rank::Exact,
        to_bool: false,
        distance: 0,
        qualifies: false,
        reference: None,
    };
    pub(crate) const ELLIPSIS: Conversion = Conversion::ranked(Rank::Ellipsis);

    const fn ranked(rank: Rank) -> Conversion {
        Conversion { rank, ..Conversion::EXACT }
    }

    const fn user(second: Rank) -> Conversion {
        Conversion { rank: Rank::User, second, ..Conversion::EXACT }
    }

    /// `Less` if `self` is the better one.
    pub(crate) fn compare(&self, other: &Conversion) -> Ordering {
        let by_rank = self.rank.cmp(&other.rank).then(self.second.cmp(&other.second));
        let by_reference = match (self.reference, other.reference) {
            (Some(a), Some(b)) if a.to_rvalue && b.to_rvalue && a.rvalue != b.rvalue => {
                b.rvalue.cmp(&a.rvalue)
            }
            (Some(a), Some(b)) => a.constant.cmp(&b.constant),
            _ => Ordering::Equal,
        };
        by_rank
            .then(self.to_bool.cmp(&other.to_bool))
            .then(self.distance.cmp(&other.distance))
            .then(by_reference)
            .then(self.qualifies.cmp(&other.qualifies))
    }
}

/// `void *` is further than any base.
const VOID_DISTANCE: u32 = 1000;

impl Checker<'_, '_> {
    /// The conversion of an argument to a parameter's type.
    pub(crate) fn argument_conversion(
        &mut self,
        argument: &CallArgument,
        to: Type,
    ) -> Option<Conversion> {
        match argument {
            CallArgument::Expr(expr) => self.conversion(expr, to),
            CallArgument::Braced(list) => {
                let target = self.cx.types.strip_reference(to);
                let unit_list = *list;
                self.attempt(|checker| checker.initialise_from_list(unit_list, target))
                    .filter(|made| made.poison_code().is_none())
                    .map(|_| Conversion::user(Rank::Conversion))
            }
        }
    }

    /// The conversion of an expression to a type; `None` if there is none.
    pub(crate) fn conversion(&mut self, from: &Expr, to: Type) -> Option<Conversion> {
        if from.ty.is_unknown() || to.is_unknown() {
            return Some(Conversion::EXACT);
        }
        match *self.cx.types.kind(to) {
            Kind::LValueReference(referee) => self.reference_conversion(from, referee, false),
            Kind::RValueReference(referee) => self.reference_conversion(from, referee, true),
            _ => self.value_conversion(from, to),
        }
    }

    fn reference_conversion(&mut self, from: &Expr, to: Type, rvalue: bool) -> Option<Conversion> {
        let to_rvalue = from.category != Category::LValue;
        let reference = Some(Reference { rvalue, to_rvalue, constant: to.constant });
        if let ExprKind::Overload(set) = &from.kind {
            let set = set.clone();
            let pointer = self.cx.types.pointer(to);
            let target =
                if matches!(self.cx.types.kind(to), Kind::Function(_)) { pointer } else { to };
            return self.overload_conversion(&set, target);
        }
        if let Some(qualifies) = self.similar_arrays(from.ty, to) {
            let constant = self.is_constant_type(to);
            let binds = if rvalue { to_rvalue } else { !to_rvalue || constant };
            let reference = Some(Reference { rvalue, to_rvalue, constant });
            return binds.then_some(Conversion { qualifies, reference, ..Conversion::EXACT });
        }
        let same = from.ty.same(to);
        let distance = if same { Some(0) } else { self.base_distance(from.ty, to) };
        if let Some(distance) = distance
            && to.at_least_as_qualified(from.ty)
        {
            let binds =
                if rvalue { to_rvalue } else { !to_rvalue || (to.constant && !to.volatile) };
            if !binds {
                return None;
            }
            let rank = if distance == 0 { Rank::Exact } else { Rank::Conversion };
            let qualifies = !from.ty.at_least_as_qualified(to);
            return Some(Conversion { distance, qualifies, reference, ..Conversion::ranked(rank) });
        }
        if distance.is_some() {
            return None;
        }
        // Another type: a temporary is made, which only some references bind to.
        if !rvalue && (!to.constant || to.volatile) {
            return None;
        }
        let reference = Some(Reference { rvalue, to_rvalue: true, constant: to.constant });
        self.value_conversion(from, to).map(|made| Conversion { reference, ..made })
    }

    /// Whether an array is another one with more qualifiers of its elements; `Some(true)` if they
    /// are more.
    fn similar_arrays(&self, from: Type, to: Type) -> Option<bool> {
        match (self.cx.types.kind(from), self.cx.types.kind(to)) {
            (Kind::Array(a, n), Kind::Array(b, m)) if n == m => {
                if matches!(self.cx.types.kind(*a), Kind::Array(..)) {
                    return self.similar_arrays(*a, *b);
                }
                (a.same(*b) && b.at_least_as_qualified(*a)).then(|| !a.at_least_as_qualified(*b))
            }
            _ => None,
        }
    }

    /// How many steps up `to` is from `from`; `None` if it is no base.
    pub(crate) fn base_distance(&mut self, from: Type, to: Type) -> Option<u32> {
        let from = self.cx.types.class(from)?;
        let to = self.cx.types.class(to)?;
        self.class_distance(from, to, 0)
    }

    fn class_distance(&mut self, from: ClassId, to: ClassId, depth: u32) -> Option<u32> {
        if from == to {
            return Some(0);
        }
        if depth > 32 {
            return None;
        }
        self.complete(from);
        let bases: Vec<ClassId> = self.cx.class(from).bases.iter().map(|base| base.class).collect();
        bases
            .into_iter()
            .filter_map(|base| self.class_distance(base, to, depth + 1))
            .min()
            .map(|distance| distance + 1)
    }

    /// The type to which small integers and unscoped enumerations promote.
    pub(crate) fn promoted(&self, ty: Type) -> Type {
        let builtin = match *self.cx.types.kind(ty) {
            Kind::Builtin(builtin) if builtin.is_integer() => builtin,
            Kind::Enum(id) => {
                let enumeration = self.cx.enumeration(id);
                if enumeration.scoped {
                    return ty.unqualified();
                }
                let int = |value: &i128| i32::try_from(*value).is_ok();
                if !enumeration.fixed && enumeration.values.iter().flatten().all(int) {
                    return Type::INT;
                }
                return self.promoted(enumeration.underlying);
            }
            _ => return ty.unqualified(),
        };
        if matches!(builtin, Builtin::WideChar) {
            return Type::INT;
        }
        if matches!(builtin, Builtin::Char32) {
            return Type::UINT;
        }
        if integer_rank(builtin) < integer_rank(Builtin::Int) {
            return Type::INT;
        }
        ty.unqualified()
    }

    fn value_conversion(&mut self, from: &Expr, to: Type) -> Option<Conversion> {
        if let ExprKind::Overload(set) = &from.kind {
            let set = set.clone();
            return self.overload_conversion(&set, to);
        }
        let zero = is_zero_literal(from);
        let ty = self.decayed(from.ty);
        if let Some(standard) = self.standard_conversion(ty, to, zero) {
            return Some(standard);
        }
        self.user_conversion(from, to).map(|(_, second)| Conversion::user(second))
    }

    fn overload_conversion(
        &mut self,
        set: &std::rc::Rc<crate::overload::OverloadSet>,
        to: Type,
    ) -> Option<Conversion> {
        let set = set.clone();
        self.attempt(|checker| checker.function_for(&set, to)).flatten().map(|_| Conversion::EXACT)
    }

    /// A conversion that no constructor and no conversion function takes part in. Half and the like
    /// are classes in C++: what converts them ranks as a user's conversion.
    pub(crate) fn standard_conversion(
        &mut self,
        from: Type,
        to: Type,
        zero: bool,
    ) -> Option<Conversion> {
        if from.same(to) {
            return Some(Conversion::EXACT);
        }
        let types = &self.cx.types;
        match (types.kind(from).clone(), types.kind(to).clone()) {
            (Kind::Unknown, _) | (_, Kind::Unknown) => Some(Conversion::EXACT),
            // Host code gives streams and the like in many ways.
            (_, Kind::Opaque(_)) if self.cx.host => Some(Conversion::ranked(Rank::Conversion)),
            (Kind::Builtin(a), Kind::Builtin(b)) => self.builtin_conversion(a, b),
            (Kind::Enum(id), Kind::Builtin(b)) => {
                if self.cx.enumeration(id).scoped
                    || matches!(b, Builtin::Void | Builtin::NullPointer)
                {
                    return None;
                }
                let rank =
                    if self.promoted(from).same(to) { Rank::Promotion } else { Rank::Conversion };
                Some(Conversion::ranked(rank))
            }
            (Kind::Pointer(_) | Kind::MemberPointer(..), Kind::Builtin(Builtin::Bool)) => {
                Some(Conversion { to_bool: true, ..Conversion::ranked(Rank::Conversion) })
            }
            (Kind::Builtin(Builtin::NullPointer), Kind::Pointer(_) | Kind::MemberPointer(..)) => {
                Some(Conversion::ranked(Rank::Conversion))
            }
            (Kind::Builtin(a), Kind::Pointer(_) | Kind::MemberPointer(..))
                if zero && a.is_integer() =>
            {
                Some(Conversion::ranked(Rank::Conversion))
            }
            (Kind::Pointer(a), Kind::Pointer(b)) => self.pointer_conversion(a, b),
            (Kind::Narrow(_), Kind::Builtin(b)) => match b {
                Builtin::Void | Builtin::NullPointer => None,
                // By `operator float`, and on from there.
                Builtin::Float => Some(Conversion::user(Rank::Exact)),
                Builtin::Double => Some(Conversion::user(Rank::Promotion)),
                _ => Some(Conversion::user(Rank::Conversion)),
            },
            (Kind::Builtin(a), Kind::Narrow(_))
                if !matches!(a, Builtin::Void | Builtin::NullPointer) =>
            {
                Some(Conversion::user(if a == Builtin::Float {
                    Rank::Exact
                } else {
                    Rank::Conversion
                }))
            }
            (Kind::Narrow(_), Kind::Narrow(_)) => Some(Conversion::user(Rank::Conversion)),
            (Kind::Builtin(a), Kind::Vector { dim3: true, .. }) if a.is_integer() => {
                Some(Conversion::user(Rank::Conversion))
            }
            (Kind::Enum(id), Kind::Vector { dim3: true, .. })
                if !self.cx.enumeration(id).scoped =>
            {
                Some(Conversion::user(Rank::Conversion))
            }
            (
                Kind::Vector { element: a, count: 3, .. },
                Kind::Vector { element: b, count: 3, .. },
            ) if a == b => Some(Conversion::user(Rank::Exact)),
            (Kind::Class(_), Kind::Class(_)) => {
                let distance = self.base_distance(from, to)?;
                Some(Conversion { distance, ..Conversion::ranked(Rank::Conversion) })
            }
            _ => None,
        }
    }

    fn builtin_conversion(&self, from: Builtin, to: Builtin) -> Option<Conversion> {
        let none = |b| matches!(b, Builtin::Void | Builtin::NullPointer);
        if none(to) {
            return None;
        }
        if none(from) {
            // nullptr converts to bool, by direct initialisation only; the difference matters little.
            let null = from == Builtin::NullPointer && to == Builtin::Bool;
            return null.then_some(Conversion::ranked(Rank::Conversion));
        }
        let promotion = (from.is_integer()
            && self.promoted(Type::builtin(from)).same(Type::builtin(to)))
            || (from == Builtin::Float && to == Builtin::Double);
        Some(Conversion::ranked(if promotion { Rank::Promotion } else { Rank::Conversion }))
    }

    fn pointer_conversion(&mut self, from: Type, to: Type) -> Option<Conversion> {
        if from.is_unknown() || to.is_unknown() {
            return Some(Conversion::EXACT);
        }
        if !to.at_least_as_qualified(from) {
            return None;
        }
        let qualifies = from.constant != to.constant || from.volatile != to.volatile;
        if from.same(to) {
            return Some(Conversion { qualifies, ..Conversion::EXACT });
        }
        if self.cx.types.is_void(to) {
            let distance = VOID_DISTANCE;
            return Some(Conversion {
                qualifies,
                distance,
                ..Conversion::ranked(Rank::Conversion)
            });
        }
        if let Some(distance) = self.base_distance(from, to) {
            return Some(Conversion {
                qualifies,
                distance,
                ..Conversion::ranked(Rank::Conversion)
            });
        }
        // `T **` to `T *const *`, arrays of unknown size, and the like.
        match (self.cx.types.kind(from).clone(), self.cx.types.kind(to).clone()) {
            (Kind::Pointer(a), Kind::Pointer(b)) if a.same(b) && b.at_least_as_qualified(a) => {
                Some(Conversion { qualifies: true, ..Conversion::EXACT })
            }
            (Kind::Array(a, _), Kind::Array(b, None)) if a.same(b) => Some(Conversion::EXACT),
            (Kind::Array(a, n), Kind::Array(b, m))
                if n == m && a.same(b) && b.at_least_as_qualified(a) =>
            {
                Some(Conversion { qualifies: true, ..Conversion::EXACT })
            }
            _ => None,
        }
    }

    /// The constructor or conversion function that converts, and the rank of what follows it.
    fn user_conversion(&mut self, from: &Expr, to: Type) -> Option<(UserConversion, Rank)> {
        if self.cx.in_user_conversion {
            // One user conversion at most takes part in a sequence.
            return None;
        }
        self.cx.in_user_conversion = true;
        let found = self.find_user_conversion(from, to);
        self.cx.in_user_conversion = false;
        found
    }

    fn find_user_conversion(&mut self, from: &Expr, to: Type) -> Option<(UserConversion, Rank)> {
        if let Some(class) = self.cx.types.class(to) {
            let arguments = [CallArgument::Expr(from.clone())];
            let found = self.attempt(|checker| checker.constructor(class, &arguments, false));
            if let Some(Some(constructor)) = found {
                return Some((UserConversion::Constructor(constructor), Rank::Exact));
            }
        }
        let class = self.cx.types.class(from.ty)?;
        let mut best: Option<(FunctionInstanceId, Conversion)> = None;
        for candidate in self.conversion_functions(class, 0) {
            let hir = self.cx.hir(candidate.environment.unit);
            let function = &hir.functions[candidate.function];
            if function.qualifiers.explicit || function.template_parameters.is_some() {
                continue;
            }
            if from.ty.constant && !function.qualifiers.const_this {
                continue;
            }
            let Some(Some(instance)) =
                self.attempt(|checker| checker.function_instance(&candidate, None))
            else {
                continue;
            };
            let result = self.cx.function(instance).signature.result;
            let found = self.cx.types.strip_reference(result);
            let value = Expr::value(ExprKind::Undefined, found, from.origin);
            let Some(second) = self.conversion(&value, to) else { continue };
            let better =
                best.as_ref().is_none_or(|(_, known)| second.compare(known) == Ordering::Less);
            if better {
                best = Some((instance, second));
            }
        }
        best.map(|(instance, second)| (UserConversion::Function(instance), second.rank))
    }

    /// The conversion functions of a class and its bases.
    pub(crate) fn conversion_functions(&mut self, class: ClassId, depth: u32) -> Vec<Candidate> {
        self.complete(class);
        let entry = self.cx.class(class);
        let environment = entry.environment.clone();
        let bases: Vec<ClassId> = entry.bases.iter().map(|base| base.class).collect();
        let mut found = Vec::new();
        if let ClassSource::Record(record) = entry.source {
            let hir = self.cx.hir(environment.unit);
            for id in &hir.records[record].methods {
                if matches!(hir.functions[*id].kind, FunctionKind::Conversion(_)) {
                    let environment = environment.clone();
                    found.push(Candidate { function: *id, environment, class: Some(class) });
                }
            }
        }
        if depth < 32 {
            for base in bases {
                found.extend(self.conversion_functions(base, depth + 1));
            }
        }
        found
    }

    // Making conversions.

    /// A place's value; arrays become pointers to their first element, functions pointers to
    /// themselves.
    pub(crate) fn rvalue(&mut self, expr: Expr) -> Expr {
        let origin = expr.origin;
        if let ExprKind::Overload(set) = &expr.kind {
            let set = set.clone();
            return match self.only_function(&set) {
                Some(function) => {
                    let ty = self.function_type(function);
                    let ty = self.cx.types.pointer(ty);
                    Expr::value(ExprKind::Function(function), ty, origin)
                }
                None => {
                    let name = set.name.as_str().to_string();
                    let arguments = "?".to_string();
                    self.fail(origin, crate::findings::AmbiguousCall { name, arguments })
                }
            };
        }
        if let Kind::Array(element, _) = *self.cx.types.kind(expr.ty) {
            let place = if expr.is_place() { expr } else { self.materialised(expr) };
            let ty = self.cx.types.pointer(element);
            return Expr::value(ExprKind::Decay(Box::new(place)), ty, origin);
        }
        if let Kind::Function(_) = self.cx.types.kind(expr.ty) {
            let ty = self.cx.types.pointer(expr.ty);
            return Expr::value(ExprKind::AddressOf(Box::new(expr)), ty, origin);
        }
        if !expr.is_place() {
            return expr;
        }
        let ty = expr.ty;
        match expr.kind {
            // One of two places, read: one of two values.
            ExprKind::Conditional { condition, then, otherwise } if self.is_scalar(ty) => {
                let then = Box::new(self.rvalue(*then));
                let otherwise = Box::new(self.rvalue(*otherwise));
                let kind = ExprKind::Conditional { condition, then, otherwise };
                Expr::value(kind, ty, origin)
            }
            ExprKind::Poison(_) => Expr { category: Category::Value, ..expr },
            // A variable whose value is known may be used where it has no storage.
            ExprKind::Variable(id) if !ty.volatile => {
                let variable = self.body.variables.get(id.index());
                match variable.and_then(|variable| variable.constant.clone()) {
                    Some(value) if self.is_scalar(ty) && representable(&value) => {
                        Expr::value(ExprKind::Constant(value), ty, origin)
                    }
                    _ => Expr::value(ExprKind::Load(Box::new(expr)), ty, origin),
                }
            }
            ExprKind::Global(id) if !ty.volatile => {
                let global = self.cx.global(id);
                match &global.value {
                    Some(value) if global.fixed && self.is_scalar(ty) && representable(value) => {
                        Expr::value(ExprKind::Constant(value.clone()), ty, origin)
                    }
                    _ => Expr::value(ExprKind::Load(Box::new(expr)), ty, origin),
                }
            }
            _ => Expr::value(ExprKind::Load(Box::new(expr)), ty, origin),
        }
    }

    /// The value of an operand of arithmetic. A bit-field whose values `int` can hold promotes to
    /// `int`, whatever its declared type.
    pub(crate) fn operand(&mut self, expr: Expr) -> Expr {
        let narrow = self.is_narrow_bit_field(&expr);
        let value = self.rvalue(expr);
        if narrow && self.cx.types.is_integral(value.ty) {
            return self.convert_standard(value, Type::INT);
        }
        value
    }

    /// Whether a place is a bit-field that promotes to `int`.
    pub(crate) fn is_narrow_bit_field(&self, expr: &Expr) -> bool {
        let ExprKind::Member { object, field } = &expr.kind else { return false };
        let Some(class) = self.cx.types.class(object.ty) else { return false };
        let part = self.cx.class(class).fields.get(*field as usize);
        let signed = |ty| self.cx.types.builtin(ty).is_some_and(is_signed);
        part.and_then(|part| part.bits.map(|bits| (bits, part.ty)))
            .is_some_and(|(bits, ty)| bits < 32 || bits == 32 && signed(ty))
    }

    /// Whether the type is a number, enumeration or pointer.
    pub(crate) fn is_scalar(&self, ty: Type) -> bool {
        matches!(
            self.cx.types.kind(ty),
            Kind::Builtin(_) | Kind::Narrow(_) | Kind::Enum(_) | Kind::Pointer(_)
        )
    }

    /// A value in memory.
    pub(crate) fn materialised(&mut self, expr: Expr) -> Expr {
        let (ty, origin) = (expr.ty, expr.origin);
        Expr { kind: ExprKind::Materialise(Box::new(expr)), ty, category: Category::XValue, origin }
    }

    /// The expression as a value of the type, or bound to the reference (then the value is the
    /// pointer). Reports if there is no conversion.
    pub(crate) fn convert(&mut self, expr: Expr, to: Type) -> Expr {
        if expr.ty.is_unknown() {
            return match expr.poison_code() {
                Some(code) => Expr::poison(code, expr.origin),
                None => Expr::poison(crate::findings::UNKNOWN_TYPE, expr.origin),
            };
        }
        match *self.cx.types.kind(to) {
            Kind::Unknown => Expr::poison(crate::findings::UNKNOWN_TYPE, expr.origin),
            Kind::LValueReference(referee) => self.bind_reference(expr, referee, false),
            Kind::RValueReference(referee) => self.bind_reference(expr, referee, true),
            _ => self.convert_value(expr, to.unqualified()),
        }
    }

    /// A pointer to what a reference of the type refers to.
    fn bind_reference(&mut self, expr: Expr, referee: Type, rvalue: bool) -> Expr {
        let origin = expr.origin;
        let pointer = self.cx.types.pointer(referee);
        if let ExprKind::Overload(set) = &expr.kind {
            let set = set.clone();
            let target = if matches!(self.cx.types.kind(referee), Kind::Function(_)) {
                pointer
            } else {
                referee
            };
            return match self.function_for(&set, target) {
                Some(function) => Expr::value(ExprKind::Function(function), target, origin),
                None => self.no_conversion(expr.ty, referee, origin),
            };
        }
        if self.reference_conversion(&expr, referee, rvalue).is_none() {
            return self.no_conversion(expr.ty, referee, origin);
        }
        let place = if self.similar_arrays(expr.ty, referee).is_some() {
            let place = if expr.is_place() { expr } else { self.materialised(expr) };
            Expr { ty: referee, ..place }
        } else if expr.ty.same(referee) {
            if expr.is_place() { expr } else { self.materialised(expr) }
        } else if self.base_distance(expr.ty, referee).is_some() {
            let place = if expr.is_place() { expr } else { self.materialised(expr) };
            self.base_part(place, referee)
        } else {
            let value = self.convert_value(expr, referee.unqualified());
            self.materialised(value)
        };
        self.address_of(place, pointer)
    }

    /// The address of a place, as a pointer of this type.
    pub(crate) fn address_of(&mut self, place: Expr, pointer: Type) -> Expr {
        let origin = place.origin;
        match place.kind {
            ExprKind::Poison(code) => Expr::poison(code, origin),
            // &*p is p.
            ExprKind::Deref(inner) => {
                Expr { ty: pointer.unqualified(), category: Category::Value, ..*inner }
            }
            _ => Expr::value(ExprKind::AddressOf(Box::new(place)), pointer, origin),
        }
    }

    /// The base class's part of an object.
    pub(crate) fn base_part(&mut self, object: Expr, base: Type) -> Expr {
        let Some(to) = self.cx.types.class(base) else { return object };
        let mut object = object;
        for _ in 0..33 {
            let Some(from) = self.cx.types.class(object.ty) else { break };
            if from == to {
                break;
            }
            let bases: Vec<ClassId> =
                self.cx.class(from).bases.iter().map(|base| base.class).collect();
            let step = bases.iter().position(|base| self.class_distance(*base, to, 0).is_some());
            let Some(step) = step else { break };
            let ty = self.class_type(bases[step]).qualified_as(object.ty);
            let (category, origin) = (object.category, object.origin);
            let kind = ExprKind::Base { object: Box::new(object), base: step as u32 };
            object = Expr { kind, ty, category, origin };
        }
        object
    }

    pub(crate) fn no_conversion(&mut self, from: Type, to: Type, origin: Origin) -> Expr {
        // What is wrong with a class has been said.
        for ty in [from, to] {
            let ty = self.cx.types.pointee(ty).unwrap_or(ty);
            let ty = self.cx.types.strip_reference(ty);
            if let Some(class) = self.cx.types.class(ty)
                && let Completion::Failed(code) = self.cx.class(class).completion
            {
                self.cx.failures += 1;
                return Expr::poison(code, origin);
            }
        }
        let (from, to) = (self.cx.type_name(from), self.cx.type_name(to));
        self.fail(origin, NoConversion { from, to })
    }

    fn convert_value(&mut self, expr: Expr, to: Type) -> Expr {
        let origin = expr.origin;
        if let ExprKind::Overload(set) = &expr.kind {
            let set = set.clone();
            return match self.function_for(&set, to) {
                Some(function) => Expr::value(ExprKind::Function(function), to, origin),
                None => self.no_conversion(expr.ty, to, origin),
            };
        }
        if self.cx.types.class(to).is_some() {
            return self.convert_to_class(expr, to);
        }
        let zero = is_zero_literal(&expr);
        let decayed = self.decayed(expr.ty);
        if self.standard_conversion(decayed, to, zero).is_some() {
            let value = self.rvalue(expr);
            return self.convert_standard(value, to);
        }
        match self.user_conversion(&expr, to) {
            Some((UserConversion::Function(function), _)) => {
                let result = self.call_conversion(expr, function);
                self.convert_value(result, to)
            }
            _ => self.no_conversion(expr.ty, to, origin),
        }
    }

    fn convert_to_class(&mut self, expr: Expr, to: Type) -> Expr {
        let origin = expr.origin;
        if expr.ty.same(to) || self.base_distance(expr.ty, to).is_some() {
            return self.copy_object(expr, to);
        }
        match self.user_conversion(&expr, to) {
            Some((UserConversion::Constructor(constructor), _)) => {
                let arguments =
                    self.convert_arguments(constructor, vec![CallArgument::Expr(expr)], origin);
                Expr::value(ExprKind::Construct { constructor, arguments }, to, origin)
            }
            Some((UserConversion::Function(function), _)) => {
                let result = self.call_conversion(expr, function);
                self.convert_value(result, to)
            }
            None => self.no_conversion(expr.ty, to, origin),
        }
    }

    /// A copy of an object of the class, or of a class derived from it.
    fn copy_object(&mut self, expr: Expr, to: Type) -> Expr {
        let origin = expr.origin;
        if !expr.is_place() && expr.ty.same(to) {
            return expr;
        }
        let Some(class) = self.cx.types.class(to) else { return expr };
        if let Some(constructor) = self.copy_constructor(class, &expr) {
            let arguments =
                self.convert_arguments(constructor, vec![CallArgument::Expr(expr)], origin);
            return Expr::value(ExprKind::Construct { constructor, arguments }, to, origin);
        }
        let object = if expr.ty.same(to) {
            expr
        } else {
            let place = if expr.is_place() { expr } else { self.materialised(expr) };
            self.base_part(place, to)
        };
        self.rvalue(object)
    }

    fn call_conversion(&mut self, object: Expr, function: FunctionInstanceId) -> Expr {
        let origin = object.origin;
        let place = if object.is_place() { object } else { self.materialised(object) };
        self.call_instance(function, Some(place), Vec::new(), origin)
    }

    /// A value of a type that converts by a standard conversion.
    pub(crate) fn convert_standard(&mut self, value: Expr, to: Type) -> Expr {
        let origin = value.origin;
        if value.ty.same(to) {
            return Expr { ty: to, ..value };
        }
        if let ExprKind::Constant(known) = &value.kind
            && let Some(known) = self.convert_constant(known.clone(), value.ty, to)
        {
            return Expr::value(ExprKind::Constant(known), to, origin);
        }
        let from = value.ty;
        let types = &self.cx.types;
        let boxed = Box::new(value);
        let kind = match (types.kind(from).clone(), types.kind(to).clone()) {
            (Kind::Pointer(_), Kind::Builtin(Builtin::Bool)) => {
                let null = Expr::value(ExprKind::Constant(Value::Null), from, origin);
                ExprKind::Compare(port_ir::CompareOp::NotEqual, boxed, Box::new(null))
            }
            (Kind::Pointer(a), Kind::Pointer(b)) => {
                return self.convert_pointer(*boxed, a, b, to);
            }
            (_, Kind::Pointer(_) | Kind::MemberPointer(..)) => ExprKind::Constant(Value::Null),
            (_, Kind::Vector { dim3: true, .. }) if types.vector_parts(from).is_none() => {
                let x = self.convert_standard(*boxed, Type::UINT);
                let one = || Some(Expr::integer(1, Type::UINT, origin));
                ExprKind::Aggregate(vec![Some(x), one(), one()])
            }
            (Kind::Vector { .. }, Kind::Vector { .. }) => return Expr { ty: to, ..*boxed },
            _ => ExprKind::Convert(boxed),
        };
        Expr::value(kind, to, origin)
    }

    fn convert_pointer(&mut self, value: Expr, from: Type, to: Type, pointer: Type) -> Expr {
        let origin = value.origin;
        let distance =
            if from.same(to) { None } else { self.base_distance(from, to).filter(|d| *d > 0) };
        let Some(_) = distance else {
            return Expr::value(ExprKind::PointerCast(Box::new(value)), pointer, origin);
        };
        let Some(target) = self.cx.types.class(to) else { return value };
        let mut value = value;
        for _ in 0..33 {
            let Some(pointee) = self.cx.types.pointee(value.ty) else { break };
            let Some(class) = self.cx.types.class(pointee) else { break };
            if class == target {
                break;
            }
            let bases: Vec<ClassId> =
                self.cx.class(class).bases.iter().map(|base| base.class).collect();
            let step = bases.iter().position(|b| self.class_distance(*b, target, 0).is_some());
            let Some(step) = step else { break };
            let ty = self.class_type(bases[step]).qualified_as(to);
            let ty = self.cx.types.pointer(ty);
            value = Expr::value(ExprKind::PointerToBase(Box::new(value), step as u32), ty, origin);
        }
        value
    }

    /// As a condition: converted to `bool`, explicit conversion functions included.
    pub(crate) fn condition(&mut self, expr: Expr) -> Expr {
        if expr.ty.is_unknown() {
            return self.convert(expr, Type::BOOL);
        }
        if let Some(class) = self.cx.types.class(expr.ty) {
            for candidate in self.conversion_functions(class, 0) {
                let hir = self.cx.hir(candidate.environment.unit);
                let function = &hir.functions[candidate.function];
                if !function.qualifiers.explicit || function.template_parameters.is_some() {
                    continue;
                }
                if let Some(instance) = self.function_instance(&candidate, None)
                    && self.cx.function(instance).signature.result.same(Type::BOOL)
                {
                    return self.call_conversion(expr, instance);
                }
            }
        }
        self.convert(expr, Type::BOOL)
    }

    /// A constant as one of another type; `None` where that has no value.
    pub(crate) fn convert_constant(&mut self, value: Value, from: Type, to: Type) -> Option<Value> {
        crate::constant::convert(self.cx, value, from, to)
    }

    /// The common type of two arithmetic operands.
    pub(crate) fn common_arithmetic(&self, left: Type, right: Type) -> Option<Type> {
        let types = &self.cx.types;
        let (left, right) = (self.promoted(left), self.promoted(right));
        if left.same(right) {
            return Some(left);
        }
        match (types.kind(left), types.kind(right)) {
            (Kind::Builtin(a), Kind::Builtin(b)) => {
                let float = |b| match b {
                    Builtin::LongDouble => 3,
                    Builtin::Double => 2,
                    Builtin::Float => 1,
                    _ => 0,
                };
                let (fa, fb) = (float(*a), float(*b));
                if fa > 0 || fb > 0 {
                    return Some(if fa >= fb { left } else { right });
                }
                Some(Type::builtin(common_integer(*a, *b)))
            }
            _ => None,
        }
    }
}

fn common_integer(a: Builtin, b: Builtin) -> Builtin {
    let (ra, rb) = (integer_rank(a), integer_rank(b));
    let (sa, sb) = (is_signed(a), is_signed(b));
    if sa == sb {
        return if ra >= rb { a } else { b };
    }
    let (signed, unsigned) = if sa { (a, b) } else { (b, a) };
    if integer_rank(unsigned) >= integer_rank(signed) {
        unsigned
    } else if builtin_size(signed) > builtin_size(unsigned) {
        signed
    } else {
        crate::ty::make_unsigned(signed)
    }
}

/// What makes a user conversion.
pub(crate) enum UserConversion {
    Constructor(FunctionInstanceId),
    Function(FunctionInstanceId),
}

/// Whether the expression is the literal 0, which is a null pointer.
fn is_zero_literal(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Constant(Value::Integer(0) | Value::Null))
}

/// Whether a constant can stand in the code by itself.
fn representable(value: &Value) -> bool {
    matches!(value, Value::Integer(_) | Value::Float(_) | Value::Null | Value::Function(_))
}
