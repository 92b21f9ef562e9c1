//! `serde::Serialize` for decoded values, and `Deserialize` for those that are one text or a set of bits, behind the
//! feature `serde`: these macros expand to nothing without it, so tables mention them always.
//!
//! A message is one object. Members of its fixed header and attributes stand side by side, under the names of their
//! getters; what is absent is left out, and so are padding and what [`message!`](crate::message!) hides with `shows`. An
//! attribute without a row is under its number.
//!
//! | value | in JSON |
//! | --- | --- |
//! | address, prefix, hardware address | text: `"192.0.2.0/24"`, `"02:00:00:00:5e:01"` |
//! | one of `values!` | its name, as iproute2 has it; its number as text, if it has none |
//! | `flags!` and `bits!` | a list of names, and one number in hexadecimal for the bits without a name: `["UP", "0x80000000"]` |
//! | nested attributes | an object; where a neighbour chose them, under the name of what it chose |
//! | bytes | hexadecimal digits |
//! | keys | how long they are |
//!
//! The first three are read from that, too; a value also from its number where it has a name, as what wrote it may have been
//! older.

#[cfg(feature = "serde")]
mod on {
    use alloc::format;
    use alloc::string::String;
    use alloc::vec::Vec;
    use core::fmt::Display;
    use core::ops::BitOr;
    use core::str::FromStr;

    use serde::de::Error as _;
    use serde::ser::{SerializeMap, SerializeSeq as _, SerializeStructVariant as _};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::error::Quoted;
    use crate::layout::Field;
    use crate::{Attrs, Table};

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

    /// What shows as members of a map, and can stand beside the members of something else.
    pub trait Members {
        /// Adds them.
        fn members<M: SerializeMap>(&self, fields: &mut Fields<'_, M>) -> Result<(), M::Error>;
    }

    impl Members for () {
        fn members<M: SerializeMap>(&self, _: &mut Fields<'_, M>) -> Result<(), M::Error> {
            Ok(())
        }
    }

    /// A map of members.
    #[doc(hidden)]
    pub fn map<S: Serializer>(serializer: S, members: &impl Members) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        members.members(&mut Fields { map: &mut map, hidden: &|_| false })?;
        map.end()
    }

    /// Fields on their way into a map.
    #[doc(hidden)]
    pub struct Fields<'m, M> {
        map: &'m mut M,
        /// Those that something else stands for.
        hidden: &'m dyn Fn(&str) -> bool,
    }

    impl<M: SerializeMap> Fields<'_, M> {
        /// Adds one.
        pub fn entry(
            &mut self,
            name: &'static str,
            value: &(impl Serialize + ?Sized),
        ) -> Result<(), M::Error> {
            if (self.hidden)(name) { Ok(()) } else { self.map.serialize_entry(name, value) }
        }

        /// Adds a member of a fixed struct, unless it is padding or absent.
        pub fn member(
            &mut self,
            name: &'static str,
            value: &(impl Field + Serialize),
        ) -> Result<(), M::Error> {
            if value.is_data() { self.entry(name, value) } else { Ok(()) }
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
            self.map.serialize_entry(&attr.number, &crate::Bytes(attr.payload))
        }

        /// Those that are not hidden.
        pub fn without(
            &mut self,
            hidden: impl Fn(&str) -> bool,
            add: impl FnOnce(&mut Fields<'_, M>) -> Result<(), M::Error>,
        ) -> Result<(), M::Error> {
            let before = self.hidden;
            add(&mut Fields { map: self.map, hidden: &|name| before(name) || hidden(name) })
        }
    }

    /// Whether a set has an attribute of this name.
    #[doc(hidden)]
    pub fn repeats(table: &Table, attrs: Attrs<'_>, name: &str) -> bool {
        table.rows.iter().any(|row| row.field == name && attrs.find(row.number).is_some())
    }

    /// A map whose keys are known when it runs.
    #[derive(Debug)]
    pub struct Map<K, V>(pub Vec<(K, V)>);

    impl<K, V> FromIterator<(K, V)> for Map<K, V> {
        fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
            Self(pairs.into_iter().collect())
        }
    }

    impl<K: Serialize, V: Serialize> Serialize for Map<K, V> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
        }
    }

    /// A set of bits: a list of names, and the bits without a name as one number in hexadecimal.
    #[doc(hidden)]
    pub fn set<S: Serializer>(
        serializer: S,
        mut names: impl Iterator<Item = impl Serialize>,
        rest: impl Into<u64>,
    ) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        names.try_for_each(|name| list.serialize_element(&name))?;
        match rest.into() {
            0 => {}
            rest => list.serialize_element(&format_args!("{rest:#x}"))?,
        }
        list.end()
    }

    /// Reads what [`set`] wrote.
    #[doc(hidden)]
    pub fn read_set<'de, D: Deserializer<'de>, T: Default + BitOr<Output = T>, N: TryFrom<u64>>(
        deserializer: D,
        what: &str,
        named: impl Fn(&str) -> Option<T>,
        bits: impl Fn(N) -> T,
    ) -> Result<T, D::Error> {
        let number = |text: &str| {
            let digits = text.strip_prefix("0x").filter(|digits| !digits.starts_with('+'))?;
            N::try_from(u64::from_str_radix(digits, 16).ok()?).ok().map(&bits)
        };
        let mut texts = Vec::<String>::deserialize(deserializer)?.into_iter();
        texts.try_fold(T::default(), |set, text| match named(&text).or_else(|| number(&text)) {
            Some(item) => Ok(set | item),
            None => Err(D::Error::custom(wrong(&text, what))),
        })
    }

    /// Reads a value from its text.
    #[doc(hidden)]
    pub fn read<'de, D: Deserializer<'de>, T, E: Display>(
        deserializer: D,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, D::Error> {
        parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }

    /// A number with digits only.
    #[doc(hidden)]
    pub fn number<T: FromStr>(text: &str) -> Option<T> {
        text.parse().ok().filter(|_| !text.starts_with('+'))
    }

    /// Why a text is refused.
    #[doc(hidden)]
    pub fn wrong(text: &str, what: &str) -> String {
        format!("{}not a {what}", Quoted::new(text))
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
pub use on::{Fields, Map, Members, changed, choice, map, number, read, read_set, repeats, set, wrong};

/// Serializes a type of a family crate: as a map of fields, as a list, as one value,
/// with code of its own, or as its `Display` text. What is `@parsed` is read from that text, too.
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
    (@parsed $type:ty, |$text:ident| $parse:expr) => {
        $crate::serialize! { @text [] $type }

        impl<'de> $crate::serde::Deserialize<'de> for $type {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                $crate::ser::read(deserializer, |$text| $parse)
            }
        }
    };
    (@set $type:ident, |$set:ident| $names:expr, $rest:expr, |$text:ident| $named:expr, $bits:expr) => {
        $crate::serialize! { @with [] $type, |$set, serializer| $crate::ser::set(serializer, $names, $rest) }

        impl<'de> $crate::serde::Deserialize<'de> for $type {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                $crate::ser::read_set(deserializer, stringify!($type), |$text| $named, $bits)
            }
        }
    };
    (impl [$($generics:tt)*] for $type:ty, |$set:ident, $fields:ident| $body:block) => {
        impl<$($generics)*> $crate::ser::Members for $type {
            fn members<M: $crate::serde::ser::SerializeMap>(
                &self,
                $fields: &mut $crate::ser::Fields<'_, M>,
            ) -> ::core::result::Result<(), M::Error> {
                let $set = self;
                $body
                Ok(())
            }
        }

        $crate::serialize! { @with [$($generics)*] $type, |members, serializer| $crate::ser::map(serializer, members) }
    };
}

/// See the version with the feature `serde`.
#[cfg(not(feature = "serde"))]
#[macro_export]
macro_rules! serialize {
    ($($ignored:tt)*) => {};
}

/// Adds what [`message!`](crate::message!) and the like declare with `shows`, and is a list of what that stands for.
#[cfg(feature = "serde")]
#[macro_export]
#[doc(hidden)]
macro_rules! __shown {
    ($set:ident $fields:ident) => {
        [""; 0]
    };
    (
        $set:ident $fields:ident $this:ident { $($name:ident: $value:expr),* $(; $($hidden:ident)+)? }
    ) => {{
        let $this = $set;
        $( $fields.present(stringify!($name), || $value)?; )*
        [$( stringify!($name), )* $( $( stringify!($hidden) ),+ )?]
    }};
}

/// Serializes a type as its `Display` text.
#[macro_export]
macro_rules! serialize_display {
    ($type:ty) => {
        $crate::serialize! { @text [] $type }
    };
}
