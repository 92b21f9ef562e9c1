//! The macro that declares a message.

/// The trait for a type whose own function of this name does it.
#[macro_export]
#[doc(hidden)]
macro_rules! __into_owned {
    ($name:ident) => {
        impl $crate::IntoOwned for $name<'_> {
            type Owned = $name<'static>;

            fn into_owned(self) -> $name<'static> {
                $name::into_owned(self)
            }
        }
    };
}

/// Who speaks a message, and what can answer it: the protocol, or else the message alone.
#[macro_export]
#[doc(hidden)]
macro_rules! __protocol {
    (info) => {
        ::core::option::Option::None
    };
    (info $protocol:path) => {
        ::core::option::Option::Some(&$protocol)
    };
    (siblings $name:ident) => {
        &[$name::MESSAGES]
    };
    (siblings $name:ident $protocol:path) => {
        $protocol.messages
    };
}

/// What writes the subject of a message, if something was declared.
#[macro_export]
#[doc(hidden)]
macro_rules! __subject {
    ($name:ident) => {
        ::core::option::Option::None
    };
    ($name:ident $subject:tt) => {
        ::core::option::Option::Some(|message, f| match $name::read(message) {
            ::core::result::Result::Ok(message) => $subject(&message, f),
            ::core::result::Result::Err(_) => ::core::result::Result::Ok(()),
        })
    };
}

/// The hint that was declared, or that of most messages.
#[macro_export]
#[doc(hidden)]
macro_rules! __hint {
    () => {
        $crate::error::net_admin
    };
    ($hint:tt) => {
        $hint
    };
}

/// Declares a message: a fixed header, a set of attributes, the types it comes in, and the builder of requests.
///
/// ```
/// use netlink_core::{MessageFlags, Str, attrs, layout, message};
///
/// layout! {
///     /// `struct rtgenmsg`, padded.
///     pub struct Header: rtgenmsg = 1 {
///         /// Address family.
///         family: u8,
///     }
/// }
/// attrs! {
///     /// `NETNSA_*`, one of them.
///     pub struct NsidAttrs<'a> for NsidRequest<R> {
///         /// The id.
///         1 NETNSA_NSID nsid: i32,
///     }
/// }
/// message! {
///     /// The id of a namespace.
///     pub struct Nsid<'a>(Header, NsidAttrs<'a>), NsidRequest {
///         /// Made, or answered.
///         88 RTM_NEWNSID NEW,
///         /// Asked.
///         90 RTM_GETNSID GET,
///     }
/// }
///
/// let request = NsidRequest::<Nsid>::new(&Nsid::GET, MessageFlags::empty(), Header::default()).nsid(7);
/// assert_eq!(request.to_bytes()?[..4], [28, 0, 0, 0]);
/// # Ok::<(), netlink_core::Error>(())
/// ```
///
/// A row ends with its [`Quirks`](crate::Quirks), if it has some: `3 THERMAL_GENL_CMD_CDEV_GET GET [unnumbered],`. What is
/// sent and never comes is `[sent]`, what only the kernel sends is `[received]`, which a connection refuses to send; of two
/// messages with one number, one must say so.
///
/// Behind the braces may stand, in this order:
///
/// - `about` and the function that writes which object a message is about, from a `&Self` to a formatter;
///   `(fmt::Display::fmt)` will do where the message prints as little;
/// - `hint` and the [`Hint`](crate::Hint) of its errors;
/// - `shows |message| { name: Some(value), …; other names }`: what `Serialize` shows of it. Members of the fixed header and
///   attributes stand side by side under the names of their getters, but for those that are named here: the first with
///   another value, which may be `None`, and those behind the semicolon not at all. Where an attribute has the name of a
///   member of the header, the attribute counts. [`layout!`](crate::layout!) and [`attrs!`](crate::attrs!) have the same;
/// - `on crate::PROTOCOL`: who speaks it, see [`protocol!`](crate::protocol!). A message of that protocol may answer it.
///
/// It makes the decoded message, which has the getters of the attribute set by `Deref` and implements
/// [`Reply`](crate::Reply); a [`MessageInfo`](crate::MessageInfo) per type; and a newtype over
/// [`Request`](crate::Request) for the setters that `attrs!` makes.
#[macro_export]
macro_rules! message {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident<$a:lifetime>($header:ty, $attrs:ident<$b:lifetime>), $request:ident {
            $( $(#[$tmeta:meta])* $number:literal $c_name:ident $const:ident $([$($quirk:ident)+])?, )*
        }
        $(about $subject:tt)?
        $(hint $hint:tt)?
        $(shows |$this:ident| $shows:tt)?
        $(on $protocol:path)?
    ) => {
        $crate::__message_view! {
            [$(#[$meta])*] [$($this $shows)?] $vis $name $a [$header] $attrs [ByType]
            [$crate::__protocol!(info $($protocol)?)] [$crate::__protocol!(siblings $name $($protocol)?)] [$crate::__subject!($name $($subject)?)]
            [$crate::__hint!($($hint)?)]
            $( $(#[$tmeta])* $number $c_name $const $([$($quirk)+])?, )*
        }

        #[allow(unreachable_pub, dead_code)]
        impl $name<'_> {
            /// A request with the same fixed header and attributes, those without a row included.
            pub fn to_request<R>(
                &self,
                info: &'static $crate::MessageInfo,
                flags: $crate::MessageFlags,
            ) -> $request<R> {
                let mut request = $request::new(info, flags, self.header());
                $crate::Payload::encode(&self.attrs, request.0.writer());
                request
            }
        }

        $(#[$meta])*
        ///
        /// As a request: each setter appends its attribute to the message at once.
        #[derive(Debug)]
        #[must_use = "a request does nothing until a connection sends it"]
        $vis struct $request<R>($crate::Request<R>);

        impl<R> Clone for $request<R> {
            fn clone(&self) -> Self {
                Self(self.0.clone())
            }
        }

        #[allow(unreachable_pub, dead_code)]
        impl<R> $request<R> {
            /// Starts a request of any type and flags, for what the functions of this module don't offer.
            #[inline]
            pub fn new(
                info: &'static $crate::MessageInfo,
                flags: $crate::MessageFlags,
                header: $header,
            ) -> Self {
                Self($crate::Request::new(info, flags, header))
            }

            /// Changes the fixed header.
            #[inline]
            pub fn header(mut self, change: impl FnOnce(&mut $header)) -> Self {
                self.0.edit(change);
                self
            }

            /// Drops every attribute and gives the message a new fixed header, keeping type, flags and
            /// memory.
            #[inline]
            pub fn restart(self, header: $header) -> Self {
                Self(self.0.restart(header))
            }

            /// Appends any attribute; for those without a setter.
            pub fn attr<'x>(self, number: u16, payload: &impl $crate::Payload<'x>) -> Self {
                Self(self.0.attr(number, payload))
            }

            /// The plain request.
            pub fn into_request(self) -> $crate::Request<R> {
                self.0
            }
        }

        impl<R> ::core::ops::Deref for $request<R> {
            type Target = $crate::Request<R>;

            fn deref(&self) -> &$crate::Request<R> {
                &self.0
            }
        }

        impl<R> $crate::ToRequest for $request<R> {
            type Answer = R;

            #[inline]
            fn to_request(&self) -> &$crate::Request<R> {
                &self.0
            }
        }
    };
}

/// The reading side of [`message!`](crate::message).
#[macro_export]
#[doc(hidden)]
macro_rules! __message_view {
    (
        [$(#[$meta:meta])*] [$($shows:tt)*] $vis:vis $name:ident $a:lifetime [$header:ty] $attrs:ident
        [$numbered:ident] [$protocol:expr] [$siblings:expr] [$subject:expr] [$hint:expr]
        $( $(#[$tmeta:meta])* $number:literal $c_name:ident $const:ident $([$($quirk:ident)+])?, )*
    ) => {
        $(#[$meta])*
        #[derive(Clone)]
        $vis struct $name<$a> {
            kind: $crate::MessageType,
            flags: $crate::MessageFlags,
            header: [u8; <$header as $crate::layout::Field>::SIZE],
            attrs: $attrs<$a>,
        }

        #[allow(unreachable_pub, dead_code)]
        impl<$a> $name<$a> {
            $(
                $(#[$tmeta])*
                #[doc = concat!("\n\n`", stringify!($c_name), "`")]
                pub const $const: $crate::MessageInfo = $crate::MessageInfo {
                    protocol: || $protocol,
                    number: $number,
                    numbered: $crate::request::Numbered::$numbered,
                    c_name: stringify!($c_name),
                    header: <$header as $crate::layout::Fixed>::LAYOUT,
                    table: $attrs::TABLE,
                    siblings: || $siblings,
                    subject: $subject,
                    hint: $hint,
                    quirks: {
                        #[allow(unused_mut)]
                        let mut quirks = $crate::Quirks::NONE;
                        $( $( quirks.$quirk = true; )+ )?
                        quirks
                    },
                    filter: ::core::option::Option::None,
                    guard: ::core::option::Option::None,
                };
            )*

            /// Every type it comes in.
            pub const MESSAGES: &'static [$crate::MessageInfo] = &[$( Self::$const, )*];

            /// Reads a message: finds and checks its attributes.
            #[inline(always)]
            pub fn read(message: &$crate::Message<$a>) -> ::core::result::Result<Self, $crate::DecodeError> {
                // What follows the fixed header is aligned to four bytes.
                const PADDED: usize = <$header as $crate::layout::Field>::SIZE.next_multiple_of(4);
                let Some(header) = message.body.first_chunk() else {
                    return Err($crate::DecodeError {
                        at: <$header as $crate::layout::Fixed>::LAYOUT.c_name,
                        why: $crate::Malformed::Length {
                            want: <$header as $crate::layout::Field>::SIZE,
                            got: message.body.len(),
                        },
                    });
                };
                let set = message.body.get(PADDED..).unwrap_or_default();
                let mut attrs = $attrs::unread(set);
                attrs.fill(&$crate::Scope::new(message.body, $crate::Attrs::new(set)))?;
                Ok(Self { kind: message.header.kind, flags: message.header.flags, header: *header, attrs })
            }

            /// The fixed header.
            #[inline]
            pub fn header(&self) -> $header {
                <$header as $crate::layout::Field>::take(&mut self.header.as_slice()).unwrap_or_default()
            }

            /// The attributes; their getters are on the message too.
            pub fn attrs(&self) -> &$attrs<$a> {
                &self.attrs
            }

            /// Which of its types the message has.
            pub fn message_type(&self) -> $crate::MessageType {
                self.kind
            }

            /// The flags of the message.
            pub fn message_flags(&self) -> $crate::MessageFlags {
                self.flags
            }

            /// The message without a borrow.
            pub fn into_owned(self) -> $name<'static> {
                $name { kind: self.kind, flags: self.flags, header: self.header, attrs: self.attrs.into_owned() }
            }
        }

        impl<$a> ::core::ops::Deref for $name<$a> {
            type Target = $attrs<$a>;

            #[inline]
            fn deref(&self) -> &$attrs<$a> {
                &self.attrs
            }
        }

        impl PartialEq for $name<'_> {
            fn eq(&self, other: &Self) -> bool {
                self.kind == other.kind && self.header == other.header && self.attrs == other.attrs
            }
        }

        impl<'own> $crate::Reply for $name<'own> {
            const EXPECT: $crate::Expect = $crate::Expect::Reply;
            const INFO: ::core::option::Option<&'static $crate::MessageInfo> = Self::MESSAGES.first();
            const SECRET: bool = <$attrs<'_> as $crate::Payload<'_>>::SECRET;
            type View<'x> = $name<'x>;

            #[inline(always)]
            fn view<'x>(message: &$crate::Message<'x>) -> ::core::result::Result<$name<'x>, $crate::DecodeError> {
                $name::read(message)
            }

            fn own(view: $name<'_>) -> Self {
                view.into_owned()
            }
        }

        $crate::__into_owned!($name);

        impl ::core::fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("header", &self.header())
                    .field("attrs", &self.attrs)
                    .finish()
            }
        }

        $crate::serialize! { impl [$a] for $name<$a>, |view, fields| {
            let hidden = $crate::__shown!(view fields $($shows)*);
            let repeats = |name: &str| $crate::ser::repeats($attrs::TABLE, view.attrs.iter(), name);
            fields.without(|name| hidden.contains(&name), |fields| {
                fields.without(repeats, |fields| $crate::ser::Members::members(&view.header(), fields))?;
                $crate::ser::Members::members(&view.attrs, fields)
            })?;
        } }
    };
}
