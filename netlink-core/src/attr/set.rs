//! Sets of attributes, and the macro that declares them.

use alloc::boxed::Box;

use super::index::{Few, Places, Slot};
use super::rule::{check, explain};
use super::{Attr, Attrs, DecodeError, MAX_DEPTH, Malformed, Payload, Scope, Table, Writer};

/// A set of attributes: its bytes, and where each attribute of the table stands in them.
///
/// This is what every `attrs!` type is inside. Nothing is unpacked before it is asked for, and nothing is
/// lost: attributes without a row stay in the bytes.
#[derive(Clone)]
pub struct Fields<'a, const N: usize> {
    wire: &'a [u8],
    built: Built,
    /// Of a small table: where its attributes stand.
    few: Few,
    /// Of a large one, likewise.
    index: [Slot; N],
    /// What [`Scope::family`] was: some payloads mean another thing in another family.
    family: u8,
    /// What [`Scope::depth`] was.
    depth: u8,
}

/// What a builder wrote. Its destructor is one test where nothing was built, so a set read from the wire can
/// live in registers.
#[derive(Clone)]
struct Built(Option<Box<Writer>>);

impl Drop for Built {
    #[inline(always)]
    fn drop(&mut self) {
        #[cold]
        #[inline(never)]
        fn free(writer: Box<Writer>) {
            drop(writer);
        }
        if let Some(writer) = self.0.take() {
            free(writer);
        }
    }
}

impl<'a, const N: usize> Fields<'a, N> {
    /// An empty set.
    pub const EMPTY: Self = Self::new(&[]);

    /// A set of which nothing is known yet; see [`fill`](Self::fill).
    #[inline(always)]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self {
            wire: bytes,
            built: Built(None),
            few: Few::NONE,
            index: [Slot::ABSENT; N],
            family: 0,
            depth: 0,
        }
    }

    /// Finds and checks the attributes, also inside of nested sets.
    ///
    /// Inlined with all that it calls on the way of a sound message, so that a set that is looked at where it
    /// is read needs no memory.
    #[inline(always)]
    pub fn fill(&mut self, scope: &Scope<'a>, table: &'static Table) -> Result<(), DecodeError> {
        let read = if N == 0 {
            Few::read(scope, table).map(|few| self.few = few).is_some()
        } else {
            let mut index = [Slot::ABSENT; N];
            let sound = Slot::read(&mut index, *scope, table);
            self.index = index;
            sound
        };
        if !read {
            return explain(scope, table);
        }
        (self.family, self.depth) = (scope.family(), scope.depth);
        Ok(())
    }

    /// Checks a set, also inside of nested sets, and finds its attributes. The same as [`fill`](Self::fill), in
    /// shared code for all tables.
    #[inline(never)]
    pub fn read(scope: &Scope<'a>, table: &'static Table) -> Result<Self, DecodeError> {
        check(scope, table)?;
        Ok(Self::checked(scope, table).unwrap_or(Self::EMPTY))
    }

    /// Finds the attributes of a set that was checked as part of the one around it. What came from elsewhere all
    /// the same is found out by whoever asks for the attribute.
    #[inline(always)]
    pub fn inside(payload: &'a [u8], around: &Scope<'a>, table: &'static Table) -> Result<Self, Malformed> {
        let scope = around.inside(payload);
        let fields = if scope.depth < MAX_DEPTH { Self::checked(&scope, table) } else { None };
        fields.ok_or(Malformed::Value("attributes that can't be walked"))
    }

    #[inline(always)]
    fn checked(scope: &Scope<'a>, table: &'static Table) -> Option<Self> {
        let mut fields = Self::new(scope.set.rest());
        (fields.family, fields.depth) = (scope.family(), scope.depth);
        fields.find(table).then_some(fields)
    }

    #[inline(always)]
    fn find(&mut self, table: &'static Table) -> bool {
        if N == 0 {
            let few = Few::of(self.bytes(), table);
            self.few = few.unwrap_or(Few::NONE);
            return few.is_some();
        }
        let mut index = [Slot::ABSENT; N];
        let sound = Slot::fill(&mut index, self.bytes(), table.places);
        self.index = index;
        sound
    }

    /// Takes over what a builder wrote.
    pub fn built(writer: Writer, table: &'static Table) -> Self {
        let mut fields = Self { built: Built(Some(Box::new(writer))), ..Self::EMPTY };
        fields.find(table);
        fields
    }

    /// The bytes of all attributes.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        match &self.built.0 {
            None => self.wire,
            Some(writer) => writer.as_slice(),
        }
    }

    /// All attributes, in the order they stand.
    #[inline]
    pub fn attrs(&self) -> Attrs<'_> {
        Attrs::new(self.bytes())
    }

    /// The address family of the message it was read from; 0 when it is not known.
    pub fn family(&self) -> u8 {
        self.family
    }

    /// How many sets stood around it where it was read.
    pub fn depth(&self) -> u8 {
        self.depth
    }

    /// The attribute of this number; the last one where there are several, as in the kernel.
    #[inline(always)]
    pub fn get<'s, T: Payload<'s>>(&'s self, number: u16, places: Places) -> Option<T::Value> {
        match T::of(self.attr(number, places)?, &self.scope()) {
            Ok(value) => Some(value.into()),
            Err(_) => None,
        }
    }

    #[inline(always)]
    fn attr(&self, number: u16, places: Places) -> Option<Attr<'_>> {
        let (bytes, place) = (self.bytes(), places.of_row(number)?);
        if N == 0 { self.few.find(number, place, bytes) } else { self.index.get(place)?.find(number, bytes) }
    }

    /// What stands around its attributes.
    #[inline(always)]
    fn scope(&self) -> Scope<'_> {
        Scope { header: family_header(self.family), set: self.attrs(), depth: self.depth }
    }

    /// The same set without a borrow; of a table with keys the copy is wiped when it is dropped.
    pub fn into_owned(mut self, secret: bool) -> Fields<'static, N> {
        let writer = self.built.0.take();
        let writer = writer.unwrap_or_else(|| {
            let mut writer = Writer::from(self.wire);
            if secret {
                writer.keep_secret();
            }
            Box::new(writer)
        });
        Fields {
            wire: &[],
            built: Built(Some(writer)),
            few: self.few,
            index: self.index,
            family: self.family,
            depth: self.depth,
        }
    }

    /// Writes all attributes.
    pub fn encode(&self, out: &mut Writer) {
        match &self.built.0 {
            None => out.push(self.wire),
            Some(writer) => out.append(writer),
        }
    }
}

/// A fixed header of nothing but the family. It is static so that a set gives out no pointer into itself,
/// which would keep it in memory.
#[inline(always)]
pub(super) fn family_header(family: u8) -> &'static [u8] {
    static FAMILIES: [u8; 256] = {
        let mut families = [0u8; 256];
        let mut rest: &mut [u8] = &mut families;
        let mut next = 0u8;
        while let [family, others @ ..] = rest {
            *family = next;
            next = next.wrapping_add(1);
            rest = others;
        }
        families
    };
    FAMILIES.get(usize::from(family)).map_or(&[], core::slice::from_ref)
}

/// Declares a set of attributes: one row per attribute.
///
/// ```
/// use netlink_core::{Payload, Str, attrs};
///
/// attrs! {
///     /// `IFLA_*`, two of them.
///     pub struct LinkAttrs<'a> for Link {
///         /// The name: at most 15 bytes.
///         3 IFLA_IFNAME name: Str<'a, 15>,
///         /// Largest packet, in bytes.
///         4 IFLA_MTU mtu: u32,
///     }
/// }
///
/// let link = LinkAttrs::decode(&[8, 0, 4, 0, 0xdc, 5, 0, 0])?;
/// assert_eq!(link.mtu(), Some(1500));
/// assert_eq!(link.name(), None);
/// assert_eq!(Link::new().mtu(1500).attrs(), link);
/// # Ok::<(), netlink_core::Malformed>(())
/// ```
///
/// A row is `number C_NAME field: Type,` under its doc comment, and `Type` is a
/// [`Payload`](crate::Payload). It makes a getter on the set, a setter of the same name on its builder, the
/// check of its payload, its debug output, and an entry in the set's [`Table`](crate::Table). A type that only says how a
/// number is written has the number behind it, which the getter gives: `4 CTA_MARK mark: Be<u32> as u32,`.
///
/// What only the kernel writes is `number C_NAME field -> Type,` and has no setter:
///
/// ```compile_fail,E0599
/// # use netlink_core::attrs;
/// attrs! {
///     /// `IFLA_*`, two of them.
///     pub struct LinkAttrs<'a> for Link {
///         /// Largest packet, in bytes.
///         4 IFLA_MTU mtu: u32,
///         /// Number of virtual functions.
///         21 IFLA_NUM_VF num_vf -> u32,
///     }
/// }
///
/// let vfs: Option<u32> = Link::new().mtu(1500).attrs().num_vf();
/// let link = Link::new().num_vf(2);
/// ```
///
/// With `struct Name<'a> for NameRequest<R>`, the setters stand on the request that
/// [`message!`](crate::message!) declares under that name, and append to its message at once; with `for A<R>, B<R>`
/// on each of these, for messages that share a set and have fixed headers of their own. With
/// `for NameRequest<R>, NameSet` there is a builder too, for a message's set that stands in others as well.
///
/// `shows |set| { … }` behind the braces says what `Serialize` shows of it; see [`message!`](crate::message!).
#[macro_export]
macro_rules! attrs {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident<$a:lifetime> for $builder:ident { $($rows:tt)* }
        $(shows |$this:ident| $shows:tt)?
    ) => {
        $crate::__attr_set! { [$(#[$meta])*] [$($this $shows)?] $vis $name $a $($rows)* }
        $crate::__attr_builder! { [$(#[$meta])*] $vis $builder $name $($rows)* }
    };
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident<$a:lifetime> for $($request:ident<$r:ident>),+ { $($rows:tt)* }
        $(shows |$this:ident| $shows:tt)?
    ) => {
        $crate::__attr_set! { [$(#[$meta])*] [$($this $shows)?] $vis $name $a $($rows)* }
        $crate::__attr_setters! { @each [$($request $r)+] { $($rows)* } }
    };
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident<$a:lifetime> for $request:ident<$r:ident>, $builder:ident { $($rows:tt)* }
        $(shows |$this:ident| $shows:tt)?
    ) => {
        $crate::__attr_set! { [$(#[$meta])*] [$($this $shows)?] $vis $name $a $($rows)* }
        $crate::__attr_setters! { $request [$r] $($rows)* }
        $crate::__attr_builder! { [$(#[$meta])*] $vis $builder $name $($rows)* }
    };
}

/// The builder of a set that stands in others.
#[macro_export]
#[doc(hidden)]
macro_rules! __attr_builder {
    ([$(#[$meta:meta])*] $vis:vis $builder:ident $name:ident $($rows:tt)*) => {
        $crate::__attr_setters! { $builder [] $($rows)* }

        $(#[$meta])*
        ///
        /// This builds a set; each setter appends its attribute.
        #[derive(Clone, Default)]
        #[must_use]
        $vis struct $builder($crate::Writer);

        #[allow(unreachable_pub, dead_code)]
        impl $builder {
            /// An empty set.
            pub const fn new() -> Self {
                Self($crate::Writer::new())
            }

            /// Appends any attribute; for those without a setter.
            pub fn attr<'x>(mut self, number: u16, payload: &impl $crate::Payload<'x>) -> Self {
                payload.put(number, &mut self.0);
                self
            }

            /// What was built, to look at.
            pub fn attrs(self) -> $name<'static> {
                $name($crate::attr::Fields::built(self.0, $name::TABLE))
            }
        }

        impl<'x> $crate::IntoAttr<$name<'x>> for $builder {
            fn into_attr(self) -> $name<'x> {
                self.attrs()
            }
        }

        impl ::core::fmt::Debug for $builder {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::attr::debug(f, 0, 0, $name::TABLE, $crate::Attrs::new(self.0.as_slice()))
            }
        }

        impl PartialEq for $builder {
            fn eq(&self, other: &Self) -> bool {
                let attrs = |set: &Self| $crate::Attrs::new(set.0.as_slice()).rest().len();
                attrs(self) == attrs(other)
                    && $crate::attr::same(
                        0,
                        Some($name::TABLE),
                        $crate::Attrs::new(self.0.as_slice()),
                        $crate::Attrs::new(other.0.as_slice()),
                    )
            }
        }
    };
}

/// The reading side of [`attrs!`](crate::attrs).
#[macro_export]
#[doc(hidden)]
macro_rules! __attr_set {
    (
        [$(#[$meta:meta])*] [$($shows:tt)*] $vis:vis $name:ident $a:lifetime
        $( $(#[$row:meta])* $number:literal $c_name:ident $field:ident $way:tt $type:ty $(as $value:ty)?, )*
    ) => {
        $(#[$meta])*
        #[derive(Clone)]
        $vis struct $name<$a>(
            $crate::attr::Fields<$a, { $crate::attr::Places::room(&[$( $number, )*]) }>,
        );

        #[allow(unreachable_pub, dead_code)]
        impl $name<'_> {
            $(
                $(#[$row])*
                #[doc = concat!("\n\n`", stringify!($c_name), "`, ", stringify!($number), ".")]
                #[inline(always)]
                pub fn $field<$a>(&$a self) -> ::core::option::Option<$crate::__value!($type $(, $value)?)> {
                    self.0.get::<$type>($number, Self::PLACES)
                }
            )*
        }

        #[allow(unreachable_pub, dead_code)]
        impl<$a> $name<$a> {
            /// The rows as data.
            pub const TABLE: &'static $crate::Table = &$crate::Table::new(
                stringify!($name),
                &[$( $crate::Row {
                    number: $number,
                    c_name: stringify!($c_name),
                    field: stringify!($field),
                    shape: <$type as $crate::Payload<$a>>::SHAPE,
                }, )*],
                Self::RULES,
                Self::PLACES,
            );

            #[allow(clippy::indexing_slicing)] // only the compiler runs it
            const RULES: &'static [$crate::attr::Rule] = &{
                let mut rules = [$crate::attr::Rule::NO_ROW; $crate::attr::Places::count(&[$( $number, )*])];
                $( rules[Self::PLACES.of($number)] = <$type as $crate::Payload<$a>>::RULE; )*
                rules
            };

            const PLACES: $crate::attr::Places = $crate::attr::Places::new(
                &$crate::attr::Places::map::<{ $crate::attr::Places::mapped(&[$( $number, )*]) }>(&[$( $number, )*]),
            );

            /// A set without attributes.
            pub const EMPTY: Self = Self($crate::attr::Fields::EMPTY);

            /// Finds and checks the attributes of a set, also inside of nested sets.
            #[inline]
            pub fn read(scope: &$crate::Scope<$a>) -> ::core::result::Result<Self, $crate::DecodeError> {
                $crate::attr::Fields::read(scope, Self::TABLE).map(Self)
            }

            #[doc(hidden)]
            #[inline(always)]
            pub const fn unread(bytes: &$a [u8]) -> Self {
                Self($crate::attr::Fields::new(bytes))
            }

            #[doc(hidden)]
            #[inline(always)]
            pub fn fill(&mut self, scope: &$crate::Scope<$a>) -> ::core::result::Result<(), $crate::DecodeError> {
                self.0.fill(scope, Self::TABLE)
            }

            /// All attributes as they came, with and without a row.
            pub fn iter(&self) -> $crate::Attrs<'_> {
                self.0.attrs()
            }

            /// The payload of the attribute of this number, if there is one and the table has a row for it; of the last one
            /// where there are several.
            pub fn find(&self, number: u16) -> ::core::option::Option<&[u8]> {
                self.0.get::<$crate::Bytes<'_>>(number, Self::PLACES).map(|bytes| bytes.0)
            }

            /// The attributes this table has no row for: newer than this crate, kept and written back.
            pub fn unknown(&self) -> impl Iterator<Item = $crate::Attr<'_>> {
                self.iter().flatten().filter(|attr| Self::TABLE.row(attr.number).is_none())
            }

            /// The same set without a borrow.
            pub fn into_owned(self) -> $name<'static> {
                $name(self.0.into_owned(<Self as $crate::Payload<'_>>::SECRET))
            }
        }

        impl<$a> $crate::Payload<$a> for $name<$a> {
            type Value = Self;
            const FLAGS: u16 = $crate::attr::NLA_F_NESTED;
            const RULE: $crate::attr::Rule = $crate::attr::Rule::set(Self::TABLE);
            const SHAPE: $crate::Shape = $crate::Shape::Set(Self::TABLE);
            const SECRET: bool = false $( || <$type as $crate::Payload<$a>>::SECRET )*;

            #[inline]
            fn decode(payload: &$a [u8]) -> ::core::result::Result<Self, $crate::Malformed> {
                let set = $crate::Attrs::new(payload);
                Self::read(&$crate::Scope::new(&[], set)).map_err(|error| error.why)
            }

            fn encode(&self, out: &mut $crate::Writer) {
                self.0.encode(out);
            }

            #[inline]
            fn of(attr: $crate::Attr<$a>, scope: &$crate::Scope<$a>) -> ::core::result::Result<Self, $crate::Malformed> {
                $crate::attr::Fields::inside(attr.payload, scope, Self::TABLE).map(Self)
            }
        }

        impl PartialEq for $name<'_> {
            fn eq(&self, other: &Self) -> bool {
                $crate::attr::same(self.0.family(), Some(Self::TABLE), self.0.attrs(), other.0.attrs())
            }
        }

        impl Default for $name<'_> {
            fn default() -> Self {
                Self::EMPTY
            }
        }

        impl ::core::fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::attr::debug(f, self.0.family(), self.0.depth(), Self::TABLE, self.0.attrs())
            }
        }

        $crate::serialize! { impl ['x] for $name<'x>, |set, fields| {
            let hidden = $crate::__shown!(set fields $($shows)*);
            fields.without(|name| hidden.contains(&name), |fields| {
                $( fields.present(stringify!($field), || set.$field())?; )*
                Ok(())
            })?;
            for attr in set.unknown() {
                fields.unknown(&attr)?;
            }
        } }

        $crate::__rewrite! { $name $a $( $number $field $type $(as $value)?, )* }
    };
}

/// What a getter gives. It stands in the row, so that the documentation shows it in plain words.
#[macro_export]
#[doc(hidden)]
macro_rules! __value {
    ($type:ty) => {
        $type
    };
    ($type:ty, $value:ty) => {
        $value
    };
}

/// The writing side of [`attrs!`](crate::attrs).
#[macro_export]
#[doc(hidden)]
macro_rules! __attr_setters {
    (@each [$($request:ident $r:ident)+] $rows:tt) => {
        $( $crate::__attr_setters! { @of $request [$r] $rows } )+
    };
    (@of $builder:ident [$r:ident] { $($rows:tt)* }) => {
        $crate::__attr_setters! { $builder [$r] $($rows)* }
    };
    (
        $builder:ident [$($r:ident)?]
        $( $(#[$row:meta])* $number:literal $c_name:ident $field:ident $way:tt $type:ty $(as $value:ty)?, )*
    ) => {
        #[allow(unreachable_pub, dead_code, clippy::extra_unused_lifetimes, single_use_lifetimes)]
        impl $(<$r>)? $builder $(<$r>)? {
            $( $crate::__attr_setter! { $way [$(#[$row])*] $number $c_name $field $type } )*
        }
    };
}

/// One setter of [`attrs!`](crate::attrs), unless only the kernel writes the attribute.
#[macro_export]
#[doc(hidden)]
macro_rules! __attr_setter {
    (: [$(#[$row:meta])*] $number:literal $c_name:ident $field:ident $type:ty) => {
        $(#[$row])*
        #[doc = concat!("\n\nAppends `", stringify!($c_name), "`.")]
        #[inline]
        pub fn $field<'a>(mut self, value: impl $crate::IntoAttr<$type>) -> Self {
            <$type as $crate::Payload<'a>>::put(&value.into_attr(), $number, self.0.writer());
            self
        }
    };
    (-> $($row:tt)*) => {};
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attr::{NLA_F_NET_BYTEORDER, Unsendable};
    use crate::{Many, Str, layout, message};

    attrs! {
        /// Inner.
        struct InnerAttrs<'a> for Inner { 1 I_ONE one: u32, 7 I_NAMES names: Many<'a, Str<'a>>, }
    }
    attrs! {
        /// Outer.
        struct OuterAttrs<'a> for Outer { 2 O_INNER inner: InnerAttrs<'a>, 5 O_TEXT text: Str<'a>, }
    }

    #[test]
    fn a_set_reads_what_its_builder_wrote() {
        let names = [Str::from("a"), Str::from("bcd")];
        let built = Outer::new().text("hello").inner(Inner::new().one(7).names(&names)).attrs();
        let mut out = Writer::new();
        built.encode(&mut out);
        assert!(out.error().is_none());
        let read = OuterAttrs::decode(out.as_slice()).unwrap();
        let inner = read.inner().unwrap();
        assert_eq!(inner.one(), Some(7));
        assert!(inner.names().unwrap().iter().eq(names));
        assert_eq!(read, built);
        let other_order = Outer::new().inner(Inner::new().names(&names).one(7)).text("hello");
        assert_eq!(other_order.attrs(), read);
        let less = Outer::new().inner(Inner::new().names(&names[..1]).one(7)).text("hello");
        assert_ne!(less.attrs(), read);
        assert_eq!(read.clone().into_owned(), read);
    }

    #[test]
    fn unknown_attributes_are_kept_counted_and_written_back() {
        let mut out = Writer::new();
        out.put_array(9 | NLA_F_NET_BYTEORDER, [1, 2]);
        Str::<'_, 15>::from("x").put(5, &mut out);
        out.put_array(3, [3]);
        let read = OuterAttrs::decode(out.as_slice()).unwrap();
        assert!(read.unknown().map(|attr| attr.payload).eq([&[1, 2][..], &[3]]));
        let mut again = Writer::new();
        read.encode(&mut again);
        assert_eq!(again.as_slice(), out.as_slice());
    }

    layout! {
        /// Header.
        struct Header: both = 4 {
            /// A number.
            number: u32,
        }
    }
    attrs! {
        /// Of a message, and of others' sets.
        struct BothAttrs<'a> for BothRequest<R>, BothSet { 3 B_NUMBER number: u16, }
    }
    message! {
        /// A message.
        struct Both<'a>(Header, BothAttrs<'a>), BothRequest {
            /// Made.
            16 B_NEW NEW,
        }
    }

    #[test]
    fn one_table_serves_a_request_and_a_nested_set() {
        let flags = crate::MessageFlags::empty();
        let request = BothRequest::<()>::new(&Both::NEW, flags, Header::default()).number(7);
        let mut set = Writer::new();
        BothSet::new().number(7).attrs().encode(&mut set);
        assert_eq!(request.to_bytes().unwrap()[20..], *set.as_slice());
    }

    layout! {
        /// A header that is padded.
        struct Padded: padded = 1 {
            /// A number.
            number: u8,
        }
    }
    attrs! {
        /// Behind it.
        struct BehindAttrs<'a> for BehindRequest<R> { 3 P_NUMBER number: u16, }
    }
    message! {
        /// A message with a padded header, in two types.
        struct Behind<'a>(Padded, BehindAttrs<'a>), BehindRequest {
            /// Made.
            16 P_NEW NEW,
            /// Gone.
            17 P_DEL DEL,
        }
    }

    fn behind(info: &'static crate::MessageInfo, header: u8) -> BehindRequest<()> {
        BehindRequest::new(info, crate::MessageFlags::empty(), Padded::default().number(header))
    }

    #[test]
    fn a_request_that_begins_anew_keeps_the_padding_of_its_header() {
        let again = behind(&Behind::NEW, 1).number(7).restart(Padded::default().number(2)).number(9);
        assert_eq!(again.to_bytes().unwrap(), behind(&Behind::NEW, 2).number(9).to_bytes().unwrap());
        assert_eq!(again.restart(Padded::default()).len(), 20);
    }

    #[test]
    fn messages_that_are_kept_differ_by_their_type() {
        let owned = |info, header| {
            let bytes = behind(info, header).to_bytes().unwrap();
            crate::Owned::<Behind<'static>>::new(&crate::Messages::new(&bytes).next().unwrap().unwrap())
        };
        assert_eq!(owned(&Behind::NEW, 1), owned(&Behind::NEW, 1));
        assert_ne!(owned(&Behind::NEW, 1), owned(&Behind::DEL, 1));
        assert_ne!(owned(&Behind::NEW, 1), owned(&Behind::NEW, 2));
    }

    #[test]
    fn the_innermost_place_is_named() {
        let mut out = Writer::new();
        out.nest(2, |out| out.put_array(1, [1, 2]));
        let scope = Scope::new(&[], Attrs::new(out.as_slice()));
        let error = OuterAttrs::read(&scope).unwrap_err();
        assert_eq!(error, DecodeError { at: "I_ONE", why: Malformed::Length { want: 4, got: 2 } });
    }

    attrs! {
        /// A small table.
        struct SmallAttrs<'a> for Small { 0 S_ZERO zero: u8, 1 S_ONE one: u8, 63 S_LAST last: u8, }
    }
    attrs! {
        /// A table too large for three words.
        struct LargeAttrs<'a> for Large {
            0 L_ZERO zero: u8, 1 L_ONE one: u8, 2 L_2 l2: u8, 3 L_3 l3: u8, 4 L_4 l4: u8, 5 L_5 l5: u8, 6 L_6 l6: u8,
            7 L_7 l7: u8, 8 L_8 l8: u8, 9 L_9 l9: u8, 10 L_10 l10: u8, 11 L_11 l11: u8, 12 L_12 l12: u8,
            13 L_13 l13: u8, 14 L_14 l14: u8, 15 L_15 l15: u8, 16 L_16 l16: u8, 17 L_17 l17: u8, 18 L_18 l18: u8,
            19 L_19 l19: u8, 20 L_20 l20: u8, 21 L_21 l21: u8, 22 L_22 l22: u8, 23 L_23 l23: u8, 64 L_LAST last: u8,
        }
    }

    attrs! {
        /// Rows far from the beginning.
        struct FarAttrs<'a> for Far { 180 F_A a: u8, 400 F_B b: u8, 181 F_C c: u16, 183 F_D d: InnerAttrs<'a>, }
    }

    #[test]
    fn what_a_set_costs_goes_by_its_rows() {
        assert_eq!(size_of::<FarAttrs<'_>>(), size_of::<SmallAttrs<'_>>());
        assert_eq!(FarAttrs::RULES.len(), 5);
        assert_eq!((RowsAttrs::RULES.len(), LargeAttrs::RULES.len()), (12, 65));
    }

    #[test]
    fn rows_far_from_the_beginning_are_found_and_checked() {
        let mut out = Writer::new();
        for number in [0, 1, 4, 182, 184, 401, 9_999] {
            out.put_bytes(number, &[0xee; 9]);
            if number == 182 {
                out.put_bytes(400, &[2]);
                out.put_bytes(181, &[3, 3]);
                out.put_bytes(180, &[1]);
                InnerAttrs::put(&Inner::new().one(7).attrs(), 183, &mut out);
            }
        }
        let bytes = out.as_slice();
        let mut filled = FarAttrs::unread(bytes);
        filled.fill(&Scope::new(&[], Attrs::new(bytes))).unwrap();
        for set in [FarAttrs::decode(bytes).unwrap(), filled.clone(), filled.into_owned()] {
            assert_eq!((set.a(), set.b(), set.c()), (Some(1), Some(2), Some(0x0303)));
            assert_eq!(set.d().unwrap().one(), Some(7));
            assert_eq!(set.unknown().count(), 7);
            assert_eq!((set.find(0), set.find(182), set.find(401)), (None, None, None));
            assert_eq!(set.find(400), Some(&[2][..]));
        }
        for (number, at) in [(180, "F_A"), (400, "F_B"), (181, "F_C")] {
            let mut out = Writer::new();
            out.put_bytes(number, &[]);
            let scope = Scope::new(&[], Attrs::new(out.as_slice()));
            assert_eq!(FarAttrs::read(&scope).unwrap_err().at, at);
            assert!(FarAttrs::unread(out.as_slice()).fill(&scope).is_err());
            let mut around = Writer::new();
            around.nest(9, |around| around.push(out.as_slice()));
            let scope = Scope::new(&[], Attrs::new(around.as_slice()));
            assert_eq!(AroundFarAttrs::read(&scope).unwrap_err().at, at);
        }
    }

    attrs! {
        /// Around them.
        struct AroundFarAttrs<'a> for AroundFar { 9 A_FAR far: FarAttrs<'a>, }
    }

    #[test]
    fn the_last_attribute_of_a_number_is_found_among_few_and_many() {
        // Every sequence of up to nine attributes of four numbers that begins anywhere, some far apart.
        for start in 0..4usize {
            for step in 0..4 {
                for (count, room) in [(0, 1), (1, 1), (3, 1), (7, 1), (8, 1), (9, 1), (20, 1), (3, 600)] {
                    let mut out = Writer::new();
                    let mut last = [None; 4];
                    for value in 0..count {
                        let which = (start + usize::from(value) * step) % 4;
                        last[which] = Some(value);
                        let mut payload = [0; 600];
                        payload[0] = value;
                        out.put_bytes([0, 1, 63, 64][which], &payload[..room]);
                    }
                    let small = SmallAttrs::decode(out.as_slice()).unwrap();
                    assert_eq!([small.zero(), small.one(), small.last()], last[..3]);
                    let large = LargeAttrs::decode(out.as_slice()).unwrap();
                    assert_eq!([large.zero(), large.one(), large.last()], [last[0], last[1], last[3]]);
                    let owned = small.into_owned();
                    assert_eq!([owned.zero(), owned.one(), owned.last()], last[..3]);
                }
            }
        }
        assert_eq!(Small::new().one(1).last(2).one(3).attrs().one(), Some(3));
    }

    attrs! {
        /// More rows than attributes whose places are kept.
        struct RowsAttrs<'a> for Rows {
            0 R_0 r0: u8, 1 R_1 r1: u8, 2 R_2 r2: u8, 3 R_3 r3: u8, 4 R_4 r4: u8, 5 R_5 r5: u8, 6 R_6 r6: u8,
            7 R_7 r7: u8, 8 R_8 r8: u8, 9 R_9 r9: u8, 10 R_10 r10: u8, 11 R_11 r11: u8,
        }
    }

    #[test]
    fn each_attribute_is_found_however_far_apart_and_before_or_behind_the_last_seven() {
        for count in 0..12u8 {
            for room in 1..130 {
                let mut out = Writer::new();
                for number in 0..count {
                    let mut payload = [0; 130];
                    payload[0] = number + 100;
                    let length = 1 + room * usize::from(number % 3) / 2;
                    out.put_bytes(number.into(), &payload[..length]);
                }
                let set = RowsAttrs::decode(out.as_slice()).unwrap();
                let found = [set.r0(), set.r1(), set.r2(), set.r3(), set.r4(), set.r5(), set.r6(), set.r7()];
                let found = [&found[..], &[set.r8(), set.r9(), set.r10(), set.r11()]].concat();
                let there = (0..12).map(|number| (number < count).then_some(number + 100));
                assert!(there.eq(found), "{count} attributes of up to {room} bytes");
            }
        }
    }

    #[test]
    fn of_a_set_too_long_for_the_index_the_far_end_reads_as_absent() {
        let mut out = Writer::new();
        out.put_bytes(0, &[7; 65_000]);
        (0..3).for_each(|_| out.put_bytes(99, &[0; 65_000]));
        out.put_bytes(1, &[8; 65_000]);
        out.put_bytes(64, &[9]);
        let set = LargeAttrs::decode(out.as_slice()).unwrap();
        assert_eq!([set.zero(), set.one(), set.last()], [Some(7), Some(8), None]);
        let scope = Scope::new(&[], Attrs::new(out.as_slice()));
        let mut filled = LargeAttrs::unread(out.as_slice());
        filled.fill(&scope).unwrap();
        assert_eq!([filled.zero(), filled.one(), filled.last()], [Some(7), Some(8), None]);
        assert_eq!(set.iter().count(), 6);
    }

    #[test]
    fn attributes_of_any_fixed_length_are_padded() {
        fn check<const N: usize>() {
            let mut out = Writer::new();
            out.put_array(7, [0xee; N]);
            let mut bytes = Writer::new();
            bytes.put_bytes(7, &[0xee; N]);
            assert_eq!(out.as_slice(), bytes.as_slice());
        }
        check::<0>();
        check::<1>();
        check::<4>();
        check::<6>();
        check::<8>();
        check::<9>();
        check::<12>();
        check::<14>();
        check::<16>();
        check::<17>();
        check::<100>();
    }

    #[test]
    fn a_lying_length_is_an_error_and_no_panic() {
        for length in [0u16, 1, 3, 9, 0xffff] {
            let mut bytes = [0, 0, 5, 0, b'a', 0, 0, 0];
            bytes[..2].copy_from_slice(&length.to_ne_bytes());
            let error = OuterAttrs::decode(&bytes).unwrap_err();
            assert_eq!(error, Malformed::Attribute { claims: usize::from(length), left: 8 });
        }
    }

    #[test]
    fn the_last_attribute_of_a_number_and_length_is_replaced() {
        let mut out = Writer::new();
        out.push(&[0xee; 8]);
        for (number, value) in [(1, 1u32), (1, 2), (2, 3)] {
            value.put(number, &mut out);
        }
        out.put_bytes(1, &[7; 8]);
        assert!(out.replace(8, 1, &9u32.to_ne_bytes()));
        assert!(!out.replace(8, 3, &[0; 4]) && !out.replace(8, 1, &[0; 5]) && !out.replace(999, 1, &[0; 4]));
        let mut wanted = Writer::new();
        wanted.push(&[0xee; 8]);
        for (number, value) in [(1, 1u32), (1, 9), (2, 3)] {
            value.put(number, &mut wanted);
        }
        wanted.put_bytes(1, &[7; 8]);
        assert_eq!(out.as_slice(), wanted.as_slice());
    }

    #[test]
    fn an_oversize_attribute_is_an_error_and_leaves_a_sound_buffer() {
        let mut out = Writer::new();
        out.put_bytes(5, &[0; 65_532]);
        assert!(matches!(out.error(), Some((_, Unsendable::TooLong { length: 65_532, max: 65_531 }))));
        // An attribute without a payload, in the machine's byte order.
        let empty = Attr { number: 5, flags: 0, payload: &[] };
        assert!(Attrs::new(out.as_slice()).eq([Ok(empty)]));
        assert_eq!(out.len(), 4);
        let mut late = Writer::new();
        late.fail(Unsendable::Nul { at: 7 });
        late.put_bytes(5, &[0; 65_532]);
        assert_eq!(late.error(), Some((0, Unsendable::Nul { at: 7 })));
        let mut fits = Writer::new();
        fits.put_bytes(5, &[0; 65_531]);
        assert!(fits.error().is_none());
    }

    #[test]
    fn an_error_deep_in_a_builder_reaches_the_outermost_writer() {
        let built = Outer::new().inner(Inner::new().names(&[Str::from("a\0b")])).attrs();
        let mut out = Writer::new();
        built.put(1, &mut out);
        assert!(matches!(out.error(), Some((_, Unsendable::Nul { at: 1 }))));
    }
}
