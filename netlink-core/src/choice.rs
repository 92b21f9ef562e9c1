//! Payloads whose meaning an attribute beside them chooses: the parameters of a link beside its kind.

use core::fmt;

use crate::attr::{Attr, Content, DecodeError, IntoAttr, Payload, Scope, Writer};

/// Where a [`choice!`](macro@crate::choice) finds its key: an attribute of the same set, mostly ([`Beside`]).
///
/// For a key that stands elsewhere, implement it for an empty struct, and name that in place of the number.
pub trait Neighbour<'a, K> {
    /// Whether JSON names the choice, in a map around the content. Without, there is only the content.
    const NAMED: bool = true;

    /// The key; `None` where there is none.
    fn find(scope: &Scope<'a>) -> Option<K>;

    /// Writes the key in front of the content, which becomes the attribute of this number.
    fn put(key: K, number: u16, out: &mut Writer);

    /// Whether content beside this key is checked with its message. If it is not, what can't be read as the row says is
    /// kept as bytes.
    #[inline]
    fn checked(key: &K) -> bool {
        let _ = key;
        true
    }
}

/// The key is the attribute of this number.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs)]
pub struct Beside<const NUMBER: u16>;

impl<'a, K: Payload<'a>, const NUMBER: u16> Neighbour<'a, K> for Beside<NUMBER> {
    #[inline]
    fn find(scope: &Scope<'a>) -> Option<K> {
        K::decode(scope.set.find(NUMBER)?).ok()
    }

    fn put(key: K, _: u16, out: &mut Writer) {
        key.put(NUMBER, out);
    }
}

/// An enum that [`choice!`](macro@crate::choice) declares.
pub trait Choice {
    /// What chooses.
    type Key;
}

/// A builder of what one key of `C` chooses. Rows of a [`choice!`](macro@crate::choice) make it one, those of other crates
/// too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` builds none of the choices of `{C}`",
    note = "`netlink_core::choice! {{ for … }}` declares one"
)]
pub trait OneOf<C: Choice>: IntoAttr<C> {
    /// The key.
    const KEY: C::Key;

    /// What reads the content.
    type Reader<'a>: Payload<'a>;
}

/// How commands print the content of a choice.
pub trait Words {
    /// Writes each word behind a space.
    fn words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

/// Checks content of any origin, and reads it.
#[doc(hidden)]
pub fn read<'a, T: Payload<'a>>(attr: Attr<'a>, scope: &Scope<'a>) -> Result<T, DecodeError> {
    T::RULE.verify(attr.payload, scope)?;
    Ok(T::of(attr, scope)?)
}

/// Whether content that nobody checked is what its key says. A rest that is too short for an attribute is none.
#[doc(hidden)]
pub fn fits(content: &Content, attr: &Attr<'_>, scope: &Scope<'_>) -> bool {
    !matches!(attr.payload.len(), 1..4) && content.rule.verify(attr.payload, scope).is_ok()
}

/// Declares what a payload can hold, where a neighbour says what it is: one row per key.
///
/// ```
/// use netlink_core::{Payload, Str, attrs, choice};
///
/// attrs! {
///     /// `IFLA_BR_*`, one of them.
///     pub struct BridgeAttrs<'a> for Bridge {
///         /// Whether frames are sorted by VLAN.
///         7 IFLA_BR_VLAN_FILTERING vlan_filtering: bool,
///     }
/// }
///
/// choice! {
///     /// The parameters of a link, by its kind.
///     pub enum Kind<'a> by 1 name: Str<'a> {
///         /// A bridge.
///         b"bridge" => Bridge(BridgeAttrs<'a>, Bridge),
///     }
/// }
///
/// attrs! {
///     /// `IFLA_INFO_*`, two of them.
///     pub struct InfoAttrs<'a> for Info {
///         /// The kind.
///         1 IFLA_INFO_KIND kind: Str<'a>,
///         /// Its parameters.
///         2 IFLA_INFO_DATA data: Kind<'a>,
///     }
/// }
///
/// // Setting the content sets the key.
/// let info = Info::new().data(Bridge::new().vlan_filtering(true)).attrs();
/// assert_eq!(info.kind(), Some("bridge".into()));
/// assert!(matches!(info.data(), Some(Kind::Bridge(bridge)) if bridge.vlan_filtering() == Some(true)));
///
/// // A kind without a row is kept as it came, and one's own can be declared anywhere.
/// attrs! {
///     /// `IFLA_VRF_*`.
///     pub struct VrfAttrs<'a> for Vrf {
///         /// The routing table.
///         1 IFLA_VRF_TABLE table: u32,
///     }
/// }
///
/// choice! {
///     for Kind<'a> { b"vrf" => Other(VrfAttrs<'a>, Vrf), }
/// }
///
/// let info = Info::new().data(Vrf::new().table(10)).attrs();
/// assert_eq!(info.data().unwrap().name(), "vrf");
/// let scope = netlink_core::Scope::new(&[], info.iter());
/// assert_eq!(Kind::read_as::<Vrf>(2, &scope)?.unwrap().table(), Some(10));
/// assert!(Kind::read_as::<Bridge>(2, &scope)?.is_none());
/// # Ok::<(), netlink_core::DecodeError>(())
/// ```
///
/// `by 1 name: Str<'a>` is the number of the attribute that has the key, the method that gives the key, and its type, which
/// is a [`Payload`](crate::Payload). In place of the number stands the name of a
/// [`Neighbour`](crate::choice::Neighbour) where the key isn't simply an attribute of the set.
///
/// A row is `key => Variant(Reader, Builder),` under its doc comment. The key is a byte string for a [`Str`](crate::Str),
/// or a constant, such as those of [`values!`](crate::values). The reader is what the content is: a set, a struct,
/// anything that is a [`Payload`](crate::Payload). What builds it becomes the enum by itself wherever that is wanted; leave
/// it out where two rows have the same one. Where keys are text, content of no bytes is not written: a kind without
/// parameters has a name only.
///
/// It makes the enum, with a variant `Other` for keys without a row; the rule and the [`Shape`](crate::Shape) of the
/// payload, so that content is checked with its message and error paths lead into it; `Serialize`; and with
/// `enum Kind<'a>: Display by …`, where each reader has [`Words`](crate::choice::Words), its text.
///
/// The form with `for` adds what somebody else's enum can be built from and read as. It takes the enum's name, without a
/// path.
#[macro_export]
macro_rules! choice {
    (for $name:ident<$a:lifetime> { $( $($text:literal)? $($value:path)? => Other($reader:ty, $builder:ty), )* }) => {
        $( $crate::__one_of! { $name $a [$( $crate::Str::new($text) )? $( $value )?] Other $reader, $builder } )*
    };
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident<$a:lifetime> $(: $display:ident)? by $neighbour:tt $key:ident: $type:ty {
            $( $(#[$row:meta])* $($text:literal)? $($value:path)? => $variant:ident($reader:ty $(, $builder:ty)?), )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        #[allow(clippy::large_enum_variant)] // It borrows, lives shortly and must not allocate.
        $vis enum $name<$a> {
            $( $(#[$row])* $variant($reader), )*
            /// One without a row here: its key, and its content as it is.
            Other($type, $crate::Raw<$a>),
        }

        impl<$a> $crate::choice::Choice for $name<$a> {
            type Key = $type;
        }

        #[allow(unreachable_pub, dead_code, non_upper_case_globals)]
        impl<$a> $name<$a> {
            /// What chooses it.
            pub fn $key(&self) -> $type {
                match self {
                    $( Self::$variant(_) => $( $crate::Str::new($text) )? $( $value )?, )*
                    Self::Other(key, _) => *key,
                }
            }

            /// What this key chooses, without content.
            pub fn named(key: $type) -> Self {
                let nothing = $crate::Attr { number: 0, flags: 0, payload: &[] };
                Self::of_key(key, nothing, &$crate::Scope::default()).unwrap_or(Self::Other(key, $crate::Raw::default()))
            }

            /// What a set holds under this number, also where it has the key alone; `None` without a key.
            pub fn find(number: u16, scope: &$crate::Scope<$a>) -> ::core::option::Option<Self> {
                let payload = scope.set.find(number).unwrap_or_default();
                Self::of_key(Self::find_key(scope)?, $crate::Attr { number, flags: 0, payload }, scope).ok()
            }

            /// The attribute of this number in a set, read as what `T` builds; `None` if the key is not that of `T`. Without the
            /// attribute there is no content. It is checked first, as the enum may have no row for it.
            pub fn read_as<T: $crate::choice::OneOf<$name<'static>>>(
                number: u16,
                scope: &$crate::Scope<$a>,
            ) -> ::core::result::Result<::core::option::Option<T::Reader<$a>>, $crate::DecodeError> {
                let key: ::core::option::Option<$type> = Self::find_key(scope);
                if key != Some(T::KEY) {
                    return Ok(None);
                }
                let payload = scope.set.find(number).unwrap_or_default();
                $crate::choice::read($crate::Attr { number, flags: 0, payload }, scope).map(Some)
            }

            fn find_key(scope: &$crate::Scope<$a>) -> ::core::option::Option<$type> {
                <$crate::__neighbour!($neighbour) as $crate::choice::Neighbour<$a, $type>>::find(scope)
            }

            fn checked(key: &$type) -> bool {
                <$crate::__neighbour!($neighbour) as $crate::choice::Neighbour<$a, $type>>::checked(key)
            }

            fn content(key: $type) -> ::core::option::Option<&'static $crate::Content> {
                $( const $variant: <$name<'static> as $crate::choice::Choice>::Key =
                    $( $crate::Str::new($text) )? $( $value )?; )*
                match key {
                    $( $variant => Some(&const { $crate::Content::of::<$reader>() }), )*
                    _ => None,
                }
            }

            fn of_key(
                key: $type,
                attr: $crate::Attr<$a>,
                scope: &$crate::Scope<$a>,
            ) -> ::core::result::Result<Self, $crate::Malformed> {
                $( const $variant: <$name<'static> as $crate::choice::Choice>::Key =
                    $( $crate::Str::new($text) )? $( $value )?; )*
                let fits = |content| $crate::choice::fits(content, &attr, scope);
                if !Self::checked(&key) && !Self::content(key).is_some_and(fits) {
                    return Ok(Self::Other(key, attr.payload.into()));
                }
                match key {
                    $( $variant => <$reader as $crate::Payload<$a>>::of(attr, scope).map(Self::$variant), )*
                    _ => Ok(Self::Other(key, attr.payload.into())),
                }
            }
        }

        impl<$a> $crate::Payload<$a> for $name<$a> {
            type Value = Self;
            const FLAGS: u16 = $crate::attr::NLA_F_NESTED;
            const RULE: $crate::Rule = $crate::Rule::select(|scope| {
                let key = $name::find_key(scope).filter($name::checked)?;
                $name::content(key)
            });
            const SHAPE: $crate::Shape = $crate::Shape::Select {
                choose: |scope| $name::content($name::find_key(scope)?),
                all: || &const { [$( &const { $crate::Content::of::<$reader>() }, )*] },
            };
            const SECRET: bool = false $( || <$reader as $crate::Payload<$a>>::SECRET )*;

            /// Without a neighbour nothing is known.
            fn decode(payload: &$a [u8]) -> ::core::result::Result<Self, $crate::Malformed> {
                Ok(Self::Other(::core::default::Default::default(), payload.into()))
            }

            fn of(
                attr: $crate::Attr<$a>,
                scope: &$crate::Scope<$a>,
            ) -> ::core::result::Result<Self, $crate::Malformed> {
                Self::of_key(Self::find_key(scope).unwrap_or_default(), attr, scope)
            }

            fn encode(&self, out: &mut $crate::Writer) {
                match self {
                    $( Self::$variant(content) => content.encode(out), )*
                    Self::Other(_, content) => content.encode(out),
                }
            }

            fn put(&self, number: u16, out: &mut $crate::Writer) {
                const TEXT: bool = false $( $( || !$text.is_empty() )? )*;
                let key = self.$key();
                <$crate::__neighbour!($neighbour) as $crate::choice::Neighbour<$a, $type>>::put(key, number, out);
                let before = out.len();
                match self {
                    $( Self::$variant(content) => content.put(number, out), )*
                    Self::Other(_, content) => out.nest(number, |out| content.encode(out)),
                }
                if TEXT && out.len() == before + 4 && out.error().is_none() {
                    out.truncate(before);
                }
            }
        }

        $( $crate::__one_of! { $name $a [$( $crate::Str::new($text) )? $( $value )?] $variant $reader $(, $builder)? } )*

        $crate::__choice_text! { [$( $($text)? )*] $name $a }
        $crate::__choice_display! { [$($display)?] $name $key $($variant)* }

        $crate::serialize! { @with [$a] $name<$a>, |choice, serializer| {
            let named = <$crate::__neighbour!($neighbour) as $crate::choice::Neighbour<$a, $type>>::NAMED;
            match choice {
                $( Self::$variant(content) => $crate::ser::choice(serializer, named, &choice.$key(), content), )*
                Self::Other(_, content) => $crate::ser::choice(serializer, named, &"other", content),
            }
        } }
    };
}

/// The neighbour that a [`choice!`](macro@crate::choice) names.
#[macro_export]
#[doc(hidden)]
macro_rules! __neighbour {
    ($number:literal) => { $crate::choice::Beside<$number> };
    ($neighbour:ident) => { $neighbour };
}

/// What a row of a [`choice!`](macro@crate::choice) can be built from.
#[macro_export]
#[doc(hidden)]
macro_rules! __one_of {
    ($name:ident $a:lifetime $key:tt $variant:ident $reader:ty) => {};
    ($name:ident $a:lifetime $key:tt Other $reader:ty, $builder:ty) => {
        $crate::__one_of! { @of $name $a $key $reader, $builder, |content, key| {
            let mut out = $crate::Writer::new();
            <$reader as $crate::Payload<$a>>::encode(&content, &mut out);
            $name::Other(key, out.into())
        } }
    };
    ($name:ident $a:lifetime $key:tt $variant:ident $reader:ty, $builder:ty) => {
        $crate::__one_of! { @of $name $a $key $reader, $builder, |content, _key| $name::$variant(content) }
    };
    (
        @of $name:ident $a:lifetime [$($value:tt)*] $reader:ty, $builder:ty,
        |$content:ident, $key:ident| $make:expr
    ) => {
        impl $crate::choice::OneOf<$name<'static>> for $builder {
            const KEY: <$name<'static> as $crate::choice::Choice>::Key = $($value)*;
            type Reader<$a> = $reader;
        }

        impl<$a> From<$builder> for $name<$a> {
            fn from(builder: $builder) -> Self {
                let $content: $reader = $crate::IntoAttr::into_attr(builder);
                let $key = <$builder as $crate::choice::OneOf<$name<'static>>>::KEY;
                $make
            }
        }

        impl<$a> $crate::IntoAttr<$name<$a>> for $builder {
            fn into_attr(self) -> $name<$a> {
                self.into()
            }
        }
    };
}

/// A [`choice!`](macro@crate::choice) whose keys are text is built from one, too.
#[macro_export]
#[doc(hidden)]
macro_rules! __choice_text {
    ([] $($rest:tt)*) => {};
    ([$($text:tt)+] $name:ident $a:lifetime) => {
        /// What has this name, without content.
        impl<$a> From<&$a str> for $name<$a> {
            fn from(name: &$a str) -> Self {
                Self::named(name.into())
            }
        }

        impl<$a> $crate::IntoAttr<$name<$a>> for &$a str {
            fn into_attr(self) -> $name<$a> {
                self.into()
            }
        }
    };
}

/// The text of a [`choice!`](macro@crate::choice).
#[macro_export]
#[doc(hidden)]
macro_rules! __choice_display {
    ([] $($rest:tt)*) => {};
    ([Display] $name:ident $key:ident $($variant:ident)*) => {
        /// The key, then the content as commands print it.
        impl ::core::fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(&self.$key(), f)?;
                match self {
                    $( Self::$variant(content) => $crate::choice::Words::words(content, f), )*
                    Self::Other(_, content) => write!(f, " {content}"),
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec::Vec;

    use super::*;
    use crate::attr::{Attrs, NLA_F_NESTED, Shape, Unsendable};
    use crate::trace::Tree;
    use crate::{Malformed, MessageFlags, Raw, Str, attrs, layout, message, values};

    values! {
        /// Types.
        struct Kind: u16 {
            /// Attributes.
            1 K_SET SET "set",
            /// A struct.
            2 K_FIXED FIXED "fixed",
            /// A name.
            3 K_NAME NAME "name",
        }
    }
    layout! {
        /// A struct.
        struct Fixed: fixed = 4 {
            /// A number.
            number: u32,
        }
    }
    attrs! {
        /// A set.
        struct InnerAttrs<'a> for Inner { 1 I_NUMBER number: u32, 2 I_NAME name: Str<'a, 3>, }
    }

    impl Words for InnerAttrs<'_> {
        fn words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, " number {}", self.number().unwrap_or_default())
        }
    }

    impl Words for Fixed {
        fn words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, " {}", self.number)
        }
    }

    impl Words for Str<'_> {
        fn words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, " {self}")
        }
    }

    choice! {
        /// By a number behind it.
        enum Held<'a>: Display by 3 kind: Kind {
            /// Attributes.
            Kind::SET => Set(InnerAttrs<'a>, Inner),
            /// A struct.
            Kind::FIXED => Fixed(Fixed, Fixed),
            /// A name.
            Kind::NAME => Name(Str<'a>),
        }
    }

    choice! {
        /// By a name.
        enum ByName<'a> by 4 name: Str<'a> {
            /// Attributes.
            b"set" => Set(InnerAttrs<'a>, Inner),
            /// Others like them.
            b"sea" => Sea(InnerAttrs<'a>),
        }
    }

    /// The first byte of the header; in 7, content is not checked.
    struct OfHeader;

    impl Neighbour<'_, u8> for OfHeader {
        const NAMED: bool = false;

        fn find(scope: &Scope<'_>) -> Option<u8> {
            scope.header.first().copied()
        }

        fn put(_: u8, _: u16, _: &mut Writer) {}

        fn checked(key: &u8) -> bool {
            *key != 7
        }
    }

    const STRICT: u8 = 6;
    const LOOSE: u8 = 7;

    choice! {
        /// By the header.
        enum Family<'a> by OfHeader family: u8 {
            /// Checked with the message.
            STRICT => Strict(InnerAttrs<'a>, Inner),
            /// Kept as bytes if it is something else.
            LOOSE => Loose(InnerAttrs<'a>),
        }
    }

    layout! {
        /// Header.
        struct Header: header = 1 {
            /// A family.
            family: u8,
        }
    }
    attrs! {
        /// All of them.
        struct AllAttrs<'a> for AllRequest<R>, AllSet {
            2 A_HELD held: Held<'a>,
            3 A_KIND kind: Kind,
            4 A_NAME name: Str<'a>,
            5 A_NAMED named: ByName<'a>,
        }
    }
    attrs! {
        /// What the header chooses.
        struct FamilyAttrs<'a> for FamilySet { 6 A_FAMILY family: Family<'a>, }
    }
    message! {
        /// A message.
        struct All<'a>(Header, AllAttrs<'a>), AllRequest {
            /// Made.
            16 A_NEW NEW,
        }
    }

    fn set<'x>(held: impl IntoAttr<Held<'x>>) -> Vec<u8> {
        let mut out = Writer::new();
        AllSet::new().held(held).attrs().encode(&mut out);
        assert_eq!(out.error(), None);
        out.into_bytes()
    }

    fn read<'a>(family: &'a [u8], bytes: &'a [u8]) -> Result<AllAttrs<'a>, DecodeError> {
        AllAttrs::read(&Scope::new(family, Attrs::new(bytes)))
    }

    /// Number and flags of each attribute.
    fn types(bytes: &[u8]) -> Vec<u16> {
        Attrs::new(bytes).flatten().map(|attr| attr.number | attr.flags).collect()
    }

    #[test]
    fn content_is_of_any_type_and_goes_with_its_key() {
        let bytes = set(Inner::new().number(5));
        assert_eq!(types(&bytes), [3, 2 | NLA_F_NESTED]);
        assert_eq!(read(&[], &bytes).unwrap().held(), Some(Inner::new().number(5).into()));
        let bytes = set(Fixed { number: 5 });
        // A struct is no set.
        assert_eq!(types(&bytes), [3, 2]);
        let all = read(&[], &bytes).unwrap();
        let held = all.held().unwrap();
        assert_eq!((held.kind(), &held), (Kind::FIXED, &Held::Fixed(Fixed { number: 5 })));
        assert_eq!(format!("{held} {held:?}"), "fixed 5 Fixed(Fixed { number: 5 })");
        let other = Held::Other(Kind(9), [1, 2][..].into());
        let bytes = set(other.clone());
        assert_eq!(read(&[], &bytes).unwrap().held(), Some(other.clone()));
        assert_eq!(format!("{other} {other:?}"), "9 0102 Other(9, 0102)");
        assert_eq!(types(&set(Held::Name("x".into()))), [3, 2]);
        // Without a key, nothing is known.
        assert_eq!(read(&[], &bytes[8..]).unwrap().held(), Some(Held::Other(Kind(0), [1, 2][..].into())));
        assert_eq!(Held::find(2, &Scope::new(&[], Attrs::new(&bytes[8..]))), None);
    }

    #[test]
    fn content_is_checked_with_the_set_as_its_key_says() {
        let mut wrong = Writer::new();
        wrong.put_array(2, [0; 3]);
        let with = |kind: Kind| {
            let mut out = wrong.clone();
            kind.put(3, &mut out);
            out.into_bytes()
        };
        let error = read(&[], &with(Kind::FIXED)).unwrap_err();
        assert_eq!(error, DecodeError { at: "A_HELD", why: Malformed::Length { want: 4, got: 3 } });
        assert!(read(&[], &with(Kind::NAME)).is_ok() && read(&[], &with(Kind(9))).is_ok());
        let mut inside = Writer::new();
        Kind::SET.put(3, &mut inside);
        inside.nest(2, |out| out.put_array(1, [0; 2]));
        assert_eq!(read(&[], inside.as_slice()).unwrap_err().at, "I_NUMBER");
    }

    #[test]
    fn names_without_content_are_written_alone() {
        let mut out = Writer::new();
        AllSet::new().named(Inner::new()).attrs().encode(&mut out);
        assert_eq!(types(out.as_slice()), [4]);
        let scope = Scope::new(&[], Attrs::new(out.as_slice()));
        assert_eq!(ByName::find(5, &scope), Some(ByName::Set(InnerAttrs::EMPTY)));
        assert_eq!(ByName::read_as::<Inner>(5, &scope), Ok(Some(InnerAttrs::EMPTY)));
        assert_eq!(AllAttrs::read(&scope).unwrap().named(), None);
        assert_eq!(ByName::from("sea"), ByName::Sea(InnerAttrs::EMPTY));
        assert_eq!(ByName::from("seas"), ByName::Other("seas".into(), Raw::default()));
        assert_eq!(ByName::from("sea").name(), "sea");
        // A number says less: content of no bytes is content.
        assert_eq!(types(&set(Inner::new())), [3, 2 | NLA_F_NESTED]);
    }

    #[test]
    fn what_can_not_be_sent_is_not_lost_on_the_way() {
        let long = || Inner::new().name("long");
        let mut out = Writer::new();
        AllSet::new().held(long()).attrs().encode(&mut out);
        assert!(matches!(out.error(), Some((_, Unsendable::TooLong { length: 4, max: 3 }))), "{out:?}");
        let mut inside = Writer::new();
        long().attrs().encode(&mut inside);
        let mut out = Writer::new();
        ByName::Other("x".into(), inside.into()).put(5, &mut out);
        assert!(matches!(out.error(), Some((_, Unsendable::TooLong { length: 4, max: 3 }))), "{out:?}");
    }

    #[test]
    fn content_that_is_not_checked_is_kept_as_bytes() {
        fn family<'a>(family: &'a [u8], bytes: &'a [u8]) -> Result<FamilyAttrs<'a>, DecodeError> {
            FamilyAttrs::read(&Scope::new(family, Attrs::new(bytes)))
        }
        let mut out = Writer::new();
        out.nest(6, |out| out.put_array(1, [0; 2]));
        let (wrong, inner) = (out.as_slice(), &out.as_slice()[4..]);
        assert_eq!(family(&[6], wrong).unwrap_err().at, "I_NUMBER");
        assert_eq!(family(&[7], wrong).unwrap().family(), Some(Family::Other(7, inner.into())));
        assert_eq!(family(&[8], wrong).unwrap().family(), Some(Family::Other(8, inner.into())));
        let mut out = Writer::new();
        out.put_array(6, [1]);
        assert_eq!(family(&[7], out.as_slice()).unwrap().family(), Some(Family::Other(7, [1][..].into())));
        let mut out = Writer::new();
        FamilySet::new().family(Inner::new().number(1)).attrs().encode(&mut out);
        assert_eq!(types(out.as_slice()), [6 | NLA_F_NESTED]);
        let loose = Family::Loose(Inner::new().number(1).attrs());
        assert_eq!(family(&[7], out.as_slice()).unwrap().family(), Some(loose));
    }

    #[test]
    fn tools_see_what_is_inside() {
        let request = AllRequest::<()>::new(&All::NEW, MessageFlags::empty(), Header::default());
        let bytes = request.held(Inner::new().number(5)).to_bytes().unwrap();
        let tree = format!("{}", Tree::new(&bytes, Some(&All::NEW)));
        assert!(tree.ends_with("A_KIND set\n    A_HELD\n        I_NUMBER 5"), "{tree}");
        let place = All::NEW.place(&bytes, bytes.len() - 1).map(|place| format!("{place}"));
        assert_eq!(place.as_deref(), Some("A_HELD.I_NUMBER"));
        let request = AllRequest::<()>::new(&All::NEW, MessageFlags::empty(), Header::default());
        let bytes = request.held(Fixed { number: 5 }).to_bytes().unwrap();
        let tree = format!("{}", Tree::new(&bytes, Some(&All::NEW)));
        assert!(tree.ends_with("A_HELD Fixed { number: 5 }"), "{tree}");
        let Shape::Select { all, .. } = <Held<'_> as Payload<'_>>::SHAPE else { panic!() };
        let all: Vec<_> = all().iter().map(|content| format!("{:?}", content.shape)).collect();
        assert_eq!(all, ["Set(InnerAttrs)", "Value", "Value"]);
    }
}
