//! Operators: built-in ones with their conversions, and operator functions.

use port_diag::Origin;
use port_hir::{
    BinaryOperator, Builtin, ExprId, ExprKind as Hir, Name, PostfixOperator, UnaryOperator,
};
use port_ir::CompareOp;

use crate::check::Checker;
use crate::findings::InvalidOperands;
use crate::lookup::Member;
use crate::overload::{CallArgument, Candidate, OverloadSet};
use crate::ty::{Kind, Type};
use crate::typed::{Arithmetic, Category, Expr, ExprKind, Sign};
use crate::value::Value;

impl Checker<'_, '_> {
    // One operand.

    pub(crate) fn unary(
        &mut self,
        operator: UnaryOperator,
        operand: ExprId,
        origin: Origin,
    ) -> Expr {
        if operator == UnaryOperator::AddressOf
            && let Hir::Name(name) = &self.hir().exprs[operand].kind
            && let Some(member) = self.pointer_to_member(name, origin)
        {
            return member;
        }
        let value = self.expr(operand);
        if let Some(code) = value.poison_code() {
            return Expr::poison(code, origin);
        }
        if self.is_class_like(value.ty)
            && let Some(found) =
                self.unary_function(unary_spelling(operator), &value, false, origin)
        {
            return found;
        }
        match operator {
            UnaryOperator::Plus | UnaryOperator::Minus | UnaryOperator::Complement => {
                self.sign(operator, value, origin)
            }
            UnaryOperator::Not => {
                let condition = self.condition(value);
                if condition.poison_code().is_some() {
                    return condition;
                }
                Expr::value(ExprKind::Sign(Sign::Not, Box::new(condition)), Type::BOOL, origin)
            }
            UnaryOperator::Dereference => self.dereference(value, origin),
            UnaryOperator::AddressOf => self.address(value, origin),
            UnaryOperator::Increment => self.increment(value, false, true, origin),
            UnaryOperator::Decrement => self.increment(value, true, true, origin),
            UnaryOperator::Extension => value,
        }
    }

    fn address(&mut self, value: Expr, origin: Origin) -> Expr {
        if let ExprKind::Overload(_) = value.kind {
            // A pointer to a function; which of several the target type says.
            return value;
        }
        if !value.is_place() {
            if let ExprKind::Constant(_) | ExprKind::Aggregate(_) = value.kind {
                let place = self.materialised(value);
                let ty = self.cx.types.pointer(place.ty);
                return self.address_of(place, ty);
            }
            let operands = self.cx.type_name(value.ty);
            return self.fail(origin, InvalidOperands { operator: "&".to_string(), operands });
        }
        if let Kind::Fragment(_) = self.cx.types.kind(value.ty)
            && matches!(value.kind, ExprKind::Member { .. })
        {
            return self.unsupported_here(origin, "the address of a fragment's elements");
        }
        let ty = self.cx.types.pointer(value.ty);
        self.address_of(value, ty)
    }

    fn sign(&mut self, operator: UnaryOperator, value: Expr, origin: Origin) -> Expr {
        let value = match self.cx.types.class(value.ty) {
            Some(_) => self.arithmetic_of_class(value),
            None => self.operand(value),
        };
        let promoted = self.promoted(value.ty);
        let fits = match operator {
            UnaryOperator::Complement => self.cx.types.is_integral(promoted),
            UnaryOperator::Plus => self.is_number(promoted) || self.cx.types.is_pointer(promoted),
            _ => self.is_number(promoted),
        };
        if !fits {
            let operator = unary_spelling(operator).trim_start_matches("operator").to_string();
            let operands = self.cx.type_name(value.ty);
            return self.fail(origin, InvalidOperands { operator, operands });
        }
        let value =
            if self.is_number(promoted) { self.convert_standard(value, promoted) } else { value };
        let sign = match operator {
            UnaryOperator::Plus => return value,
            UnaryOperator::Complement => Sign::Complement,
            _ => Sign::Negate,
        };
        let negated = Expr::value(ExprKind::Sign(sign, Box::new(value)), promoted, origin);
        // `-1` is a constant like any other.
        match &negated.kind {
            ExprKind::Sign(_, operand) if matches!(operand.kind, ExprKind::Constant(_)) => {
                match self.evaluate(&negated) {
                    Some(value) => Expr::value(ExprKind::Constant(value), promoted, origin),
                    None => negated,
                }
            }
            _ => negated,
        }
    }

    /// Whether arithmetic is defined for the type: numbers, and vectors of narrow floats.
    fn is_number(&self, ty: Type) -> bool {
        self.cx.types.is_arithmetic(ty) || self.cx.types.is_narrow(ty) || self.is_narrow_pair(ty)
    }

    /// `half2`, `__nv_bfloat162`: CUDA's headers define operators for them.
    fn is_narrow_pair(&self, ty: Type) -> bool {
        matches!(self.cx.types.vector_parts(ty), Some((element, _)) if self.cx.types.is_narrow(element))
    }

    pub(crate) fn postfix(
        &mut self,
        operator: PostfixOperator,
        operand: ExprId,
        origin: Origin,
    ) -> Expr {
        let value = self.expr(operand);
        let decrement = operator == PostfixOperator::Decrement;
        if let Some(code) = value.poison_code() {
            return Expr::poison(code, origin);
        }
        if self.is_class_like(value.ty) {
            let name = if decrement { "operator--" } else { "operator++" };
            if let Some(found) = self.unary_function(name, &value, true, origin) {
                return found;
            }
        }
        self.increment(value, decrement, false, origin)
    }

    fn increment(&mut self, target: Expr, decrement: bool, prefix: bool, origin: Origin) -> Expr {
        let scalar = self.is_number(target.ty) || self.cx.types.is_pointer(target.ty);
        if !target.is_place() || !scalar || self.is_narrow_pair(target.ty) {
            let operator = if decrement { "--" } else { "++" }.to_string();
            let operands = self.cx.type_name(target.ty);
            return self.fail(origin, InvalidOperands { operator, operands });
        }
        let ty = target.ty;
        let kind = ExprKind::Increment { target: Box::new(target), decrement, prefix };
        if prefix { Expr::place(kind, ty, origin) } else { Expr::value(kind, ty, origin) }
    }

    // Two operands.

    pub(crate) fn binary(
        &mut self,
        operator: BinaryOperator,
        left: ExprId,
        right: ExprId,
        origin: Origin,
    ) -> Expr {
        let left = self.expr(left);
        let right = self.expr(right);
        self.binary_of(operator, left, right, origin)
    }

    pub(crate) fn binary_of(
        &mut self,
        operator: BinaryOperator,
        left: Expr,
        right: Expr,
        origin: Origin,
    ) -> Expr {
        if let Some(code) = left.poison_code().or_else(|| right.poison_code()) {
            return Expr::poison(code, origin);
        }
        if (self.is_class_like(left.ty) || self.is_class_like(right.ty))
            && let Some(found) = self.binary_function(operator.spelling(), &left, &right, origin)
        {
            return found;
        }
        match operator {
            BinaryOperator::Comma => {
                let (ty, category) = (right.ty, right.category);
                let kind = ExprKind::Comma(Box::new(left), Box::new(right));
                Expr { kind, ty, category, origin }
            }
            BinaryOperator::LogicalAnd | BinaryOperator::LogicalOr => {
                let and = operator == BinaryOperator::LogicalAnd;
                let left = self.condition(left);
                let right = self.condition(right);
                if let Some(code) = left.poison_code().or_else(|| right.poison_code()) {
                    return Expr::poison(code, origin);
                }
                let kind = ExprKind::Logical { and, left: left.into(), right: right.into() };
                Expr::value(kind, Type::BOOL, origin)
            }
            BinaryOperator::Less => self.comparison(CompareOp::Less, operator, left, right, origin),
            BinaryOperator::Greater => {
                self.comparison(CompareOp::Greater, operator, left, right, origin)
            }
            BinaryOperator::LessEqual => {
                self.comparison(CompareOp::LessEqual, operator, left, right, origin)
            }
            BinaryOperator::GreaterEqual => {
                self.comparison(CompareOp::GreaterEqual, operator, left, right, origin)
            }
            BinaryOperator::Equal => {
                self.comparison(CompareOp::Equal, operator, left, right, origin)
            }
            BinaryOperator::NotEqual => {
                self.comparison(CompareOp::NotEqual, operator, left, right, origin)
            }
            BinaryOperator::ThreeWay => self.unsupported_here(origin, "`<=>`"),
            _ => self.arithmetic(operator, left, right, origin),
        }
    }

    fn invalid(&mut self, operator: &str, left: Type, right: Type, origin: Origin) -> Expr {
        let operands = format!("{}, {}", self.cx.type_name(left), self.cx.type_name(right));
        self.fail(origin, InvalidOperands { operator: operator.to_string(), operands })
    }

    /// An operand of class type as the number that it converts to, if it converts to one.
    fn arithmetic_of_class(&mut self, value: Expr) -> Expr {
        let Some(class) = self.cx.types.class(value.ty) else { return self.rvalue(value) };
        let mut found = None;
        for candidate in self.conversion_functions(class, 0) {
            let hir = self.cx.hir(candidate.environment.unit);
            let function = &hir.functions[candidate.function];
            if function.qualifiers.explicit || function.template_parameters.is_some() {
                continue;
            }
            let Some(instance) = self.function_instance(&candidate, None) else { continue };
            let result = self.cx.function(instance).signature.result;
            let result = self.cx.types.strip_reference(result);
            if self.is_number(result) || self.cx.types.is_pointer(result) {
                if found.is_some_and(|known: Type| !known.same(result)) {
                    return value;
                }
                found = Some(result);
            }
        }
        match found {
            Some(ty) => self.convert(value, ty.unqualified()),
            None => value,
        }
    }

    /// Both operands as values of one arithmetic type. Narrow floats count among themselves; mixed
    /// with another number they go to that number's type (the headers of frameworks define it so;
    /// CUDA's own leave it ambiguous).
    fn common_operands(&mut self, left: Expr, right: Expr) -> Option<(Expr, Expr, Type)> {
        let left = self.arithmetic_of_class(left);
        let right = self.arithmetic_of_class(right);
        let narrow = |ty| self.cx.types.is_narrow(ty);
        let common = match (narrow(left.ty), narrow(right.ty)) {
            (true, true) if left.ty.same(right.ty) => left.ty.unqualified(),
            (true, true) => Type::FLOAT,
            (true, false) if self.cx.types.is_floating(right.ty) => right.ty.unqualified(),
            (false, true) if self.cx.types.is_floating(left.ty) => left.ty.unqualified(),
            (true, false) if self.cx.types.is_arithmetic(self.promoted(right.ty)) => {
                left.ty.unqualified()
            }
            (false, true) if self.cx.types.is_arithmetic(self.promoted(left.ty)) => {
                right.ty.unqualified()
            }
            (false, false) if self.is_narrow_pair(left.ty) && left.ty.same(right.ty) => {
                left.ty.unqualified()
            }
            _ => self.common_arithmetic(left.ty, right.ty)?,
        };
        if !self.is_number(common) && !matches!(self.cx.types.kind(common), Kind::Enum(_)) {
            return None;
        }
        let left = self.convert_standard(left, common);
        let right = self.convert_standard(right, common);
        Some((left, right, common))
    }

    pub(crate) fn arithmetic(
        &mut self,
        operator: BinaryOperator,
        left: Expr,
        right: Expr,
        origin: Origin,
    ) -> Expr {
        let (left_type, right_type) = (left.ty, right.ty);
        let left = self.operand(left);
        let right = self.operand(right);
        let spelling = operator.spelling();
        let Some(op) = arithmetic_of(operator) else {
            return self.invalid(spelling, left_type, right_type, origin);
        };
        // Pointers.
        let pointers = (self.cx.types.is_pointer(left.ty), self.cx.types.is_pointer(right.ty));
        let sum = match (op, pointers) {
            (Arithmetic::Add, (true, false)) => self.pointer_add(left, right, false, origin),
            (Arithmetic::Add, (false, true)) => self.pointer_add(right, left, false, origin),
            (Arithmetic::Subtract, (true, false)) => self.pointer_add(left, right, true, origin),
            (Arithmetic::Subtract, (true, true)) => self.pointer_difference(left, right, origin),
            (_, (false, false)) => return self.arithmetic_of(op, spelling, left, right, origin),
            _ => None,
        };
        sum.unwrap_or_else(|| self.invalid(spelling, left_type, right_type, origin))
    }

    fn pointer_difference(&mut self, left: Expr, right: Expr, origin: Origin) -> Option<Expr> {
        let (a, b) = (self.cx.types.pointee(left.ty)?, self.cx.types.pointee(right.ty)?);
        if !a.same(b) {
            return None;
        }
        self.layout_of(a)?;
        let kind = ExprKind::PointerDifference(Box::new(left), Box::new(right));
        Some(Expr::value(kind, Type::LONG, origin))
    }

    fn arithmetic_of(
        &mut self,
        op: Arithmetic,
        spelling: &str,
        left: Expr,
        right: Expr,
        origin: Origin,
    ) -> Expr {
        let (left_type, right_type) = (left.ty, right.ty);
        if matches!(op, Arithmetic::ShiftLeft | Arithmetic::ShiftRight) {
            let left = self.arithmetic_of_class(left);
            let right = self.arithmetic_of_class(right);
            let (a, b) = (self.promoted(left.ty), self.promoted(right.ty));
            if !self.cx.types.is_integral(a) || !self.cx.types.is_integral(b) {
                return self.invalid(spelling, left_type, right_type, origin);
            }
            let left = self.convert_standard(left, a);
            let right = self.convert_standard(right, b);
            let kind = ExprKind::Arithmetic(op, Box::new(left), Box::new(right));
            return Expr::value(kind, a, origin);
        }
        let Some((left, right, common)) = self.common_operands(left, right) else {
            return self.invalid(spelling, left_type, right_type, origin);
        };
        let integers_only = matches!(
            op,
            Arithmetic::Remainder | Arithmetic::And | Arithmetic::Or | Arithmetic::Xor
        );
        if integers_only && !self.cx.types.is_integral(common) {
            return self.invalid(spelling, left_type, right_type, origin);
        }
        let kind = ExprKind::Arithmetic(op, Box::new(left), Box::new(right));
        Expr::value(kind, common, origin)
    }

    fn comparison(
        &mut self,
        op: CompareOp,
        operator: BinaryOperator,
        left: Expr,
        right: Expr,
        origin: Origin,
    ) -> Expr {
        let (left_type, right_type) = (left.ty, right.ty);
        let left = self.operand(left);
        let right = self.operand(right);
        let types = &self.cx.types;
        let pointer =
            |ty| matches!(types.kind(ty), Kind::Pointer(_) | Kind::Builtin(Builtin::NullPointer));
        let operands = if types.is_pointer(left.ty) || types.is_pointer(right.ty) {
            if !pointer(left.ty) && !is_null(&left) || !pointer(right.ty) && !is_null(&right) {
                None
            } else {
                let ty = if types.is_pointer(left.ty) { left.ty } else { right.ty };
                let left = self.pointer_operand(left, ty);
                let right = self.pointer_operand(right, ty);
                Some((left, right))
            }
        } else if left.ty.same(right.ty) && matches!(types.kind(left.ty), Kind::Enum(_)) {
            Some((left, right))
        } else {
            self.common_operands(left, right).map(|(left, right, _)| (left, right))
        };
        match operands {
            Some((left, right)) => {
                let kind = ExprKind::Compare(op, Box::new(left), Box::new(right));
                Expr::value(kind, Type::BOOL, origin)
            }
            None => self.invalid(operator.spelling(), left_type, right_type, origin),
        }
    }

    fn pointer_operand(&mut self, value: Expr, ty: Type) -> Expr {
        if self.cx.types.is_pointer(value.ty) {
            return value;
        }
        Expr::value(ExprKind::Constant(Value::Null), ty, value.origin)
    }

    // Assignment.

    pub(crate) fn assignment(
        &mut self,
        operator: Option<BinaryOperator>,
        target: ExprId,
        value: ExprId,
        origin: Origin,
    ) -> Expr {
        let target = self.expr(target);
        if let Some(code) = target.poison_code() {
            // The value is looked at all the same, for its own findings.
            if !matches!(self.hir().exprs[value].kind, Hir::InitList(_)) {
                self.expr(value);
            }
            return Expr::poison(code, origin);
        }
        match operator {
            None => self.plain_assignment(target, value, origin),
            Some(operator) => {
                let value = self.expr(value);
                self.compound_assignment(operator, target, value, origin)
            }
        }
    }

    fn plain_assignment(&mut self, target: Expr, value: ExprId, origin: Origin) -> Expr {
        let ty = target.ty;
        if self.cx.types.class(ty).is_some()
            && let Some(found) = self.assignment_function(&target, value, origin)
        {
            return found;
        }
        if let (Kind::Fragment(_), false) = (self.cx.types.kind(ty), target.is_place()) {
            return self.unsupported_here(origin, "this assignment to a fragment");
        }
        let value = self.initialise_from(value, ty.unqualified());
        self.assign(target, value, origin)
    }

    /// Stores a value of the target's type.
    pub(crate) fn assign(&mut self, target: Expr, value: Expr, origin: Origin) -> Expr {
        if let Some(code) = value.poison_code().or_else(|| target.poison_code()) {
            return Expr::poison(code, origin);
        }
        if !target.is_place() {
            let left = target.ty;
            return self.invalid("=", left, value.ty, origin);
        }
        let ty = target.ty;
        let kind = ExprKind::Assign { target: Box::new(target), value: Box::new(value) };
        Expr::place(kind, ty, origin)
    }

    /// A call of the user's `operator=`; `None` if assignment copies.
    fn assignment_function(
        &mut self,
        target: &Expr,
        value: ExprId,
        origin: Origin,
    ) -> Option<Expr> {
        let class = self.cx.types.class(target.ty)?;
        let Some(Member::Functions(candidates)) = self.find_member(class, Name::new("operator="))
        else {
            return None;
        };
        let candidates: Vec<Candidate> = candidates
            .into_iter()
            .filter(|candidate| {
                let hir = self.cx.hir(candidate.environment.unit);
                matches!(
                    hir.functions[candidate.function].body,
                    port_hir::Body::Block(_) | port_hir::Body::None
                ) && candidate.class == Some(class)
            })
            .collect();
        let name = Name::new("operator=");
        let arguments = self.call_arguments(&[value]);
        let object = target.clone();
        let chosen = self.choose_quietly(&candidates, name, Some(object.clone()), &arguments)?;
        // The implicit one is better for an object of the class, unless the user's takes one too.
        let own = self.class_type(class);
        let takes_own = self
            .cx
            .function(chosen)
            .signature
            .parameters
            .first()
            .is_some_and(|first| self.cx.types.strip_reference(*first).same(own));
        if let [CallArgument::Expr(argument)] = &arguments[..]
            && argument.ty.same(own)
            && !takes_own
        {
            return None;
        }
        Some(self.call_chosen(chosen, Some(object), arguments, origin))
    }

    pub(crate) fn compound_assignment(
        &mut self,
        operator: BinaryOperator,
        target: Expr,
        value: Expr,
        origin: Origin,
    ) -> Expr {
        if let Some(code) = target.poison_code().or_else(|| value.poison_code()) {
            return Expr::poison(code, origin);
        }
        let spelling = format!("{}=", operator.spelling());
        if (self.is_class_like(target.ty) || self.is_class_like(value.ty))
            && let Some(found) = self.binary_function(&spelling, &target, &value, origin)
        {
            return found;
        }
        let (left_type, right_type) = (target.ty, value.ty);
        let Some(op) = arithmetic_of(operator) else {
            return self.invalid(&spelling, left_type, right_type, origin);
        };
        if !target.is_place() {
            return self.invalid(&spelling, left_type, right_type, origin);
        }
        let value = self.operand(value);
        if self.cx.types.is_pointer(target.ty) {
            let index = match op {
                Arithmetic::Add | Arithmetic::Subtract => self.integer_operand(value),
                _ => None,
            };
            let Some(index) = index else {
                return self.invalid(&spelling, left_type, right_type, origin);
            };
            let compute = target.ty.unqualified();
            return compound(op, target, index, compute, origin);
        }
        // What the operator would compute gives the type in which it computes.
        let promoted = if self.is_narrow_bit_field(&target) { Type::INT } else { target.ty };
        let probe = Expr::value(ExprKind::Undefined, promoted, origin);
        let result = self.arithmetic_of(op, &spelling, probe, value, origin);
        match result.kind {
            ExprKind::Arithmetic(_, left, right) => {
                let compute = left.ty;
                let back = Expr::value(ExprKind::Undefined, compute, origin);
                let to = target.ty.unqualified();
                if self.standard_conversion(back.ty, to, false).is_none() {
                    return self.invalid(&spelling, left_type, right_type, origin);
                }
                compound(op, target, *right, compute, origin)
            }
            _ => result,
        }
    }

    // Operator functions.

    /// Whether operator functions may be defined for the type.
    fn is_class_like(&self, ty: Type) -> bool {
        matches!(
            self.cx.types.kind(ty),
            Kind::Class(_) | Kind::Enum(_) | Kind::Vector { .. } | Kind::Narrow(_)
        )
    }

    fn unary_function(
        &mut self,
        name: &str,
        operand: &Expr,
        postfix: bool,
        origin: Origin,
    ) -> Option<Expr> {
        let mut arguments = Vec::new();
        if postfix {
            arguments.push(CallArgument::Expr(Expr::integer(0, Type::INT, origin)));
        }
        self.operator_function(name, operand, arguments, origin)
    }

    fn binary_function(
        &mut self,
        spelling: &str,
        left: &Expr,
        right: &Expr,
        origin: Origin,
    ) -> Option<Expr> {
        let name = format!("operator{spelling}");
        let found =
            self.operator_function(&name, left, vec![CallArgument::Expr(right.clone())], origin);
        if found.is_some() {
            return found;
        }
        // C++20 finds `a != b` from `==`; older code writes both.
        None
    }

    /// A call of the operator function that overload resolution chooses; `None` if the built-in
    /// operator is to be used.
    fn operator_function(
        &mut self,
        name: &str,
        left: &Expr,
        rest: Vec<CallArgument>,
        origin: Origin,
    ) -> Option<Expr> {
        let name = Name::new(name);
        // A member of the left operand's class.
        if let Some(class) = self.cx.types.class(left.ty)
            && let Some(Member::Functions(candidates)) = self.find_member(class, name)
            && let Some(chosen) = self.choose_quietly(&candidates, name, Some(left.clone()), &rest)
        {
            return Some(self.call_chosen(chosen, Some(left.clone()), rest, origin));
        }
        let mut arguments = vec![CallArgument::Expr(left.clone())];
        arguments.extend(rest);
        let set = OverloadSet {
            name,
            candidates: self.visible_operators(name),
            arguments: None,
            adl: true,
            object: None,
        };
        let chosen = self.attempt(|checker| checker.choose(&set, &arguments, origin))?.ok()?;
        if self.builtin_is_better(chosen, &arguments) {
            return None;
        }
        Some(self.call_chosen(chosen, None, arguments, origin))
    }

    /// Operator functions of the place's own namespaces and the global one.
    fn visible_operators(&mut self, name: Name) -> Vec<Candidate> {
        let hir = self.hir();
        let mut found = Vec::new();
        for id in hir.functions_named(name.as_str()) {
            let function = &hir.functions[*id];
            // Friends are found by their arguments, with what their class's parameters stand for.
            if function.specialisation.is_none()
                && function.friend_of.is_none()
                && matches!(function.parent, port_hir::Parent::Namespace(_))
            {
                found.push(self.candidate(*id));
            }
        }
        found
    }

    /// Whether the built-in operator needs fewer conversions than the function that was found.
    fn builtin_is_better(
        &mut self,
        chosen: crate::context::FunctionInstanceId,
        arguments: &[CallArgument],
    ) -> bool {
        let parameters = self.cx.function(chosen).signature.parameters.clone();
        let class_argument = arguments.iter().any(|argument| match argument {
            CallArgument::Expr(expr) => {
                matches!(self.cx.types.kind(expr.ty), Kind::Class(_) | Kind::Vector { .. })
            }
            CallArgument::Braced(_) => true,
        });
        if class_argument {
            return false;
        }
        arguments.iter().zip(parameters).any(|(argument, parameter)| {
            self.argument_conversion(argument, parameter)
                .is_some_and(|conversion| conversion.rank > crate::conversion::Rank::Exact)
        })
    }

    // Others.

    pub(crate) fn conditional(
        &mut self,
        condition: ExprId,
        then: Option<ExprId>,
        otherwise: ExprId,
        origin: Origin,
    ) -> Expr {
        let Some(then) = then else {
            return self.unsupported_here(origin, "`?:` without a middle operand");
        };
        let condition = self.expr(condition);
        let condition = self.condition(condition);
        // A constant condition may guard an operand that is invalid otherwise; C++ checks both.
        let then = self.expr(then);
        let otherwise = self.expr(otherwise);
        for part in [&condition, &then, &otherwise] {
            if let Some(code) = part.poison_code() {
                return Expr::poison(code, origin);
            }
        }
        self.conditional_of(condition, then, otherwise, origin)
    }

    fn conditional_of(
        &mut self,
        condition: Expr,
        then: Expr,
        otherwise: Expr,
        origin: Origin,
    ) -> Expr {
        let build = |condition: Expr, then: Expr, otherwise: Expr, ty, category| Expr {
            kind: ExprKind::Conditional {
                condition: Box::new(condition),
                then: Box::new(then),
                otherwise: Box::new(otherwise),
            },
            ty,
            category,
            origin,
        };
        // Two places of one type are a place.
        if then.category != Category::Value
            && then.category == otherwise.category
            && then.ty.same(otherwise.ty)
            && !matches!(self.cx.types.kind(then.ty), Kind::Overload)
        {
            let ty = then.ty.qualified_as(otherwise.ty);
            let category = then.category;
            return build(condition, then, otherwise, ty, category);
        }
        let overload = |expr: &Expr| matches!(expr.kind, ExprKind::Overload(_));
        let (then, otherwise) = match (overload(&then), overload(&otherwise)) {
            (false, false) => (then, otherwise),
            _ => (self.rvalue(then), self.rvalue(otherwise)),
        };
        let (then_type, otherwise_type) = (then.ty, otherwise.ty);
        if self.cx.types.is_void(then.ty) || self.cx.types.is_void(otherwise.ty) {
            return build(condition, then, otherwise, Type::VOID, Category::Value);
        }
        let class =
            self.cx.types.class(then.ty).is_some() || self.cx.types.class(otherwise.ty).is_some();
        let common = if then.ty.same(otherwise.ty) {
            Some(then.ty.unqualified())
        } else if class {
            let forward = self.conversion(&then, otherwise.ty.unqualified()).is_some();
            let backward = self.conversion(&otherwise, then.ty.unqualified()).is_some();
            match (forward, backward) {
                (true, false) => Some(otherwise.ty.unqualified()),
                (false, true) => Some(then.ty.unqualified()),
                _ => None,
            }
        } else {
            self.common_scalar(&then, &otherwise)
        };
        let Some(common) = common else {
            return self.invalid("?:", then_type, otherwise_type, origin);
        };
        let then = self.convert(then, common);
        let otherwise = self.convert(otherwise, common);
        if let Some(code) = then.poison_code().or_else(|| otherwise.poison_code()) {
            return Expr::poison(code, origin);
        }
        build(condition, then, otherwise, common, Category::Value)
    }

    /// The type in which two values that are no classes meet.
    fn common_scalar(&mut self, left: &Expr, right: &Expr) -> Option<Type> {
        let (a, b) = (self.decayed(left.ty), self.decayed(right.ty));
        if a.same(b) {
            return Some(a);
        }
        let null = |checker: &Self, expr: &Expr, ty: Type| {
            is_null(expr) || ty.same(Type::NULLPTR) && !checker.cx.types.is_pointer(ty)
        };
        match (self.cx.types.pointee(a), self.cx.types.pointee(b)) {
            (Some(_), None) if null(self, right, b) => return Some(a),
            (None, Some(_)) if null(self, left, a) => return Some(b),
            (Some(p), Some(q)) => {
                let both = Type {
                    id: if self.cx.types.is_void(q) { q.id } else { p.id },
                    constant: p.constant || q.constant,
                    volatile: p.volatile || q.volatile,
                };
                let agrees = p.same(q) || self.cx.types.is_void(p) || self.cx.types.is_void(q);
                if agrees {
                    return Some(self.cx.types.pointer(both));
                }
                if self.base_distance(p, q).is_some() {
                    return Some(b);
                }
                return self.base_distance(q, p).map(|_| a);
            }
            _ => {}
        }
        match (self.cx.types.is_narrow(a), self.cx.types.is_narrow(b)) {
            // By the constructor that takes the other.
            (true, false) if self.cx.types.is_arithmetic(b) => Some(a),
            (false, true) if self.cx.types.is_arithmetic(a) => Some(b),
            (true, true) => None,
            _ => self.common_arithmetic(a, b),
        }
    }

    /// `(… + pack)` and the like.
    pub(crate) fn fold(
        &mut self,
        operator: BinaryOperator,
        assign: bool,
        pattern: ExprId,
        initial: Option<ExprId>,
        left: bool,
        origin: Origin,
    ) -> Expr {
        let Some(count) = self.pack_length_of_expr(pattern) else {
            return self.unsupported_here(origin, "a fold over what is no known pack");
        };
        let mut values: Vec<Expr> = (0..count)
            .map(|index| self.with_pack(index, |checker| checker.expr(pattern)))
            .collect();
        if let Some(initial) = initial {
            let initial = self.expr(initial);
            if left {
                values.insert(0, initial);
            } else {
                values.push(initial);
            }
        }
        let combine = |checker: &mut Self, a: Expr, b: Expr| {
            if assign {
                checker.compound_assignment(operator, a, b, origin)
            } else {
                checker.binary_of(operator, a, b, origin)
            }
        };
        let result = if left {
            values.into_iter().reduce(|a, b| combine(self, a, b))
        } else {
            values.into_iter().rev().reduce(|b, a| combine(self, a, b))
        };
        match (result, operator) {
            (Some(result), _) => result,
            (None, BinaryOperator::LogicalAnd) => Expr::bool(true, origin),
            (None, BinaryOperator::LogicalOr) => Expr::bool(false, origin),
            (None, BinaryOperator::Comma) => Expr::value(ExprKind::Zero, Type::VOID, origin),
            (None, _) => self.unsupported_here(origin, "a fold over an empty pack"),
        }
    }
}

fn compound(op: Arithmetic, target: Expr, value: Expr, compute: Type, origin: Origin) -> Expr {
    let ty = target.ty;
    let kind =
        ExprKind::CompoundAssign { op, target: Box::new(target), value: Box::new(value), compute };
    Expr::place(kind, ty, origin)
}

fn is_null(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Constant(Value::Null | Value::Integer(0)))
}

fn arithmetic_of(operator: BinaryOperator) -> Option<Arithmetic> {
    Some(match operator {
        BinaryOperator::Multiply => Arithmetic::Multiply,
        BinaryOperator::Divide => Arithmetic::Divide,
        BinaryOperator::Remainder => Arithmetic::Remainder,
        BinaryOperator::Add => Arithmetic::Add,
        BinaryOperator::Subtract => Arithmetic::Subtract,
        BinaryOperator::ShiftLeft => Arithmetic::ShiftLeft,
        BinaryOperator::ShiftRight => Arithmetic::ShiftRight,
        BinaryOperator::BitAnd => Arithmetic::And,
        BinaryOperator::BitXor => Arithmetic::Xor,
        BinaryOperator::BitOr => Arithmetic::Or,
        _ => return None,
    })
}

fn unary_spelling(operator: UnaryOperator) -> &'static str {
    match operator {
        UnaryOperator::Plus => "operator+",
        UnaryOperator::Minus => "operator-",
        UnaryOperator::Not => "operator!",
        UnaryOperator::Complement => "operator~",
        UnaryOperator::Dereference => "operator*",
        UnaryOperator::AddressOf => "operator&",
        UnaryOperator::Increment => "operator++",
        UnaryOperator::Decrement => "operator--",
        UnaryOperator::Extension => "__extension__",
    }
}
