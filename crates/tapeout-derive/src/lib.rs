//! What is made of a struct while it is compiled.
//!
//! - `#[derive(Schema)]`: from a struct or an enum to the implementation of `tapeout_config::Configured`. Owns what may be
//!   written in `#[schema(…)]`; what it means is told by `tapeout-config`, which re-exports the macro.
//! - `#[derive(TaskResult)]`: from a struct to the implementation of `tapeout_flow::project::TaskResult`, beside which the
//!   macro is found.

mod attributes;
mod expand;
mod task_result;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes the fields of a struct variables of a configuration, or the variants of an enum the words of a choice.
///
/// ```ignore
/// /// What the power report looks at.
/// #[derive(Schema)]
/// struct Power {
///     /// The supply voltage.
///     #[schema(units = "V", default = 0.75)]
///     supply: Decimal,
///     /// The activity file. Power is estimated without one if it is not given.
///     #[schema(name = "saif", mandatory_in("signoff"))]
///     activity: Option<PathBuf>,
/// }
/// ```
///
/// The documentation comment of a field is that of the variable. `Option<T>` is a field that may be without a value; a
/// field whose type derives `Schema` too is a group of variables with dotted names, and an `Option` of such a type is
/// there when any of its fields was given. In lists, maps and tuples such a type is one value with named parts.
///
/// In `#[schema(…)]` of a field:
///
/// | attribute | meaning |
/// |---|---|
/// | `name = "…"` | the name in configurations, if it is not that of the field |
/// | `default = EXPR` | the value where none is given; a decimal may be written as a number or as text |
/// | `units = "ns"` | the unit of its numbers |
/// | `env = "NAME"` | the variable of the environment that sets it |
/// | `check = path` | a `fn(&Value) -> Result<(), String>`: a further condition |
/// | `shortcut = "syn"` | its short option |
/// | `mandatory_in("mode", …)` | the modes in which this `Option` must have a value after initialisation |
/// | `derived_from("name", …)` | it is worked out from these; before that it has its type's `Default` |
/// | `deprecated = path` | a name of former times with a `tapeout_config::Translation`; its own value stays the `Default` |
/// | `formerly("old", …)` | names of former times for the same value |
/// | `secret` | its value is never shown |
/// | `from_pdk` | the PDK or its cell library may give it |
/// | `dir`, `new_path` | its paths are directories, or need not exist yet |
/// | `doc = "…"` | documentation in place of the comment |
/// | `fields(inner(…), …)` | for a field that is such a struct: attributes of its fields, in place of their own |
///
/// On the type and on the variants of an enum there is `name = "…"`: what one of its values is called, and the word of
/// the variant if that is not its name in snake case.
#[proc_macro_derive(Schema, attributes(schema))]
pub fn derive_schema(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes a struct what a task gives: its fields are the attributes of the result, and there is a constant for each that
/// names it, as `HEX` for `hex`.
#[proc_macro_derive(TaskResult)]
pub fn derive_task_result(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let home = task_result::home(&std::env::var("CARGO_PKG_NAME").unwrap_or_default());
    task_result::expand(&input, &home).unwrap_or_else(syn::Error::into_compile_error).into()
}
