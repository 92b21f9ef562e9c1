//! What a family declares, before anybody asked the kernel for it.

use core::fmt;
use core::marker::PhantomData;

use netlink_core::layout::{Fixed, Pad};
use netlink_core::{MessageFlags, MessageInfo, MessageType, ProtocolInfo, Reply, Request, layout};

layout! {
    /// `struct genlmsghdr`: what every message of generic netlink begins with, behind its frame.
    ///
    /// A family with a header of its own declares both as one, this first:
    ///
    /// ```
    /// use netlink_generic::{Header, layout};
    ///
    /// layout! {
    ///     /// `struct ovs_header`, and what stands before it.
    ///     pub struct OvsHeader: ovs_header = 8 {
    ///         /// The command.
    ///         genl: Header,
    ///         /// Index of the datapath.
    ///         dp_ifindex: i32,
    ///     }
    /// }
    /// ```
    pub struct Header: genlmsghdr = 4 {
        /// What is asked or said. Requests fill it in.
        command: u8,
        /// The family's version. Requests fill it in.
        version: u8,
        /// Nothing.
        reserved: Pad<2>,
    }
    shows |header| { ; command version }
}

/// A family as it is declared: its name, and what it says. Made by [`family!`](crate::family!).
pub trait Declared: Sized + 'static {
    /// The name, by which the controller knows it.
    const NAME: &'static str;
    /// The version that requests carry.
    const VERSION: u8;
    /// The family as data: its name and every message of it.
    const INFO: &'static ProtocolInfo;
    /// What its messages begin with: [`Header`], or a struct that begins with that.
    type Header: Fixed + Default;
}

/// A family that tells what happens, to multicast groups.
pub trait Notifies: Declared {
    /// What happens.
    type Event: Reply;
}

/// A multicast group of a family, by its name. The families' groups are constants of theirs.
pub struct Group<F> {
    name: &'static str,
    family: PhantomData<fn() -> F>,
}

impl<F> Group<F> {
    /// The group of this name, whether or not there is a constant for it.
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

/// A request of a family that was not resolved yet: everything but the number that the kernel gave the family. It
/// can't be sent before it is [bound](crate::Resolved::bind).
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

    /// Drops every attribute, keeping command, flags and memory: the cheap way to make many requests alike.
    #[inline]
    pub fn restart(self) -> Self {
        let request = self.request.restart(F::Header::default());
        Self { request, ..self }.with_header()
    }

    /// Fills in what every family's header begins with.
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

    /// What the message is.
    pub fn info(&self) -> &'static MessageInfo {
        self.request.info()
    }

    /// Where the macros write.
    #[doc(hidden)]
    #[inline]
    pub fn plain(&mut self) -> &mut Request<R> {
        &mut self.request
    }

    /// Where the macros write attributes.
    #[doc(hidden)]
    #[inline]
    pub fn writer(&mut self) -> &mut netlink_core::Writer {
        self.request.writer()
    }

    /// The same bytes, answered with something else.
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

/// What can be bound to a family: the requests that [`message!`](crate::message!) makes, by value or by reference.
pub trait IntoUnbound {
    /// The family.
    type Family: Declared;
    /// What it is answered with.
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

/// A copy of it.
impl<Q: IntoUnbound + Clone> IntoUnbound for &Q {
    type Family = Q::Family;
    type Answer = Q::Answer;

    fn into_unbound(self) -> Unbound<Q::Family, Q::Answer> {
        self.clone().into_unbound()
    }
}

/// Declares a family: its name, and what it says.
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
/// Behind the type stand what its messages begin with ([`Header`](crate::Header) for nearly all), the name by which
/// the controller knows it, the version, and its messages, each made by [`message!`](crate::message!).
///
/// A family with multicast groups names them, and the messages that are sent there, in the rows of the core's `events!`.
///
/// It makes, in the module it stands in:
///
/// - the type, which implements [`Declared`](crate::Declared), and has a constant for each group;
/// - `connect()` and `connect_with(options)`, which open a [`Client`](crate::Client);
/// - `subscribe(groups)` and `subscribe_with(groups, options)`, which open [`Events`](crate::Events);
/// - with the feature `tokio`, a module `tokio` with the same four on its reactor.
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
/// See [`family!`](crate::family!) for an example. A row is `number C_NAME CONST,` under its doc comment, as in the
/// core's `message!`; the number is that of the command. It makes the decoded message, which has the getters of the
/// attribute set by `Deref` and implements [`Reply`](crate::Reply); a [`MessageInfo`](crate::MessageInfo) per command;
/// and the builder that the setters of [`attrs!`](crate::attrs!) stand on, which is bound to the family before it is
/// sent. Behind the braces may stand `about` and the function that writes which object a message is about, and `shows`,
/// as in the core's.
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
            /// A request with the same header and attributes, those without a row included.
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
        /// As a request: each setter appends its attribute to the message at once. It has no number yet to be sent
        /// with: a client binds it to its family and sends it.
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
            /// Starts a request of any command and flags, for what the functions of this module don't offer.
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

            /// Drops every attribute, keeping command, flags and memory.
            #[inline]
            pub fn restart(self) -> Self {
                Self(self.0.restart())
            }

            /// Appends any attribute; for those without a setter.
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
