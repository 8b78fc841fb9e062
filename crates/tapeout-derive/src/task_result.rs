//! The implementation of `TaskResult` that is made of a struct.

use heck::ToShoutySnakeCase;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Fields, Result, parse_quote};

/// The attributes that each result has by itself.
const RESERVED: [&str; 3] = ["returned_data", "time_started", "time_finished"];

/// The crate that has the trait, where the package with this name is compiled: programs know it by the crate `tapeout`
/// only.
pub(crate) fn home(package: &str) -> syn::Path {
    if package == "tapeout-flow" {
        parse_quote!(::tapeout_flow::project)
    } else {
        parse_quote!(::tapeout::flow::project)
    }
}

pub(crate) fn expand(input: &DeriveInput, home: &syn::Path) -> Result<TokenStream> {
    if !input.generics.params.is_empty() {
        return Err(Error::new(input.generics.span(), "`TaskResult` needs a type without parameters"));
    }
    let Data::Struct(syn::DataStruct { fields: Fields::Named(fields), .. }) = &input.data else {
        let message = "`TaskResult` needs a struct whose fields have names: they are the attributes";
        return Err(Error::new(input.ident.span(), message));
    };
    let ident = &input.ident;
    let mut names = Vec::new();
    let mut constants = Vec::new();
    for field in &fields.named {
        let Some(member) = &field.ident else { continue };
        let name = member.unraw().to_string();
        if RESERVED.contains(&name.as_str()) {
            let message =
                format!("`{name}` is an attribute that each result has by itself; give this one another name");
            return Err(Error::new(member.span(), message));
        }
        let doc = format!("The attribute `{name}`.");
        let constant = format_ident!("{}", name.to_shouty_snake_case(), span = member.span());
        let (visibility, ty) = (&field.vis, &field.ty);
        constants.push(quote! {
            #[doc = #doc]
            #visibility const #constant: #home::Attribute<Self, #ty> = #home::Attribute::new(#name);
        });
        names.push(name);
    }
    let members: Vec<_> = fields.named.iter().filter_map(|field| field.ident.as_ref()).collect();
    let types = fields.named.iter().map(|field| &field.ty);
    Ok(quote! {
        #[automatically_derived]
        impl #home::TaskResult for #ident {
            const NAMES: &'static [&'static str] = &[#(#names),*];

            fn describe(shape: &mut #home::Shape) {
                shape.structure(::core::any::type_name::<Self>(), |shape| {
                    let _ = &shape;
                    #(shape.field::<#types>(#names);)*
                });
            }

            fn into_attributes(self) -> ::core::result::Result<
                ::core::option::Option<::std::vec::Vec<(::std::string::String, #home::Data)>>,
                #home::Mismatch,
            > {
                let mut attributes = <#home::Attributes as ::core::default::Default>::default();
                #(attributes.put(#names, self.#members)?;)*
                ::core::result::Result::Ok(::core::option::Option::Some(attributes.into_vec()))
            }

            fn from_attributes(
                mut attributes: #home::Attributes,
            ) -> ::core::result::Result<Self, #home::Mismatch> {
                let _ = &mut attributes;
                ::core::result::Result::Ok(Self { #(#members: attributes.take(#names)?),* })
            }
        }

        #[allow(dead_code, reason = "not each attribute is required by itself")]
        #[automatically_derived]
        impl #ident {
            #(#constants)*
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{expand, home};

    #[test]
    fn errors_point_at_what_cannot_be_a_result() {
        for (item, at, message) in [
            ("enum S { A }", "S", "needs a struct whose fields have names"),
            ("struct S(i64);", "S", "needs a struct whose fields have names"),
            ("struct S<T> { a: T }", "<T>", "needs a type without parameters"),
            ("struct S { a: i64, time_started: f64 }", "time_started", "an attribute that each result has"),
        ] {
            let error = expand(&syn::parse_str(item).unwrap(), &home("mine")).unwrap_err();
            assert!(error.span().source_text().unwrap_or_default().contains(at), "{item}");
            assert!(error.to_string().contains(message), "{item}: {error}");
        }
    }
}
