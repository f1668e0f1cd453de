//! `#[derive(Diagnostic)]`: turns a finding's struct and doc comment into its metadata, message and
//! `port explain` text. Knows nothing of any particular finding.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Expr, ExprLit, Fields, Lit, LitStr, Meta, parse_macro_input};

/// Derives `port_diag::Finding`.
///
/// ```text
/// /// Inline PTX has no form on the target.
/// ///
/// /// ## What it means
/// /// …Markdown that `port explain P0301` prints…
/// #[derive(Diagnostic)]
/// #[diagnostic(code = "P0301", severity = error,
///     message = "inline PTX `{opcode}` has no HIP form",
///     help = "write it in C++: see `port explain P0301`")]
/// pub struct InlinePtx { pub opcode: String }
/// ```
///
/// `message` and the optional `help` are format strings over the fields. `severity` is `error`,
/// `warning` or `note`. The doc comment's first line is the summary; the rest is the explanation,
/// and must not be empty.
#[proc_macro_derive(Diagnostic, attributes(diagnostic))]
pub fn derive_diagnostic(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let syn::Data::Struct(data) = &input.data else {
        return Err(syn::Error::new_spanned(&input.ident, "a finding is a struct"));
    };
    let fields: Vec<_> = match &data.fields {
        Fields::Named(fields) => fields.named.iter().filter_map(|f| f.ident.as_ref()).collect(),
        Fields::Unit => Vec::new(),
        Fields::Unnamed(fields) => {
            return Err(syn::Error::new_spanned(fields, "name the fields: messages refer to them"));
        }
    };

    let attribute = Attribute::read(input)?;
    let (summary, explanation) = split_documentation(&documentation(input));
    if summary.is_empty() || explanation.is_empty() {
        return Err(syn::Error::new_spanned(
            &input.ident,
            "a finding is documented: a summary line, then what it means and what to do",
        ));
    }
    let name = kebab_case(&input.ident.to_string());
    let ident = &input.ident;
    let Attribute { code, severity, message, help } = attribute;
    let help = help.map(|help| {
        quote! {
            #[allow(unused_variables)]
            fn help(&self) -> ::std::option::Option<::std::string::String> {
                let Self { #(#fields),* } = self;
                ::std::option::Option::Some(::std::format!(#help))
            }
        }
    });
    Ok(quote! {
        impl ::port_diag::Finding for #ident {
            const METADATA: ::port_diag::Metadata = ::port_diag::Metadata {
                code: #code,
                name: #name,
                severity: #severity,
                summary: #summary,
                explanation: #explanation,
            };

            #[allow(unused_variables)]
            fn message(&self) -> ::std::string::String {
                let Self { #(#fields),* } = self;
                ::std::format!(#message)
            }

            #help
        }
    })
}

struct Attribute {
    code: LitStr,
    severity: TokenStream,
    message: LitStr,
    help: Option<LitStr>,
}

impl Attribute {
    fn read(input: &DeriveInput) -> syn::Result<Self> {
        let (mut code, mut severity, mut message, mut help) = (None, None, None, None);
        for attribute in input.attrs.iter().filter(|a| a.path().is_ident("diagnostic")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("severity") {
                    let word: syn::Ident = meta.value()?.parse()?;
                    severity = Some(match word.to_string().as_str() {
                        "error" => quote!(::port_diag::Severity::Error),
                        "warning" => quote!(::port_diag::Severity::Warning),
                        "note" => quote!(::port_diag::Severity::Note),
                        _ => return Err(meta.error("severity is error, warning or note")),
                    });
                    return Ok(());
                }
                let slot = if meta.path.is_ident("code") {
                    &mut code
                } else if meta.path.is_ident("message") {
                    &mut message
                } else if meta.path.is_ident("help") {
                    &mut help
                } else {
                    return Err(meta.error("expected code, severity, message or help"));
                };
                *slot = Some(meta.value()?.parse::<LitStr>()?);
                Ok(())
            })?;
        }
        let missing =
            |what| syn::Error::new_spanned(&input.ident, format!("#[diagnostic] lacks `{what}`"));
        let code = code.ok_or_else(|| missing("code"))?;
        let text = code.value();
        if text.len() != 5
            || !text.starts_with('P')
            || !text[1..].bytes().all(|b| b.is_ascii_digit())
        {
            return Err(syn::Error::new_spanned(&code, "a code is `P` and four digits"));
        }
        Ok(Attribute {
            code,
            severity: severity.ok_or_else(|| missing("severity"))?,
            message: message.ok_or_else(|| missing("message"))?,
            help,
        })
    }
}

fn documentation(input: &DeriveInput) -> String {
    let mut text = String::new();
    for attribute in &input.attrs {
        let Meta::NameValue(pair) = &attribute.meta else { continue };
        if !pair.path.is_ident("doc") {
            continue;
        }
        if let Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) = &pair.value {
            let line = line.value();
            text.push_str(line.strip_prefix(' ').unwrap_or(&line));
            text.push('\n');
        }
    }
    text
}

fn split_documentation(text: &str) -> (String, String) {
    let (summary, rest) = text.trim().split_once('\n').unwrap_or((text.trim(), ""));
    (summary.trim().to_owned(), rest.trim().to_owned())
}

fn kebab_case(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.extend(c.to_lowercase());
    }
    out
}
