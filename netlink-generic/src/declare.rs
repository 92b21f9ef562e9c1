//! Declarations of families, before the controller resolves them.

use core::fmt;
use core::marker::PhantomData;

use netlink_core::layout::{Fixed, Pad};
use netlink_core::{MessageFlags, MessageInfo, MessageType, ProtocolInfo, Reply, Request, layout};

layout! {
    /// `struct genlmsghdr`: the header of each generic netlink message, after `nlmsghdr`.
    ///
    /// A family with a header of its own declares both as one struct, with this one first:
    ///
    /// ```
    /// use netlink_generic::{Header, layout};
    ///
    /// layout! {
    ///     /// `struct ovs_header`, after the generic netlink header.
    ///     pub struct OvsHeader: ovs_header = 8 {
    ///         /// The command.
    ///         genl: Header,
    ///         /// Index of the datapath.
    ///         dp_ifindex: i32,
    ///     }
    /// }
    /// ```
    pub struct Header: genlmsghdr = 4 {
        /// The command. Requests set it.
        command: u8,
        /// The family's version. Requests set it.
        version: u8,
        /// Padding.
        reserved: Pad<2>,
    }
    shows |header| { ; command version }
}

/// A declared family: its name and its messages. Made by [`family!`](crate::family!).
pub trait Declared: Sized + 'static {
    /// The name that the controller knows.
    const NAME: &'static str;
    /// The version in requests.
    const VERSION: u8;
    /// The family as data: its name and all its messages.
    const INFO: &'static ProtocolInfo;
    /// The header of its messages: [`Header`], or a struct that begins with it.
    type Header: Fixed + Default;
}

/// A family that sends events to multicast groups.
pub trait Notifies: Declared {
    /// The events.
    type Event: Reply;
}

/// A multicast group of a family, by its name. Families declare their groups as constants.
pub struct Group<F> {
    name: &'static str,
    family: PhantomData<fn() -> F>,
}

impl<F> Group<F> {
    /// The group of this name; it needs no constant.
    pub const fn named(name: &'static str) -> Self {
        Self { name, family: PhantomData }
    }

    /// The name.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<F> Clone for Group<F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Group<F> {}

impl<F> fmt::Debug for Group<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A request of an unresolved family. It has everything except the number that the kernel gave to the family.
/// [Bind](crate::Resolved::bind) it before sending.
#[must_use = "a request does nothing until a client sends it"]
pub struct Unbound<F, R> {
    pub(crate) request: Request<R>,
    family: PhantomData<fn() -> F>,
}

impl<F: Declared, R> Unbound<F, R> {
    /// Starts a message: its command and flags.
    #[inline]
    pub fn new(info: &'static MessageInfo, flags: MessageFlags) -> Self {
        let request = Request::of_type(info, MessageType::default(), flags, F::Header::default());
        Self { request, family: PhantomData }.with_header()
    }

    /// Removes all attributes, and keeps command, flags and memory. This is the cheap way to make many
    /// similar requests.
    #[inline]
    pub fn restart(self) -> Self {
        let request = self.request.restart(F::Header::default());
        Self { request, ..self }.with_header()
    }

    /// Sets the fields that all families have in the header.
    #[allow(clippy::cast_possible_truncation)] // `message!` holds every command against its byte
    #[inline]
    pub(crate) fn with_header(mut self) -> Self {
        let command = self.request.info().number as u8;
        self.request.edit(|header: &mut Header| *header = header.command(command).version(F::VERSION));
        self
    }

    /// Adds flags to the message.
    pub fn with_flags(self, flags: MessageFlags) -> Self {
        Self { request: self.request.with_flags(flags), ..self }
    }

    /// Information about the message.
    pub fn info(&self) -> &'static MessageInfo {
        self.request.info()
    }

    /// The writer for the macros.
    #[doc(hidden)]
    #[inline]
    pub fn plain(&mut self) -> &mut Request<R> {
        &mut self.request
    }

    /// The attribute writer for the macros.
    #[doc(hidden)]
    #[inline]
    pub fn writer(&mut self) -> &mut netlink_core::Writer {
        self.request.writer()
    }

    /// The same bytes with another type of answer.
    pub fn expecting<S>(self) -> Unbound<F, S> {
        Unbound { request: self.request.expecting(), family: PhantomData }
    }
}

impl<F, R> Clone for Unbound<F, R> {
    fn clone(&self) -> Self {
        Self { request: self.request.clone(), family: PhantomData }
    }
}

impl<F, R> fmt::Debug for Unbound<F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.request.fmt(f)
    }
}

/// A value that can be bound to a family: the requests of [`message!`](crate::message!), by value or by reference.
pub trait IntoUnbound {
    /// The family.
    type Family: Declared;
    /// The answer.
    type Answer;

    /// The request.
    fn into_unbound(self) -> Unbound<Self::Family, Self::Answer>;
}

impl<F: Declared, R> IntoUnbound for Unbound<F, R> {
    type Family = F;
    type Answer = R;

    #[inline]
    fn into_unbound(self) -> Self {
        self
    }
}

/// Binds a copy of the request.
impl<Q: IntoUnbound + Clone> IntoUnbound for &Q {
    type Family = Q::Family;
    type Answer = Q::Answer;

    fn into_unbound(self) -> Unbound<Q::Family, Q::Answer> {
        self.clone().into_unbound()
    }
}

/// Declares a family: its name, its messages, its groups and its events.
///
/// ```
/// use netlink_generic::{Header, attrs, family, message};
///
/// attrs! {
///     /// `MPTCP_PM_ENDPOINT_*`, one of them.
///     pub struct EndpointAttrs<'a> for EndpointRequest<R> {
///         /// Id of the address.
///         2 MPTCP_PM_ADDR_ATTR_ID id: u8,
///     }
/// }
///
/// message! {
///     /// An address.
///     pub struct Endpoint<'a>(Mptcp, EndpointAttrs<'a>), EndpointRequest {
///         /// Asks for one or all.
///         3 MPTCP_PM_CMD_GET_ADDR GET,
///     }
/// }
///
/// family! {
///     /// Path management of MPTCP.
///     pub struct Mptcp(Header): "mptcp_pm" = 1 { Endpoint }
///
///     groups {
///         /// Connections and subflows.
///         "mptcp_pm_events" EVENTS,
///     }
///
///     /// What happens to connections.
///     pub enum Event<'a> {
///         /// An address was asked for.
///         Asked(Endpoint) = GET,
///     }
/// }
/// # fn main() {}
/// ```
///
/// After the type follow the header of its messages ([`Header`](crate::Header) for nearly all), the name that
/// the controller knows, the version, and the messages, each made by [`message!`](crate::message!).
///
/// A family with multicast groups declares the groups, and the events that they receive, in the rows of the
/// core's `events!`.
///
/// The macro makes these items in the same module:
///
/// - the type, which implements [`Declared`](crate::Declared), and has a constant for each group;
/// - `connect()` and `connect_with(options)`, which open a [`Client`](crate::Client);
/// - `subscribe(groups)` and `subscribe_with(groups, options)`, which open [`Events`](crate::Events);
/// - with the feature `tokio`, a module `tokio` with the same four functions for tokio.
#[macro_export]
macro_rules! family {
    (
        $(#[$meta:meta])*
        $vis:vis struct $family:ident($header:ty): $name:literal = $version:literal { $($message:ident),+ $(,)? }
        $(
            groups { $( $(#[$gmeta:meta])* $gname:literal $group:ident, )* }

            $(#[$emeta:meta])*
            $evis:vis enum $event:ident<$a:lifetime> {
                $(
                    $(#[$vmeta:meta])*
                    $variant:ident($($from:ident)::+ $(: $change:ident)?) = $first:ident $(| $more:ident)* $(if $guard:path)?,
                )*
            }
        )?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        #[non_exhaustive]
        $vis struct $family;

        impl $crate::Declared for $family {
            const NAME: &'static str = $name;
            const VERSION: u8 = $version;
            const INFO: &'static $crate::ProtocolInfo = {
                const _: () = $crate::netlink_core::request::told_apart(&[$( $message::MESSAGES ),+]);
                static INFO: $crate::ProtocolInfo = $crate::ProtocolInfo {
                    protocol: $crate::Protocol::GENERIC,
                    name: $name,
                    messages: &[$( $message::MESSAGES ),+],
                };
                &INFO
            };
            type Header = $header;
        }

        const _: () = assert!($name.len() < 16, "the kernel allows a family's name 15 bytes");

        $crate::__connect! { $vis $family $($event)? }

        $(
            #[allow(unreachable_pub, dead_code)]
            impl $family {
                $(
                    $(#[$gmeta])*
                    #[doc = concat!("\n\n`", $gname, "`")]
                    pub const $group: $crate::Group<Self> = $crate::Group::named($gname);
                )*
            }

            $crate::netlink_core::events! {
                $(#[$emeta])*
                $evis enum $event<$a> {
                    $( $(#[$vmeta])* $variant($($from)::+ $(: $change)?) = $first $(| $more)* $(if $guard)?, )*
                }
            }

            impl $crate::Notifies for $family {
                type Event = $event<'static>;
            }
        )?
    };
}

/// Declares a message of a family: a set of attributes, the commands it comes with, and the builder of requests.
///
/// See [`family!`](crate::family!) for an example. A row is `number C_NAME CONST,` after its doc comment, as
/// in the core's `message!`; the number is the command's. The macro makes the decoded message, which has the
/// getters of the attribute set by `Deref` and implements [`Reply`](crate::Reply). It makes a
/// [`MessageInfo`](crate::MessageInfo) per command, and the builder with the setters of
/// [`attrs!`](crate::attrs!). A client binds the builder to the family before it sends it. After the braces,
/// `about` and a function that writes the object of a message can follow, and `shows`, as in the core's macro.
#[macro_export]
macro_rules! message {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident<$a:lifetime>($family:ident, $attrs:ident<$b:lifetime>), $request:ident {
            $( $(#[$tmeta:meta])* $number:literal $c_name:ident $const:ident $([$($quirk:ident)+])?, )*
        }
        $(about $subject:tt)?
        $(shows |$this:ident| $shows:tt)?
    ) => {
        $crate::netlink_core::__message_view! {
            [$(#[$meta])*] [$($this $shows)?] $vis $name $a [<$family as $crate::Declared>::Header] $attrs
            [ByCommand] [::core::option::Option::Some(<$family as $crate::Declared>::INFO)]
            [<$family as $crate::Declared>::INFO.messages]
            [$crate::netlink_core::__subject!($name $($subject)?)] [$crate::netlink_core::error::net_admin]
            $( $(#[$tmeta])* $number $c_name $const $([$($quirk)+])?, )*
        }

        $( const _: u8 = $number; )*

        #[allow(unreachable_pub, dead_code)]
        impl $name<'_> {
            /// A request with the same header and attributes. Attributes without a row are included.
            pub fn to_request<R>(
                &self,
                info: &'static $crate::MessageInfo,
                flags: $crate::MessageFlags,
            ) -> $request<R> {
                let mut request = $request::new(info, flags).header(|header| *header = self.header());
                $crate::Payload::encode(&self.attrs, request.0.writer());
                request
            }
        }

        $(#[$meta])*
        ///
        /// As a request: each setter appends its attribute to the message at once. The request has no family
        /// number yet: a client binds it to its family and sends it.
        #[derive(Debug)]
        #[must_use = "a request does nothing until a client sends it"]
        $vis struct $request<R>($crate::Unbound<$family, R>);

        impl<R> Clone for $request<R> {
            fn clone(&self) -> Self {
                Self(self.0.clone())
            }
        }

        #[allow(unreachable_pub, dead_code)]
        impl<R> $request<R> {
            /// Starts a request with any command and flags, for requests that the functions of this module
            /// don't offer.
            #[inline]
            pub fn new(info: &'static $crate::MessageInfo, flags: $crate::MessageFlags) -> Self {
                Self($crate::Unbound::new(info, flags))
            }

            /// Changes the header.
            #[inline]
            pub fn header(mut self, change: impl FnOnce(&mut <$family as $crate::Declared>::Header)) -> Self {
                self.0.plain().edit(change);
                self
            }

            /// Removes all attributes, and keeps command, flags and memory.
            #[inline]
            pub fn restart(self) -> Self {
                Self(self.0.restart())
            }

            /// Appends an attribute that has no setter.
            pub fn attr<'x>(mut self, number: u16, payload: &impl $crate::Payload<'x>) -> Self {
                payload.put(number, self.0.writer());
                self
            }
        }

        impl<R> $crate::IntoUnbound for $request<R> {
            type Family = $family;
            type Answer = R;

            #[inline]
            fn into_unbound(self) -> $crate::Unbound<$family, R> {
                self.0
            }
        }
    };
}
