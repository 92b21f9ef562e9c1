//! Payloads whose meaning an attribute beside them chooses: the parameters of a link beside its kind.

use core::fmt;

use crate::attr::{Attr, Content, DecodeError, IntoAttr, Payload, Scope, Writer};

/// Where a [`choice!`](crate::choice) finds its key: an attribute of the same set, mostly ([`Beside`]).
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

/// An enum that [`choice!`](crate::choice) declares.
pub trait Choice {
    /// What chooses.
    type Key;
}

/// A builder of what one key of `C` chooses. Rows of a [`choice!`](crate::choice) make it one, those of other crates
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
/// payload, so that content is checked with its message and error paths lead into it; [`Serialize`](crate::ser); and with
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

/// The neighbour that a [`choice!`](crate::choice) names.
#[macro_export]
#[doc(hidden)]
macro_rules! __neighbour {
    ($number:literal) => { $crate::choice::Beside<$number> };
    ($neighbour:ident) => { $neighbour };
}

/// What a row of a [`choice!`](crate::choice) can be built from.
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

/// A [`choice!`](crate::choice) whose keys are text is built from one, too.
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

/// The text of a [`choice!`](crate::choice).
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
