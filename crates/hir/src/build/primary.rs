//! Operands: names, literals, parentheses, casts, functional casts, calls of macros.

use port_syntax::{Keyword, TokenKind};

use super::cursor::END;
use super::lookup::{Class, Found};
use super::names::ReadName;
use super::scope::{Binding, Lexical};
use super::words::is_fundamental;
use super::{Builder, Parse};
use crate::*;

impl Builder<'_> {
    /// An operand without its postfix operators.
    pub(super) fn primary(&mut self) -> Parse<ExprId> {
        let start = self.position;
        match self.kind() {
            TokenKind::Number | TokenKind::Character | TokenKind::String => self.literal(),
            TokenKind::LeftParen => self.parentheses(),
            TokenKind::LeftBracket => self.lambda(),
            TokenKind::Identifier => match self.keyword() {
                Some(keyword) => self.keyword_primary(keyword, start),
                // A macro that is not in view, for a string: `NAME " failed"`.
                None if self.kind_at(start + 1) == TokenKind::String => self.macro_string(start),
                None => self.name_primary(start),
            },
            TokenKind::ColonColon => self.name_primary(start),
            _ => self.expected("expression"),
        }
    }

    fn keyword_primary(&mut self, keyword: Keyword, start: usize) -> Parse<ExprId> {
        let kind = match keyword {
            Keyword::This => {
                self.bump();
                ExprKind::This
            }
            Keyword::True | Keyword::False | Keyword::Nullptr => return self.literal(),
            Keyword::StaticCast => self.named_cast(CastKind::Static)?,
            Keyword::ReinterpretCast => self.named_cast(CastKind::Reinterpret)?,
            Keyword::ConstCast => self.named_cast(CastKind::Const)?,
            Keyword::DynamicCast => self.named_cast(CastKind::Dynamic)?,
            Keyword::Typeid => {
                self.bump();
                let argument =
                    self.inside(TokenKind::LeftParen, TokenKind::RightParen, |this| {
                        match this.scan_type(this.position, true) {
                            Some(scanned)
                                if scanned.certain
                                    && this.kind_at(scanned.end) == TokenKind::RightParen =>
                            {
                                Ok(TemplateArgument::Type(this.type_id()?))
                            }
                            _ => Ok(TemplateArgument::Value(this.expression()?)),
                        }
                    })?;
                ExprKind::Typeid(argument)
            }
            Keyword::Operator => return self.name_primary(start),
            Keyword::Typename => return self.functional_cast(start),
            Keyword::Decltype | Keyword::GnuTypeof => {
                let after = self.past_group(start + 1);
                if self.kind_at(after) == TokenKind::ColonColon {
                    return self.name_primary(start);
                }
                return self.functional_cast(start);
            }
            Keyword::GnuAsm | Keyword::GnuAsmShort | Keyword::Asm => {
                return self.expected("expression");
            }
            _ if is_fundamental(keyword) => return self.functional_cast(start),
            Keyword::Const | Keyword::Volatile | Keyword::Struct | Keyword::Union => {
                let ty = self.type_id()?;
                ExprKind::TypeArgument(ty)
            }
            // `__device__` and the like: what a macro was given.
            _ => return self.expected("expression"),
        };
        Ok(self.add_expr(kind, start))
    }

    /// `static_cast<T>(e)`
    fn named_cast(&mut self, kind: CastKind) -> Parse<ExprKind> {
        self.bump();
        self.expect(TokenKind::Less)?;
        let in_angles = std::mem::replace(&mut self.in_angles, true);
        let ty = self.type_id();
        self.in_angles = in_angles;
        let ty = ty?;
        self.expect(TokenKind::Greater)?;
        let operand = self.inside(TokenKind::LeftParen, TokenKind::RightParen, Self::expression)?;
        Ok(ExprKind::Cast { kind, ty, operand })
    }

    /// `T(e)`, `T{a}`, `T()` of a type at the current token.
    fn functional_cast(&mut self, start: usize) -> Parse<ExprId> {
        let ty = self.nested(|this| this.type_specifiers_only())?;
        self.functional_cast_to(ty, start)
    }

    fn functional_cast_to(&mut self, ty: TyId, start: usize) -> Parse<ExprId> {
        let kind = match self.kind() {
            TokenKind::LeftParen => {
                let mut arguments = self.arguments()?;
                let only = match arguments.as_slice() {
                    [only] => Some(*only),
                    _ => None,
                };
                match only.map(|only| (only, &self.module.exprs[only].kind)) {
                    Some((operand, kind))
                        if !matches!(kind, ExprKind::InitList(_) | ExprKind::PackExpansion(_)) =>
                    {
                        ExprKind::Cast { kind: CastKind::Functional, ty, operand }
                    }
                    _ => {
                        arguments.shrink_to_fit();
                        ExprKind::Construct { ty, arguments, braced: false }
                    }
                }
            }
            TokenKind::LeftBrace => {
                let list = self.init_list()?;
                ExprKind::Construct { ty, arguments: vec![list], braced: true }
            }
            // A type as a macro's argument, with what is left of its declarator.
            _ => {
                let ty = self.abstract_declarator(ty)?;
                ExprKind::TypeArgument(ty)
            }
        };
        Ok(self.add_expr(kind, start))
    }

    fn name_primary(&mut self, start: usize) -> Parse<ExprId> {
        if let Some(special) = self.special_name(start)? {
            return Ok(special);
        }
        let read = self.nested(|this| this.name())?;
        let is_type = read.class.is_type() || read.builtin.is_some();
        let braced_unknown = read.class == Class::Unknown && self.at(TokenKind::LeftBrace);
        if is_type || braced_unknown {
            return self.type_name_primary(read, start);
        }
        let launches = match &read.name.resolution {
            Res::Functions(functions) | Res::Methods { functions, .. } => {
                functions.iter().any(|id| self.module.functions[*id].is_kernel())
            }
            _ => false,
        };
        let id = self.add_expr(ExprKind::Name(read.name), start);
        if launches {
            let function = self.context.function;
            self.kernel_names.push((start as u32, KernelUse { name: id, call: None, function }));
        }
        Ok(id)
    }

    fn type_name_primary(&mut self, read: ReadName, start: usize) -> Parse<ExprId> {
        let kind = match read.builtin {
            Some(builtin) => TyKind::Builtin(builtin),
            None => TyKind::Named(read.name),
        };
        let ty = self.add_type(kind, start);
        self.functional_cast_to(ty, start)
    }

    /// Whether a predicate of the compiler's own about types is called here.
    pub(super) fn is_compiler_trait(&self, start: usize) -> bool {
        let named = self.name_at(start).is_some_and(|name| {
            let text = name.as_str();
            text.starts_with("__is_")
                || text.starts_with("__has_")
                || text == "__builtin_types_compatible_p"
        });
        named && self.kind_at(start + 1) == TokenKind::LeftParen
    }

    /// `va_arg(l, T)`, `offsetof(T, m)`, `__builtin_bit_cast(T, e)`, `__is_same(T, U)`
    fn special_name(&mut self, start: usize) -> Parse<Option<ExprId>> {
        let Some(name) = self.name_at(start) else { return Ok(None) };
        if self.kind_at(start + 1) != TokenKind::LeftParen {
            return Ok(None);
        }
        let is_trait = self.is_compiler_trait(start);
        let words = &self.words;
        let is_offset = name == words.offsetof || name == words.builtin_offsetof;
        let is_bit_cast = name == words.builtin_bit_cast || name == words.bit_cast;
        let is_va_arg = name == words.va_arg;
        if !(is_trait || is_offset || is_bit_cast || is_va_arg) {
            return Ok(None);
        }
        if !matches!(self.found_at(start), Found::Nothing | Found::Library(_)) {
            return Ok(None);
        }
        self.mean(start, Meaning::Unresolved);
        self.bump();
        let kind = self.inside(TokenKind::LeftParen, TokenKind::RightParen, |this| {
            if is_va_arg {
                let list = this.assignment_expression()?;
                this.expect(TokenKind::Comma)?;
                return Ok(ExprKind::VaArg { list, ty: this.type_id()? });
            }
            if is_offset {
                let ty = this.type_id()?;
                this.expect(TokenKind::Comma)?;
                return Ok(ExprKind::Offsetof { ty, member: this.offset_member()? });
            }
            if is_bit_cast {
                let ty = this.type_id()?;
                this.expect(TokenKind::Comma)?;
                let operand = this.assignment_expression()?;
                return Ok(ExprKind::Cast { kind: CastKind::Bit, ty, operand });
            }
            let mut arguments = Vec::new();
            while !matches!(this.kind(), TokenKind::RightParen | END) {
                arguments.push(match this.scan_type(this.position, true) {
                    Some(scanned)
                        if matches!(
                            this.kind_at(scanned.end),
                            TokenKind::Comma | TokenKind::RightParen
                        ) =>
                    {
                        TemplateArgument::Type(this.type_id()?)
                    }
                    _ => TemplateArgument::Value(this.assignment_expression()?),
                });
                if !this.eat(TokenKind::Comma) {
                    break;
                }
            }
            Ok(ExprKind::BuiltinTrait { name, arguments })
        })?;
        Ok(Some(self.add_expr(kind, start)))
    }

    /// `m`, `m.n`, `m[2]` of `offsetof`.
    fn offset_member(&mut self) -> Parse<ExprId> {
        let start = self.position;
        let (name, at) = self.expect_name()?;
        self.mean(at, Meaning::Member);
        let segment = Segment { name, arguments: None, origin: self.origin_at(at) };
        let name = NameRef {
            global: false,
            typename: false,
            segments: vec![segment],
            resolution: Res::Dependent,
        };
        let mut member = self.add_expr(ExprKind::Name(name), start);
        loop {
            let kind = match self.kind() {
                TokenKind::Dot => {
                    self.bump();
                    let name = self.member_name()?;
                    ExprKind::Member { object: member, arrow: false, member: name }
                }
                TokenKind::LeftBracket => {
                    let index = self.inside(
                        TokenKind::LeftBracket,
                        TokenKind::RightBracket,
                        Self::expression,
                    )?;
                    ExprKind::Index { object: member, indices: vec![index] }
                }
                _ => return Ok(member),
            };
            member = self.add_expr(kind, start);
        }
    }

    /// The arguments of a call. Those of an unknown macro may be anything: what can't be read as
    /// arguments is read as statements, or left out.
    pub(super) fn call_arguments(&mut self, callee: ExprId) -> Parse<Vec<ExprId>> {
        let open = self.position;
        let unknown = matches!(
            &self.module.exprs[callee].kind,
            ExprKind::Name(NameRef { resolution: Res::Unresolved, .. })
        );
        if !unknown {
            return self.arguments();
        }
        let Some(close) = self.closer(open) else { return self.arguments() };
        if self.has_semicolon(open, close) {
            let block = self.macro_region(open, close);
            return Ok(vec![self.add_expr(ExprKind::StatementExpression(block), open + 1)]);
        }
        let meanings = self.meanings.len();
        match self.arguments() {
            Ok(arguments) => Ok(arguments),
            Err(_) => {
                // What was read before the failure keeps no meaning: it may have been misread.
                self.meanings.truncate(meanings);
                self.position = close + 1;
                let what = ExprKind::Unsupported("macro argument");
                Ok(vec![self.add_expr(what, open + 1)])
            }
        }
    }

    /// `(e)`, `(... + e)`, `(e + ...)`, `({ … })`
    fn parentheses(&mut self) -> Parse<ExprId> {
        let start = self.position;
        if self.kind_at(start + 1) == TokenKind::LeftBrace
            && self
                .closer(start + 1)
                .is_some_and(|close| self.kind_at(close + 1) == TokenKind::RightParen)
        {
            let block =
                self.inside(TokenKind::LeftParen, TokenKind::RightParen, |this| Ok(this.block()))?;
            return Ok(self.add_expr(ExprKind::StatementExpression(block), start));
        }
        if let (Some(close), Some(scanned)) = (self.closer(start), self.scan_type(start + 1, false))
            && scanned.certain
            && scanned.end == close
        {
            // A type in parentheses without an operand: a macro's argument.
            let ty = self.inside(TokenKind::LeftParen, TokenKind::RightParen, Self::type_id)?;
            return Ok(self.add_expr(ExprKind::TypeArgument(ty), start));
        }
        let (value, fold) = self.inside(TokenKind::LeftParen, TokenKind::RightParen, |this| {
            if this.eat(TokenKind::Ellipsis) {
                let Some((operator, assign, length)) = this.fold_operator() else {
                    return this.expected("operator");
                };
                this.position += length;
                let pattern = this.unary()?;
                let kind = ExprKind::Fold { operator, assign, pattern, initial: None, left: true };
                return Ok((this.add_expr(kind, start + 1), true));
            }
            let value = this.expression()?;
            let Some((operator, assign, length)) = this.fold_operator() else {
                return Ok((value, false));
            };
            if this.kind_at(this.position + length) != TokenKind::Ellipsis {
                return Ok((value, false));
            }
            this.position += length + 1;
            let kind = if this.at(TokenKind::RightParen) {
                ExprKind::Fold { operator, assign, pattern: value, initial: None, left: false }
            } else {
                let Some((_, _, length)) = this.fold_operator() else {
                    return this.expected("operator");
                };
                this.position += length;
                let other = this.unary()?;
                let pack_first = this.holds_pack(value);
                let (pattern, initial) = if pack_first { (value, other) } else { (other, value) };
                let initial = Some(initial);
                ExprKind::Fold { operator, assign, pattern, initial, left: !pack_first }
            };
            Ok((this.add_expr(kind, start + 1), true))
        })?;
        if !fold {
            self.module.exprs[value].parenthesised = true;
        }
        Ok(value)
    }

    /// Whether an expression names a parameter pack.
    fn holds_pack(&self, value: ExprId) -> bool {
        self.module.exprs[value].tokens.range().any(|index| {
            self.name_at(index).is_some_and(|name| match self.scopes.lexical(name) {
                Some(Lexical::Binding(Binding::Local(id))) => matches!(
                    self.module.types[self.module.locals[id].ty].kind,
                    TyKind::PackExpansion(_)
                ),
                Some(Lexical::Binding(Binding::TemplateParameter { pack, .. })) => pack,
                _ => false,
            })
        })
    }
}
