//! `serde::Serialize` for decoded values, behind the feature `serde`: these macros expand to nothing without it,
//! so tables mention them always.

#[cfg(feature = "serde")]
mod on {
    use core::fmt::Display;

    use serde::ser::{SerializeMap, SerializeStructVariant as _};
    use serde::{Serialize, Serializer};

    /// An event with what happened.
    #[doc(hidden)]
    pub fn changed<S: Serializer>(
        serializer: S,
        name: &'static str,
        variant: &'static str,
        change: crate::Change,
        object: &impl Serialize,
    ) -> Result<S::Ok, S::Error> {
        let mut event = serializer.serialize_struct_variant(name, 0, variant, 2)?;
        event.serialize_field("change", &change)?;
        event.serialize_field("object", object)?;
        event.end()
    }

    /// The fields of a set on their way into a map.
    #[doc(hidden)]
    pub struct Fields<'m, M>(pub &'m mut M);

    impl<M: SerializeMap> Fields<'_, M> {
        /// Adds one.
        pub fn entry(
            &mut self,
            name: &'static str,
            value: &(impl Serialize + ?Sized),
        ) -> Result<(), M::Error> {
            self.0.serialize_entry(name, value)
        }

        /// Adds one that may be absent. It asks for the value itself: else the code of a set has room on its stack for
        /// each of its fields, and sets inside of sets take a stack of hundreds of kilobytes.
        pub fn present<T: Serialize>(
            &mut self,
            name: &'static str,
            get: impl FnOnce() -> Option<T>,
        ) -> Result<(), M::Error> {
            match get() {
                Some(value) => self.entry(name, &value),
                None => Ok(()),
            }
        }

        /// Adds an attribute without a row, under its number.
        pub fn unknown(&mut self, attr: &crate::Attr<'_>) -> Result<(), M::Error> {
            self.0.serialize_entry(&attr.number, &crate::Bytes(attr.payload))
        }
    }

    /// Content alone, or under the name of what chose it.
    pub fn choice<S: Serializer>(
        serializer: S,
        named: bool,
        name: &dyn Display,
        content: &impl Serialize,
    ) -> Result<S::Ok, S::Error> {
        if !named {
            return content.serialize(serializer);
        }
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(&format_args!("{name}"), content)?;
        map.end()
    }
}

#[cfg(feature = "serde")]
#[doc(hidden)]
pub use on::{Fields, changed, choice};

/// Serializes a type of a family crate: as a map of fields, as a list, as one value,
/// with code of its own, or as its `Display` text.
/// Expands to nothing without the feature `serde` of the core.
#[cfg(feature = "serde")]
#[macro_export]
macro_rules! serialize {
    (@value $type:ty, |$value:ident| $get:expr) => {
        impl $crate::serde::Serialize for $type {
            fn serialize<S: $crate::serde::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                let $value = self;
                $crate::serde::Serialize::serialize(&$get, serializer)
            }
        }
    };
    (@with [$($generics:tt)*] $type:ty, |$value:ident, $serializer:ident| $body:expr) => {
        impl<$($generics)*> $crate::serde::Serialize for $type {
            fn serialize<S: $crate::serde::Serializer>(
                &self,
                $serializer: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                #[allow(unused_imports)]
                use $crate::serde::Serialize as _;
                let $value = self;
                $body
            }
        }
    };
    (@text [$($generics:tt)*] $type:ty) => {
        impl<$($generics)*> $crate::serde::Serialize for $type {
            fn serialize<S: $crate::serde::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
    (@list [$($generics:tt)*] $type:ty) => {
        impl<$($generics)* + $crate::serde::Serialize> $crate::serde::Serialize for $type {
            fn serialize<S: $crate::serde::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                serializer.collect_seq(self.iter())
            }
        }
    };
    (impl [$($generics:tt)*] for $type:ty, |$set:ident, $fields:ident| $body:block) => {
        impl<$($generics)*> $crate::serde::Serialize for $type {
            fn serialize<S: $crate::serde::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                #[allow(unused_mut)]
                let mut $fields = $crate::ser::Fields(&mut map);
                let $set = self;
                $body
                $crate::serde::ser::SerializeMap::end(map)
            }
        }
    };
}

/// See the version with the feature `serde`.
#[cfg(not(feature = "serde"))]
#[macro_export]
macro_rules! serialize {
    ($($ignored:tt)*) => {};
}

/// Serializes a type as its `Display` text.
#[macro_export]
macro_rules! serialize_display {
    ($type:ty) => {
        $crate::serialize! { @text [] $type }
    };
}
