//! The implementations that are made of a struct and of an enum.

use heck::ToSnakeCase;
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DataEnum, DeriveInput, Error, Fields, FieldsNamed, GenericArgument, PathArguments, Result, Type};

use crate::attributes::{self, Field};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    if !input.generics.params.is_empty() {
        return Err(Error::new(input.generics.span(), "`Schema` needs a type without parameters"));
    }
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => structure(input, fields),
            _ => Err(Error::new(input.ident.span(), "`Schema` needs a struct whose fields have names")),
        },
        Data::Enum(data) => choice(input, data),
        Data::Union(_) => Err(Error::new(input.ident.span(), "`Schema` needs a struct, or an enum of plain words")),
    }
}

fn structure(input: &DeriveInput, fields: &FieldsNamed) -> Result<TokenStream> {
    let ident = &input.ident;
    let title = attributes::name(&input.attrs)?.map_or_else(|| ident.unraw().to_string(), |name| name.value());
    let doc = attributes::documentation(&input.attrs)?;

    let mut names = Vec::new();
    let mut rust_names = Vec::new();
    let mut members = Vec::new();
    let mut types = Vec::new();
    let mut readers = Vec::new();
    let mut declarations = Vec::new();
    let mut probes = Vec::new();
    for field in &fields.named {
        let Some(member) = &field.ident else { continue };
        let said = Field::parse(&field.attrs)?;
        let inside = inside_option(&field.ty);
        check_mandatory(&said, inside.is_some())?;
        let rust_name = member.unraw().to_string();
        let name = said.name.as_ref().map_or_else(|| rust_name.clone(), syn::LitStr::value);
        if names.contains(&name) {
            return Err(Error::new(member.span(), format!("another field has the name `{name}`, too")));
        }
        declarations.push(declaration(&field.ty, &name, &said));
        probes.extend(said.fields.iter().map(|inner| {
            let (ty, path) = (inside.unwrap_or(&field.ty), &inner.path);
            quote!(let _ = |of: &#ty| { let _ = &of #(.#path)*; };)
        }));
        let reader = if said.valueless { "read_or_default" } else { "read" };
        readers.push(format_ident!("{reader}", span = field.ty.span()));
        names.push(name);
        rust_names.push(rust_name);
        members.push(member);
        types.push(&field.ty);
    }

    Ok(quote! {
        #[automatically_derived]
        impl ::tapeout_config::Configured for #ident {
            fn ty() -> ::core::result::Result<::tapeout_config::Type, ::tapeout_config::SchemaError> {
                ::core::result::Result::Ok(::tapeout_config::Type::structure(
                    #title,
                    <Self as ::tapeout_config::Structure>::fields(true)?,
                ))
            }

            fn read(
                given: &::tapeout_config::Given<'_>,
            ) -> ::core::result::Result<Self, ::std::string::String> {
                ::core::result::Result::Ok(Self { #(#members: given.#readers::<#types>(#names)?),* })
            }

            fn to_value(&self) -> ::tapeout_config::Value {
                ::tapeout_config::Value::Map(::std::vec![
                    #((#names.into(), ::tapeout_config::Configured::to_value(&self.#members))),*
                ])
            }

            fn declare(
                field: ::tapeout_config::Declaration,
                to: &mut ::tapeout_config::Schema,
            ) -> ::core::result::Result<(), ::tapeout_config::SchemaError> {
                field.structure::<Self>(to)
            }

            fn write(
                &self,
                name: &str,
                to: &mut ::std::vec::Vec<(::std::string::String, ::tapeout_config::Value)>,
            ) {
                #(::tapeout_config::Configured::write(&self.#members, &::tapeout_config::Declaration::dotted(name, #names), to);)*
            }

            fn field_name(path: &[&str]) -> ::core::option::Option<::std::string::String> {
                let (first, rest) = match path {
                    [] => return ::core::option::Option::Some(::std::string::String::new()),
                    [first, rest @ ..] => (*first, rest),
                };
                match first {
                    #(#rust_names => <#types as ::tapeout_config::Configured>::field_name(rest)
                        .map(|rest| ::tapeout_config::Declaration::dotted(#names, &rest)),)*
                    _ => ::core::option::Option::None,
                }
            }
        }

        #[automatically_derived]
        impl ::tapeout_config::Structure for #ident {
            const DOC: &'static str = #doc;

            fn fields(
                whole: bool,
            ) -> ::core::result::Result<::tapeout_config::Schema, ::tapeout_config::SchemaError> {
                #(#probes)*
                let mut schema = ::tapeout_config::Schema::default();
                #(#declarations)*
                ::core::result::Result::Ok(schema)
            }
        }

        #[automatically_derived]
        impl ::core::convert::From<#ident> for ::tapeout_config::Value {
            fn from(value: #ident) -> Self {
                ::tapeout_config::Configured::to_value(&value)
            }
        }
    })
}

/// What a mode can demand is what can be without a value.
fn check_mandatory(said: &Field, is_option: bool) -> Result<()> {
    match (said.mandatory, said.default) {
        (Some(at), Some(_)) => Err(Error::new(at, "`mandatory_in` says nothing of a field that has a `default`")),
        (Some(at), None) if !is_option => {
            Err(Error::new(at, "`mandatory_in` expects an `Option`: other fields are mandatory in every mode"))
        }
        _ => Ok(()),
    }
}

fn declaration(ty: &Type, name: &str, said: &Field) -> TokenStream {
    let doc = said.doc.as_deref().unwrap_or_default();
    let mut calls = said.calls.clone();
    if let Some(path) = &said.check {
        calls.push(quote_spanned!(path.span()=> .check(|value| {
            ::tapeout_config::Given::check::<#ty>(value)?;
            #path(value)
        })));
    }
    let change = |calls: &[TokenStream]| quote!(|variable| variable #(#calls)*);
    let own = if calls.is_empty() {
        quote!(::core::option::Option::None)
    } else {
        let change = change(&calls);
        quote!(::core::option::Option::Some(#change))
    };
    let inner = said.fields.iter().map(|inner| {
        let path = inner.path.iter().map(|ident| ident.unraw().to_string());
        let change = change(&inner.calls);
        quote!((&[#(#path),*], #change))
    });
    let span = ty.to_token_stream().into_iter().next().map_or_else(|| ty.span(), |first| first.span());
    quote_spanned! {span=>
        <#ty as ::tapeout_config::Configured>::declare(
            ::tapeout_config::Declaration {
                name: #name,
                doc: #doc,
                change: #own,
                fields: &[#(#inner),*],
                whole,
                optional: false,
            },
            &mut schema,
        )?;
    }
}

/// `T` of `Option<T>`.
fn inside_option(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|segment| segment.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

fn choice(input: &DeriveInput, data: &DataEnum) -> Result<TokenStream> {
    let ident = &input.ident;
    if let Some(name) = attributes::name(&input.attrs)? {
        return Err(Error::new(name.span(), "expected on the variants: a choice is described by its words"));
    }
    let mut words: Vec<String> = Vec::new();
    let mut variants = Vec::new();
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            return Err(Error::new(variant.span(), "expected a variant without fields: each is a word"));
        }
        let given = attributes::name(&variant.attrs)?.map(|name| name.value());
        let word = given.unwrap_or_else(|| variant.ident.unraw().to_string().to_snake_case());
        if words.contains(&word) {
            return Err(Error::new(variant.ident.span(), format!("another variant is the word `{word}`, too")));
        }
        words.push(word);
        variants.push(&variant.ident);
    }
    if words.is_empty() {
        return Err(Error::new(ident.span(), "expected at least one variant: each is a word"));
    }
    Ok(quote! {
        #[automatically_derived]
        impl ::tapeout_config::Configured for #ident {
            fn ty() -> ::core::result::Result<::tapeout_config::Type, ::tapeout_config::SchemaError> {
                ::core::result::Result::Ok(::tapeout_config::Type::choice([#(#words),*]))
            }

            fn read(
                given: &::tapeout_config::Given<'_>,
            ) -> ::core::result::Result<Self, ::std::string::String> {
                match given.required()? {
                    #(::tapeout_config::Value::Str(word) if word == #words => ::core::result::Result::Ok(Self::#variants),)*
                    other => ::core::result::Result::Err(::std::format!(
                        "must be {}, not `{other}`",
                        <Self as ::tapeout_config::Configured>::ty().map_err(|e| e.to_string())?,
                    )),
                }
            }

            fn to_value(&self) -> ::tapeout_config::Value {
                ::tapeout_config::Value::Str(match self { #(Self::#variants => #words),* }.into())
            }
        }

        #[automatically_derived]
        impl ::core::convert::From<#ident> for ::tapeout_config::Value {
            fn from(value: #ident) -> Self {
                ::tapeout_config::Configured::to_value(&value)
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::expand;

    /// What is said of a struct with this field, and of which words of it.
    fn error(item: &str) -> (String, String) {
        let input = syn::parse_str(item).unwrap();
        let error = expand(&input).unwrap_err();
        (error.span().source_text().unwrap_or_default(), error.to_string())
    }

    #[test]
    fn errors_point_at_the_attribute_and_say_what_is_expected() {
        let fields = [
            ("#[schema(dafault = 1)] a: i64", "dafault", "expected `default = …`, `units = \"…\"`"),
            ("#[schema(units)] a: i64", "]", "expected `=`"),
            ("#[schema(units = 3)] a: i64", "3", "expected string literal"),
            ("#[schema(name = \"a.b\")] a: i64", "\"a.b\"", "expected a name without dots: structs make the levels"),
            ("#[schema(secret, secret)] a: i64", "secret", "`secret` is given twice"),
            ("#[schema(formerly())] a: i64", "formerly", "expected at least one name in quotes"),
            ("#[schema(mandatory_in(\"x\"))] a: i64", "mandatory_in", "`mandatory_in` expects an `Option`"),
            (
                "#[schema(mandatory_in(\"x\"), default = 1)] a: Option<i64>",
                "mandatory_in",
                "`mandatory_in` says nothing of a field that has a `default`",
            ),
            ("#[schema(fields(b(name = \"c\")))] a: B", "name", "the rest is said by the struct itself"),
            ("#[schema(fields(b(secret), b(units = 1)))] a: B", "1", "expected string literal"),
            ("a: i64, #[schema(name = \"a\")] b: i64", "b", "another field has the name `a`, too"),
        ];
        for (field, at, message) in fields {
            let (place, text) = error(&format!("struct S {{ {field} }}"));
            // The end of the attribute has no words of its own.
            assert!(place.starts_with(at) || at == "]", "{field}: {place}");
            assert!(text.contains(message), "{field}: {text}");
        }
        let items = [
            ("struct S(i64);", "S", "`Schema` needs a struct whose fields have names"),
            ("struct S<T> { a: T }", "<T>", "`Schema` needs a type without parameters"),
            ("union S { a: i64 }", "S", "`Schema` needs a struct, or an enum of plain words"),
            ("#[schema(units = \"V\")] struct S { a: i64 }", "units", "expected `name = \"…\"`"),
            ("#[schema(name = \"x\")] enum S { A }", "\"x\"", "expected on the variants"),
            ("enum S {}", "S", "expected at least one variant: each is a word"),
            ("enum S { A(i64) }", "A(i64)", "expected a variant without fields: each is a word"),
            ("enum S { A, #[schema(name = \"a\")] B }", "B", "another variant is the word `a`, too"),
        ];
        for (item, at, message) in items {
            let (place, text) = error(item);
            assert!(place.contains(at), "{item}: {place}");
            assert!(text.contains(message), "{item}: {text}");
        }
    }
}
