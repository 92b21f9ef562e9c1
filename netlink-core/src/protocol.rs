//! What is spoken over a protocol, written down once: its messages, how one connects, what comes as an event.

use alloc::borrow::Cow;

use crate::attr::DecodeError;
use crate::exchange::Expect;
use crate::message::{Message, MessageHeader, Protocol};
use crate::request::{MessageInfo, Reply};

/// A protocol, or a family of generic netlink, as data. Made by [`protocol!`](crate::protocol!).
#[derive(Debug)]
pub struct ProtocolInfo {
    /// The protocol of the sockets that it is spoken over.
    pub protocol: Protocol,
    /// What it is called: `route`, or the family's name.
    pub name: &'static str,
    /// All its messages: the `MESSAGES` of each.
    pub messages: &'static [&'static [MessageInfo]],
}

/// What happened to an object.
///
/// The kernel does not report everything. IPv4 routes vanish without an event when their link goes down or away; so who
/// keeps routes watches links too, and lists the routes again then. Of an IPv6 route with several next hops, `Deleted`
/// may be about one hop: the others are left, and a list shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Change {
    /// It is there now and was not before.
    New,
    /// It was there and is different now. The kernel also sends this whenever somebody set something, even to what it
    /// was.
    Changed,
    /// It is gone. What that is about stands at the event's variant.
    Deleted,
}

impl Change {
    /// What happened, of an object whose message says whether it is gone, and whether it is new.
    pub const fn of(deleted: bool, new: bool) -> Self {
        match (deleted, new) {
            (true, _) => Self::Deleted,
            (false, true) => Self::New,
            (false, false) => Self::Changed,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Deleted => "deleted",
        }
    }
}

impl core::fmt::Display for Change {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

crate::serialize_display!(Change);

/// A message as it came: an event that no table is known of, or of any family, for connections that subscribed to groups
/// of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnyEvent<'a> {
    header: MessageHeader,
    body: Cow<'a, [u8]>,
}

impl<'a> AnyEvent<'a> {
    /// A message.
    pub const fn new(message: &Message<'a>) -> Self {
        Self { header: message.header, body: Cow::Borrowed(message.body) }
    }

    /// The message. In generic netlink its type is the family's number.
    pub fn message(&self) -> Message<'_> {
        Message { header: self.header, body: &self.body }
    }

    /// The event without a borrow.
    pub fn into_owned(self) -> AnyEvent<'static> {
        AnyEvent { header: self.header, body: Cow::Owned(self.body.into_owned()) }
    }
}

impl<'own> Reply for AnyEvent<'own> {
    const EXPECT: Expect = Expect::Reply;
    type View<'a> = AnyEvent<'a>;

    fn view<'a>(message: &Message<'a>) -> Result<AnyEvent<'a>, DecodeError> {
        Ok(AnyEvent::new(message))
    }

    fn own(view: AnyEvent<'_>) -> Self {
        view.into_owned()
    }
}

crate::__into_owned!(AnyEvent);

crate::serialize! { impl ['a] for AnyEvent<'a>, |event, fields| {
    fields.entry("type", &event.header.kind.0)?;
    fields.entry("body", &crate::Bytes(&event.body))?;
} }

/// Declares what is spoken over a protocol, and makes the functions that connect.
///
/// ```
/// use netlink_core::{attrs, events, layout, message, protocol, values};
///
/// layout! {
///     /// `struct rtgenmsg`.
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
///         /// Deleted.
///         89 RTM_DELNSID DEL,
///     }
///     on PROTOCOL
/// }
/// values! {
///     /// `RTNLGRP_*`.
///     pub struct Group: u32 {
///         /// Ids of namespaces.
///         28 RTNLGRP_NSID NSID "nsid",
///     }
/// }
/// events! {
///     /// What happens.
///     pub enum Event<'a> {
///         /// An id was given.
///         Given(Nsid) = NEW,
///         /// An id is free again.
///         Freed(Nsid) = DEL,
///     }
/// }
/// protocol! {
///     /// Ids of namespaces.
///     pub static PROTOCOL: ROUTE "route" { Nsid }
///     events Group => Event<'static>
/// }
///
/// # fn main() {
/// assert_eq!(PROTOCOL.messages[0][1].c_name, "RTM_DELNSID");
/// # }
/// ```
///
/// It makes, in the module it stands in, which is the root of a crate:
///
/// - the static, which each message names behind `on`: so a request can't be sent over a connection of another protocol;
/// - `connect()` and `connect_with(options)`, and for events `subscribe(groups)` and `subscribe_with(groups, options)`;
/// - with the feature `tokio` of the core, a module `tokio` with the same four on its reactor.
///
/// The types behind `events` are named from everywhere alike: `crate::event::Event<'static>`, if they are not beside it.
#[macro_export]
macro_rules! protocol {
    (
        $(#[$meta:meta])*
        $vis:vis static $static:ident: $protocol:ident $name:literal { $($($message:ident)::+),+ $(,)? }
        $(events $group:ty => $event:ty)?
    ) => {
        $(#[$meta])*
        $vis static $static: $crate::ProtocolInfo = $crate::ProtocolInfo {
            protocol: $crate::Protocol::$protocol,
            name: $name,
            messages: &[$( <$($message)::+<'_>>::MESSAGES ),+],
        };

        const _: () = $crate::request::told_apart(&[$( <$($message)::+<'_>>::MESSAGES ),+]);

        $crate::__connect! { $vis $protocol $($event, $group)? }
        $crate::__connect_tokio! { $vis $protocol $($event, $group)? }
    };
}

/// The blocking functions of [`protocol!`](crate::protocol!).
#[cfg(all(feature = "std", target_os = "linux"))]
#[macro_export]
#[doc(hidden)]
macro_rules! __connect {
    ($vis:vis $protocol:ident $($event:ty, $group:ty)?) => {
        /// Opens a connection in the namespace of the calling thread.
        $vis fn connect() -> ::core::result::Result<$crate::Connection, $crate::Error> {
            $crate::Connection::open($crate::Protocol::$protocol)
        }

        /// Opens a connection with a port or in a namespace of choice.
        $vis fn connect_with(
            options: &$crate::OpenOptions<'_>,
        ) -> ::core::result::Result<$crate::Connection, $crate::Error> {
            $crate::Connection::open_with($crate::Protocol::$protocol, options)
        }

        $(
            /// Opens a stream of events in the namespace of the calling thread.
            $vis fn subscribe(
                groups: &[$group],
            ) -> ::core::result::Result<$crate::Events<$event>, $crate::Error> {
                subscribe_with(groups, &$crate::OpenOptions::new())
            }

            /// Opens a stream of events with a port or in a namespace of choice.
            $vis fn subscribe_with(
                groups: &[$group],
                options: &$crate::OpenOptions<'_>,
            ) -> ::core::result::Result<$crate::Events<$event>, $crate::Error> {
                let groups: ::std::vec::Vec<u32> = groups.iter().map(|group| group.0).collect();
                $crate::Events::open_with($crate::Protocol::$protocol, &groups, options)
            }
        )?
    };
}

/// See the version with the feature `std`.
#[cfg(not(all(feature = "std", target_os = "linux")))]
#[macro_export]
#[doc(hidden)]
macro_rules! __connect {
    ($($ignored:tt)*) => {};
}

/// The module `tokio` of [`protocol!`](crate::protocol!).
#[cfg(all(feature = "tokio", target_os = "linux"))]
#[macro_export]
#[doc(hidden)]
macro_rules! __connect_tokio {
    ($vis:vis $protocol:ident $($event:ty, $group:ty)?) => {
        /// The same on a tokio reactor.
        #[allow(unreachable_pub)]
        $vis mod tokio {
            #[allow(unused_imports)] // what is not in the root of a crate
            use super::*;

            #[allow(unused_imports)]
            pub use $crate::tokio::{Connection, Events, Listing};

            /// Opens a connection in the namespace of the calling thread. Must be called inside a runtime.
            pub fn connect() -> ::core::result::Result<Connection, $crate::Error> {
                Connection::open($crate::Protocol::$protocol)
            }

            /// Opens a connection with a port or in a namespace of choice.
            pub fn connect_with(
                options: &$crate::OpenOptions<'_>,
            ) -> ::core::result::Result<Connection, $crate::Error> {
                Connection::open_with($crate::Protocol::$protocol, options)
            }

            $(
                /// Opens a stream of events in the namespace of the calling thread. Must be called inside a runtime.
                pub fn subscribe(groups: &[$group]) -> ::core::result::Result<Events<$event>, $crate::Error> {
                    subscribe_with(groups, &$crate::OpenOptions::new())
                }

                /// Opens a stream of events with a port or in a namespace of choice.
                pub fn subscribe_with(
                    groups: &[$group],
                    options: &$crate::OpenOptions<'_>,
                ) -> ::core::result::Result<Events<$event>, $crate::Error> {
                    let groups: ::std::vec::Vec<u32> = groups.iter().map(|group| group.0).collect();
                    Events::open_with($crate::Protocol::$protocol, &groups, options)
                }
            )?
        }
    };
}

/// See the version with the feature `tokio`.
#[cfg(not(all(feature = "tokio", target_os = "linux")))]
#[macro_export]
#[doc(hidden)]
macro_rules! __connect_tokio {
    ($($ignored:tt)*) => {};
}

/// Declares what comes as an event: an enumeration of the messages that tell of something.
///
/// A row is `Variant(Message) = NEW | DEL,`: the message, and which of its types come as this. `Variant(Message: Change)`
/// puts in front of the object what happened to it, which its function `change` says. Where one type of message is
/// several events, `if function` looks at the message, and the first row that fits is taken. See
/// [`protocol!`](crate::protocol!) for an example.
///
/// What no row is about is `Other`, as it came. It makes [`Reply`](crate::Reply), `into_owned`, and with the feature
/// `serde` `Serialize`.
#[macro_export]
macro_rules! events {
    (
        $(#[$meta:meta])*
        $vis:vis enum $event:ident<$a:lifetime> {
            $(
                $(#[$vmeta:meta])*
                $variant:ident($($name:ident)::+ $(: $change:ident)?) = $first:ident $(| $more:ident)* $(if $guard:path)?,
            )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        #[allow(clippy::large_enum_variant)] // It borrows, lives shortly and must not allocate.
        $vis enum $event<$a> {
            $(
                $(#[$vmeta])*
                $variant($($crate::$change,)? $($name)::+<$a>),
            )*
            /// A message of another type, as it came.
            Other($crate::AnyEvent<$a>),
        }

        impl<'own> $crate::Reply for $event<'own> {
            const EXPECT: $crate::Expect = $crate::Expect::Reply;
            const INFO: ::core::option::Option<&'static $crate::MessageInfo> =
                [$( <$($name)::+<'_> as $crate::Reply>::INFO ),*][0];
            const SECRET: bool = false $( || <$($name)::+<'_> as $crate::Reply>::SECRET )*;
            type View<'x> = $event<'x>;

            #[inline]
            #[allow(non_snake_case)]
            fn view<'x>(
                message: &$crate::Message<'x>,
            ) -> ::core::result::Result<$event<'x>, $crate::DecodeError> {
                $(
                    {
                        type Object<'o> = $($name)::+<'o>;
                        if (Object::$first.is(message) $(|| Object::$more.is(message))*) $(&& $guard(message))? {
                            let object = Object::read(message)?;
                            $( let $change: $crate::$change = object.change(); )?
                            return Ok($event::$variant($($change,)? object));
                        }
                    }
                )*
                Ok($event::Other($crate::AnyEvent::new(message)))
            }

            fn own(view: $event<'_>) -> Self {
                view.into_owned()
            }
        }

        #[allow(unreachable_pub, dead_code, non_snake_case)]
        impl $event<'_> {
            /// The event without a borrow.
            pub fn into_owned(self) -> $event<'static> {
                match self {
                    $( $event::$variant($($change,)? object) => {
                        $event::$variant($($change,)? object.into_owned())
                    } )*
                    $event::Other(event) => $event::Other(event.into_owned()),
                }
            }
        }

        $crate::__into_owned!($event);

        $crate::serialize! { @with ['x] $event<'x>, |event, serializer| {
            const NAME: &str = stringify!($event);
            #[allow(non_snake_case, unreachable_code)]
            match event {
                $( $event::$variant($($change,)? object) => {
                    const VARIANT: &str = stringify!($variant);
                    $( return $crate::ser::changed(serializer, NAME, VARIANT, *$change, object); )?
                    serializer.serialize_newtype_variant(NAME, 0, VARIANT, object)
                } )*
                $event::Other(event) => serializer.serialize_newtype_variant(NAME, 0, "Other", event),
            }
        } }
    };
}
