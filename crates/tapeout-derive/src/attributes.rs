//! What may be written in `#[schema(…)]`.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::meta::ParseNestedMeta;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, ExprUnary, Ident, Lit, LitStr, Path, Result, Token, UnOp};

/// The attributes of a field that its variable has.
const OF_VARIABLES: &str = "`default = …`, `units = \"…\"`, `env = \"…\"`, `shortcut = \"…\"`, `mandatory_in(…)`, \
                            `formerly(…)`, `secret`, `from_pdk`, `dir`, `new_path`, `doc = \"…\"`";

/// What is said of one field.
#[derive(Default)]
pub(crate) struct Field {
    pub(crate) name: Option<LitStr>,
    pub(crate) doc: Option<String>,
    pub(crate) check: Option<Path>,
    pub(crate) mandatory: Option<Span>,
    pub(crate) default: Option<Span>,
    /// Whether it has a value of its own only after initialisation: `derived_from`, `deprecated`.
    pub(crate) valueless: bool,
    /// Calls of the methods of a variable.
    pub(crate) calls: Vec<TokenStream>,
    pub(crate) fields: Vec<Inner>,
    seen: Vec<String>,
}

/// What is said of a field of a nested struct.
pub(crate) struct Inner {
    pub(crate) path: Vec<Ident>,
    pub(crate) calls: Vec<TokenStream>,
}

impl Field {
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut field = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("schema")) {
            attribute.parse_nested_meta(|meta| field.attribute(&meta))?;
        }
        if field.doc.is_none() {
            field.doc = Some(documentation(attributes)?);
        }
        Ok(field)
    }

    fn attribute(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        if meta.path.is_ident("name") {
            self.once(meta)?;
            let name: LitStr = meta.value()?.parse()?;
            if name.value().is_empty() || name.value().contains('.') {
                return Err(syn::Error::new(name.span(), "expected a name without dots: structs make the levels"));
            }
            self.name = Some(name);
        } else if meta.path.is_ident("check") {
            self.once(meta)?;
            self.check = Some(meta.value()?.parse()?);
        } else if meta.path.is_ident("derived_from") {
            self.once(meta)?;
            let names = words(meta)?;
            self.calls.push(quote!(.derived_from([#(#names),*])));
            self.valueless = true;
        } else if meta.path.is_ident("deprecated") {
            self.once(meta)?;
            let translation: Path = meta.value()?.parse()?;
            self.calls.push(quote!(.deprecated(#translation)));
            self.valueless = true;
        } else if meta.path.is_ident("fields") {
            self.once(meta)?;
            inner_fields(meta, &mut Vec::new(), &mut self.fields)?;
        } else if !self.of_variable(meta)? {
            return Err(meta.error(format!(
                "expected {OF_VARIABLES}, `name = \"…\"`, `check = PATH`, `derived_from(…)`, `deprecated = PATH` or \
                 `fields(…)`"
            )));
        }
        Ok(())
    }

    /// Takes an attribute that fields of nested structs can have, too. Says whether it is one.
    fn of_variable(&mut self, meta: &ParseNestedMeta<'_>) -> Result<bool> {
        let Some(word) = meta.path.get_ident().map(ToString::to_string) else { return Ok(false) };
        let call = match word.as_str() {
            "default" => {
                self.default = Some(meta.path.span());
                let value = default(meta.value()?.parse()?);
                quote!(.default(#value))
            }
            "units" | "env" | "shortcut" => {
                let text: LitStr = meta.value()?.parse()?;
                let method = &meta.path;
                quote!(.#method(#text))
            }
            "mandatory_in" | "formerly" => {
                if word == "mandatory_in" {
                    self.mandatory = Some(meta.path.span());
                }
                let method = &meta.path;
                let words = words(meta)?;
                quote!(#(.#method(#words))*)
            }
            "secret" | "from_pdk" => {
                let method = &meta.path;
                quote!(.#method())
            }
            "dir" => quote!(.paths(&::tapeout_config::Type::Dir)),
            "new_path" => quote!(.paths(&::tapeout_config::Type::NewPath)),
            "doc" => {
                self.doc = Some(meta.value()?.parse::<LitStr>()?.value());
                TokenStream::new()
            }
            _ => return Ok(false),
        };
        self.once(meta)?;
        if !call.is_empty() {
            self.calls.push(call);
        }
        Ok(true)
    }

    fn once(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let word = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        if self.seen.contains(&word) {
            return Err(meta.error(format!("`{word}` is given twice")));
        }
        self.seen.push(word);
        Ok(())
    }
}

/// `fields(a(…), b(fields(c(…))))`.
fn inner_fields(meta: &ParseNestedMeta<'_>, path: &mut Vec<Ident>, found: &mut Vec<Inner>) -> Result<()> {
    meta.parse_nested_meta(|inner| {
        let Some(name) = inner.path.get_ident() else {
            return Err(inner.error("expected the name of a field of the struct"));
        };
        path.push(name.clone());
        let mut field = Field::default();
        let parsed = inner.parse_nested_meta(|meta| {
            if meta.path.is_ident("fields") {
                inner_fields(&meta, path, found)
            } else if field.of_variable(&meta)? {
                Ok(())
            } else {
                Err(meta
                    .error(format!("expected {OF_VARIABLES} or `fields(…)`; the rest is said by the struct itself")))
            }
        });
        if let Some(doc) = &field.doc {
            field.calls.push(quote!(.doc(#doc)));
        }
        if !field.calls.is_empty() {
            found.push(Inner { path: path.clone(), calls: field.calls });
        }
        path.pop();
        parsed
    })
}

/// `("a", "b")`.
fn words(meta: &ParseNestedMeta<'_>) -> Result<Vec<LitStr>> {
    let content;
    syn::parenthesized!(content in meta.input);
    let words = Punctuated::<LitStr, Token![,]>::parse_terminated(&content)?;
    if words.is_empty() {
        return Err(meta.error("expected at least one name in quotes"));
    }
    Ok(words.into_iter().collect())
}

/// The default. Numbers become what values are made of: whole ones `i64`, others the text of a decimal.
fn default(value: Expr) -> TokenStream {
    let (sign, number) = match &value {
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => ("-", expr.as_ref()),
        other => ("", other),
    };
    match number {
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) if int.suffix().is_empty() => {
            quote!({ let whole: i64 = #value; whole })
        }
        Expr::Lit(ExprLit { lit: Lit::Float(float), .. }) if float.suffix().is_empty() => {
            let text = LitStr::new(&format!("{sign}{}", float.base10_digits()), float.span());
            quote!(#text)
        }
        _ => quote!(#value),
    }
}

/// The documentation comment: lines in one, a line break for an empty line.
pub(crate) fn documentation(attributes: &[Attribute]) -> Result<String> {
    let mut text = String::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        let Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) = &attribute.meta.require_name_value()?.value else {
            continue;
        };
        let line = line.value();
        let line = line.trim();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push(if line.is_empty() { '\n' } else { ' ' });
        }
        text.push_str(line);
    }
    Ok(text.trim_end().to_owned())
}

/// `#[schema(name = "…")]`, which is all that types and variants can have.
pub(crate) fn name(attributes: &[Attribute]) -> Result<Option<LitStr>> {
    let mut name = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("schema")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("name") {
                return Err(meta.error("expected `name = \"…\"`"));
            }
            name = Some(meta.value()?.parse()?);
            Ok(())
        })?;
    }
    Ok(name)
}
