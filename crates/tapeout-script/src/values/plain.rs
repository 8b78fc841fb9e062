//! Values that hold something of ours and have no attributes: declarations, and what functions of steps give.

/// Defines such a value: what it is, the word for its type, and how it shows.
macro_rules! plain_value {
    ($(#[$doc:meta])* $name:ident($inner:ty), $type:literal, $show:expr) => {
        $(#[$doc])*
        #[derive(
            Clone,
            Debug,
            starlark::values::ProvidesStaticType,
            starlark::values::NoSerialize,
            starlark::values::StarlarkPagablePanic,
            allocative::Allocative,
        )]
        pub(crate) struct $name(#[allocative(skip)] pub(crate) $inner);

        starlark::starlark_simple_value!($name);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let show: fn(&$inner) -> String = $show;
                f.write_str(&show(&self.0))
            }
        }

        #[starlark::values::starlark_value(type = $type)]
        impl<'v> starlark::values::StarlarkValue<'v> for $name {}
    };
}

pub(crate) use plain_value;
