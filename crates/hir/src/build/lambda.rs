//! Lambdas.

use port_syntax::{Keyword, TokenKind};

use super::cursor::END;
use super::scope::{Binding, Lexical};
use super::{Builder, Parse};
use crate::*;

impl Builder<'_> {
    /// `[captures] <T> (parameters) mutable -> R { … }`
    pub(super) fn lambda(&mut self) -> Parse<ExprId> {
        let start = self.position;
        let mark = self.scopes.mark();
        let context = self.context;
        let header = self.header.take();
        let in_angles = std::mem::replace(&mut self.in_angles, false);
        let outer = self.abbreviation.take();
        let result = self.nested(|this| this.lambda_inner(start));
        self.abbreviation = outer;
        self.in_angles = in_angles;
        self.header = header;
        self.context = context;
        self.scopes.restore(mark);
        let lambda = result?;
        Ok(self.add_expr(ExprKind::Lambda(lambda), start))
    }

    fn lambda_inner(&mut self, start: usize) -> Parse<LambdaId> {
        let (default_capture, captures) = self.captures()?;
        let mut template_parameters = None;
        if self.at(TokenKind::Less) {
            template_parameters = Some(self.template_parameter_list()?);
        }
        let depth = self.context.template_depth;
        let mut lambda = Lambda {
            default_capture,
            captures,
            template_parameters,
            parameters: Vec::new(),
            variadic: false,
            return_type: None,
            mutable: false,
            constexpr: false,
            host: false,
            device: false,
            // Replaced below: a lambda has a body.
            body: StmtId::from_index(0),
            origin: self.origin_at(start),
        };
        // nvcc takes the qualifiers before the parameters.
        self.lambda_specifiers(&mut lambda)?;
        if self.at(TokenKind::LeftParen) {
            self.abbreviation = Some(self.lambda_abbreviation(lambda.template_parameters.as_ref()));
            let parameters = self.parameters();
            let made = self.abbreviation.take().map_or_else(Vec::new, |made| made.parameters);
            (lambda.parameters, lambda.variadic) = parameters?;
            if !made.is_empty() {
                lambda
                    .template_parameters
                    .get_or_insert_with(|| TemplateParameterList { depth, parameters: Vec::new() })
                    .parameters
                    .extend(made);
            }
        }
        if lambda.template_parameters.is_some() {
            self.context.template_depth = depth + 1;
        }
        self.lambda_specifiers(&mut lambda)?;
        if self.eat(TokenKind::Arrow) {
            lambda.return_type = Some(self.type_id()?);
        }
        if self.eat_keyword(Keyword::Requires) {
            self.constraint()?;
        }
        if !self.at(TokenKind::LeftBrace) {
            return self.expected("{");
        }
        self.context.device |= lambda.device;
        lambda.body = self.block();
        Ok(self.module.lambdas.add(lambda))
    }

    fn lambda_specifiers(&mut self, lambda: &mut Lambda) -> Parse<()> {
        loop {
            match self.keyword() {
                Some(Keyword::Mutable) => lambda.mutable = true,
                Some(Keyword::Constexpr | Keyword::Consteval) => lambda.constexpr = true,
                Some(Keyword::Device) => lambda.device = true,
                Some(Keyword::Host) => lambda.host = true,
                Some(
                    Keyword::ForceInline | Keyword::NoInline | Keyword::Static | Keyword::Inline,
                ) => {}
                Some(Keyword::Noexcept | Keyword::Throw) => {
                    self.bump();
                    self.skip_parentheses();
                    continue;
                }
                Some(Keyword::GnuAttribute | Keyword::GnuAttributeShort) => {
                    self.skip_attributes()?;
                    continue;
                }
                // A macro that stands for qualifiers: `[=] GPU_LAMBDA (int i) { … }`
                None if self.is_name_at(self.position)
                    && matches!(
                        self.kind_at(self.position + 1),
                        TokenKind::LeftParen | TokenKind::LeftBrace | TokenKind::Arrow
                    ) =>
                {
                    self.mean(self.position, Meaning::Unresolved);
                }
                _ if self.at(TokenKind::LeftBracket)
                    && self.kind_at(self.position + 1) == TokenKind::LeftBracket =>
                {
                    self.skip_attributes()?;
                    continue;
                }
                _ => return Ok(()),
            }
            self.bump();
        }
    }

    fn captures(&mut self) -> Parse<(Option<CaptureDefault>, Vec<Capture>)> {
        self.inside(TokenKind::LeftBracket, TokenKind::RightBracket, |this| {
            let mut default = None;
            let mut captures = Vec::new();
            while !matches!(this.kind(), TokenKind::RightBracket | END) {
                let next = this.kind_at(this.position + 1);
                let ends = matches!(next, TokenKind::Comma | TokenKind::RightBracket);
                match this.kind() {
                    TokenKind::Equal => {
                        this.bump();
                        default = Some(CaptureDefault::Copy);
                    }
                    TokenKind::Ampersand if ends => {
                        this.bump();
                        default = Some(CaptureDefault::Reference);
                    }
                    _ => captures.push(this.capture()?),
                }
                if !this.eat(TokenKind::Comma) {
                    break;
                }
            }
            Ok((default, captures))
        })
    }

    fn capture(&mut self) -> Parse<Capture> {
        if self.eat_keyword(Keyword::This) {
            return Ok(Capture::This);
        }
        if self.at(TokenKind::Star) && self.keyword_at(self.position + 1) == Some(Keyword::This) {
            self.position += 2;
            return Ok(Capture::StarThis);
        }
        let start = self.position;
        let reference = self.eat(TokenKind::Ampersand);
        self.eat(TokenKind::Ellipsis);
        let (name, at) = self.expect_name()?;
        let initializer = self.initializer()?;
        if initializer.is_some() {
            let ty = self.add_type(TyKind::Auto, start);
            let storage = Storage::default();
            let local = self.add_local(name, at, LocalKind::InitCapture, ty, storage, start);
            self.module.locals[local].initializer = initializer;
            self.module.locals[local].tokens = self.range_from(start);
            return Ok(Capture::Init { local, reference });
        }
        self.eat(TokenKind::Ellipsis);
        let found = self.scopes.lexical(name);
        Ok(match found {
            Some(Lexical::Binding(Binding::Local(id))) => {
                self.mean(at, Meaning::User(Entity::Local(id)));
                if reference { Capture::Reference(id) } else { Capture::Copy(id) }
            }
            _ => {
                self.mean(at, Meaning::Unresolved);
                Capture::Unresolved(name, self.origin_at(at))
            }
        })
    }
}
