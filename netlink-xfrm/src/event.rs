//! Notifications: what the kernel tells the multicast groups of `NETLINK_XFRM`, as `ip xfrm monitor` shows it.

use alloc::borrow::Cow;

use netlink_core::{DecodeError, Expect, Message, MessageInfo, MessageType, Reply, values};

use crate::policy::{self, Acquire, DeletedPolicy, Migrate, Policy};
use crate::state::{self, AsyncEvent, DeletedState, Mapping, MigrateState, Report, State};

values! {
    /// `XFRMNLGRP_*`: the multicast groups.
    pub struct Group: u32 {
        /// States that are wanted.
        1 XFRMNLGRP_ACQUIRE ACQUIRE "acquire",
        /// States and policies at their limits.
        2 XFRMNLGRP_EXPIRE EXPIRE "expire",
        /// States.
        3 XFRMNLGRP_SA STATE "sa",
        /// Policies, and what becomes of packets without one.
        4 XFRMNLGRP_POLICY POLICY "policy",
        /// Counters of states.
        5 XFRMNLGRP_AEVENTS ASYNC_EVENT "aevent",
        /// Packets of Mobile IPv6 without a state.
        6 XFRMNLGRP_REPORT REPORT "report",
        /// States that moved.
        7 XFRMNLGRP_MIGRATE MIGRATE "migrate",
        /// Peers whose address or port changed.
        8 XFRMNLGRP_MAPPING MAPPING "mapping",
    }
}

impl Group {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::ACQUIRE,
        Self::EXPIRE,
        Self::STATE,
        Self::POLICY,
        Self::ASYNC_EVENT,
        Self::REPORT,
        Self::MIGRATE,
        Self::MAPPING,
    ];

    /// The plain numbers, as a socket takes them.
    #[cfg(all(feature = "std", target_os = "linux"))]
    pub(crate) fn numbers(groups: &[Self]) -> alloc::vec::Vec<u32> {
        groups.iter().map(|group| group.0).collect()
    }
}

/// A notification, with the object as it is now, or as it was before it went.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A state came to be.
    StateAdded(State<'a>),
    /// A state changed.
    StateUpdated(State<'a>),
    /// A state is gone.
    StateDeleted(DeletedState<'a>),
    /// All states of a protocol are gone; no message per state.
    StatesFlushed(state::Flush<'a>),
    /// A state reached a soft limit, or a hard one and is gone.
    StateExpired(state::Expire<'a>),
    /// A policy came to be.
    PolicyAdded(Policy<'a>),
    /// A policy changed, or came to be by [`policy::update`].
    PolicyUpdated(Policy<'a>),
    /// A policy is gone.
    PolicyDeleted(DeletedPolicy<'a>),
    /// All policies of a type are gone; no message per policy.
    PoliciesFlushed(policy::Flush<'a>),
    /// A policy reached a soft limit, or a hard one and is gone.
    PolicyExpired(policy::Expire<'a>),
    /// What becomes of packets without a policy changed.
    Default(policy::DefaultPolicy<'a>),
    /// A packet wants a state that isn't there.
    Acquire(Acquire<'a>),
    /// A threshold of a state was reached, or its counters were set.
    AsyncEvent(AsyncEvent<'a>),
    /// A packet of Mobile IPv6 that no state is for.
    Report(Report<'a>),
    /// The peer's address or port changed.
    Mapping(Mapping<'a>),
    /// The states of a policy moved.
    Migrate(Migrate<'a>),
    /// One state moved.
    MigrateState(MigrateState<'a>),
    /// A message of another type, as it came.
    Other {
        /// Its type.
        kind: MessageType,
        /// What followed the frame's header.
        body: Cow<'a, [u8]>,
    },
}

macro_rules! events {
    ($( $variant:ident($($name:ident)::+) $const:ident, )*) => {
        impl Reply for Event<'static> {
            const EXPECT: Expect = Expect::Reply;
            const INFO: Option<&'static MessageInfo> = Some(&State::NEW);
            type View<'a> = Event<'a>;

            fn view<'a>(message: &Message<'a>) -> Result<Event<'a>, DecodeError> {
                let kind = message.header.kind;
                $(
                    if kind.0 == <$($name)::+<'_>>::$const.number {
                        return <$($name)::+<'_>>::read(message).map(Event::$variant);
                    }
                )*
                Ok(Event::Other { kind, body: Cow::Borrowed(message.body) })
            }

            fn own(view: Event<'_>) -> Self {
                match view {
                    $( Event::$variant(message) => Self::$variant(message.into_owned()), )*
                    Event::Other { kind, body } => Self::Other { kind, body: Cow::Owned(body.into_owned()) },
                }
            }
        }

        /// Every message that is told or answered.
        pub(crate) const MESSAGES: &[&[MessageInfo]] = &[&[$( <$($name)::+<'_>>::$const, )*]];
    };
}

events! {
    StateAdded(State) NEW,
    StateUpdated(State) UPDATE,
    StateDeleted(DeletedState) DEL,
    StatesFlushed(state::Flush) FLUSH,
    StateExpired(state::Expire) EXPIRE,
    PolicyAdded(Policy) NEW,
    PolicyUpdated(Policy) UPDATE,
    PolicyDeleted(DeletedPolicy) DEL,
    PoliciesFlushed(policy::Flush) FLUSH,
    PolicyExpired(policy::Expire) EXPIRE,
    Default(policy::DefaultPolicy) GET,
    Acquire(Acquire) ACQUIRE,
    AsyncEvent(AsyncEvent) NEW,
    Report(Report) REPORT,
    Mapping(Mapping) MAPPING,
    Migrate(Migrate) MIGRATE,
    MigrateState(MigrateState) MIGRATE,
}
