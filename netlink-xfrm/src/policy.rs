//! Policies: which packets want which transformations. Kernel side: `uapi/linux/xfrm.h`, `net/xfrm/xfrm_user.c`,
//! `net/xfrm/xfrm_policy.c`.
//!
//! ```
//! use std::net::Ipv4Addr;
//!
//! use netlink_xfrm::policy::{self, Action, DefaultAction, Direction, PolicyType, Proto, Selector, Template};
//! use netlink_xfrm::Prefix;
//!
//! let (here, there) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2));
//! let (inside, outside): (Prefix, Prefix) = ("10.1.0.0/16".parse()?, "10.2.0.0/16".parse()?);
//! let selector = Selector::new(inside, outside);
//! let tunnel = Template::tunnel(here, there, Proto::ESP).reqid(1);
//! let out = policy::add(selector, Direction::OUT).priority(100).templates(&[tunnel]);
//! let other = policy::update(selector, Direction::OUT).action(Action::BLOCK);
//! let one = policy::get(selector, Direction::OUT);
//! let the_same = policy::get_by_index(9, Direction::OUT);
//! let gone = policy::delete(selector, Direction::OUT);
//! let gone_too = policy::delete_by_index(9, Direction::OUT);
//! let old = policy::expire(selector, Direction::OUT, true);
//! let all = policy::list();
//! let none = policy::flush(PolicyType::MAIN);
//! let count = policy::info();
//! let default = policy::default_action();
//! let strict = policy::set_default_action(DefaultAction::BLOCK, DefaultAction::UNSPEC, DefaultAction::BLOCK);
//! # Ok::<(), netlink_xfrm::PrefixError>(())
//! ```

use core::net::IpAddr;

use netlink_core::layout::Pad;
use netlink_core::{Array, Be, Many, attrs, flags, layout, message, narrow, values};

mod info;
mod request;

pub use self::info::{
    DefaultAction, DefaultInfo, DefaultPolicy, DefaultRequest, HashThresholds, Spd, SpdAttrs, SpdCounts,
    SpdRequest, SpdTable,
};
pub use self::request::{
    add, default_action, delete, delete_by_index, expire, flush, get, get_by_index, info, list, migrate,
    set_default_action, set_hash_thresholds, update,
};
use crate::Family;
use crate::common::about_header;
pub use crate::common::{
    Encap, Id, Lifetime, Mark, Mode, Offload, Proto, SecurityContext, Selector, Share, Usage,
};
use crate::ip::Address;

values! {
    /// `XFRM_POLICY_IN` and so on: the way packets go. Those of sockets are listed with 3 more.
    pub struct Direction: u8 {
        /// To this host.
        0 XFRM_POLICY_IN IN "in",
        /// From this host.
        1 XFRM_POLICY_OUT OUT "out",
        /// Through this host.
        2 XFRM_POLICY_FWD FWD "fwd",
    }
}

values! {
    /// `XFRM_POLICY_ALLOW`, `XFRM_POLICY_BLOCK`.
    pub struct Action: u8 {
        /// Packets pass, transformed by the templates.
        0 XFRM_POLICY_ALLOW ALLOW "allow",
        /// Packets are dropped.
        1 XFRM_POLICY_BLOCK BLOCK "block",
    }
}

flags! {
    /// Options of a policy.
    pub struct PolicyFlags: u8 {
        /// A socket's own policy comes first.
        0x1 XFRM_POLICY_LOCALOK LOCALOK,
        /// Also for the ICMP errors that packets provoke.
        0x2 XFRM_POLICY_ICMP ICMP,
        /// An acquire per CPU. Linux 6.13.
        0x4 XFRM_POLICY_CPU_ACQUIRE CPU_ACQUIRE,
    }
}

values! {
    /// `XFRM_POLICY_TYPE_*`. All but the first want `CONFIG_XFRM_SUB_POLICY`.
    pub struct PolicyType: u8 {
        /// The usual.
        0 XFRM_POLICY_TYPE_MAIN MAIN "main",
        /// Looked at before the main ones.
        1 XFRM_POLICY_TYPE_SUB SUB "sub",
        /// In the kernel: all.
        255 XFRM_POLICY_TYPE_ANY ANY "any",
    }
}

layout! {
    /// `struct xfrm_userpolicy_type`.
    pub struct TypeInfo: xfrm_userpolicy_type = 6 {
        /// The type.
        kind: PolicyType,
        /// Padding.
        pad: Pad<5>,
    }
}

impl netlink_core::IntoAttr<TypeInfo> for PolicyType {
    fn into_attr(self) -> TypeInfo {
        TypeInfo::default().kind(self)
    }
}

layout! {
    /// `struct xfrm_userpolicy_info`: a policy but for its attributes.
    pub struct PolicyInfo: xfrm_userpolicy_info = 168 | 164 {
        /// Which packets it is for.
        sel: Selector,
        /// When it expires.
        lft: Lifetime,
        /// How much it was used. Read-only.
        curlft: Usage,
        /// The lowest of several policies that match is used.
        priority: u32,
        /// Its number, whose lowest three bits are the direction; 0 lets the kernel choose one.
        index: u32,
        /// The way packets go.
        dir: Direction,
        /// What becomes of packets.
        action: Action,
        /// Options.
        flags: PolicyFlags,
        /// The kernel takes it and forgets it.
        share: Share,
        /// Padding.
        pad: Pad<4, 0>,
    }
}

/// By what the kernel knows a policy: the key for a map. Policies with different security contexts may share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PolicyId {
    /// Which packets it is for.
    pub selector: Selector,
    /// The way packets go.
    pub dir: Direction,
    /// The type.
    pub policy_type: PolicyType,
    /// Mark that packets must have.
    pub mark: Mark,
    /// Id of the `xfrm` link it belongs to; 0 is none.
    pub if_id: u32,
}

impl PolicyAttrs<'_> {
    fn id(&self, selector: Selector, dir: Direction) -> PolicyId {
        PolicyId {
            selector,
            dir,
            policy_type: self.policy_type().map(|info| info.kind).unwrap_or_default(),
            mark: self.mark().unwrap_or_default(),
            if_id: self.if_id().unwrap_or_default(),
        }
    }
}

impl Policy<'_> {
    /// By what the kernel knows it.
    pub fn key(&self) -> PolicyId {
        let PolicyInfo { sel, dir, .. } = self.header();
        self.id(sel, dir)
    }
}

impl DeletedPolicy<'_> {
    /// By what the kernel knew it.
    pub fn key(&self) -> PolicyId {
        let PolicyKey { sel, dir, .. } = self.header();
        self.id(self.policy().map_or(sel, |policy| policy.sel), dir)
    }
}

/// Which policy: `src 192.0.2.0/24 dst 0.0.0.0/0 dir out`.
impl core::fmt::Display for PolicyInfo {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} dir {}", self.sel, self.dir)
    }
}

/// Which policy: by its selector, or by its index.
impl core::fmt::Display for PolicyKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.index {
            0 => write!(f, "{} dir {}", self.sel, self.dir),
            index => write!(f, "index {index} dir {}", self.dir),
        }
    }
}

about_header! {
    policy: Policy |header| header;
    key: DeletedPolicy |header| header;
    expiring: Expire |header| header.policy;
    moving: Migrate |header| header;
}

layout! {
    /// `struct xfrm_userpolicy_id`: which policy.
    pub struct PolicyKey: xfrm_userpolicy_id = 64 {
        /// By its selector,
        sel: Selector,
        /// or by its number if that isn't 0.
        index: u32,
        /// The way packets go.
        dir: Direction,
        /// Padding.
        pad: Pad<3>,
    }
}

layout! {
    /// `struct xfrm_user_polexpire`: a policy at one of its limits.
    pub struct ExpireInfo: xfrm_user_polexpire = 176 | 168 {
        /// The policy.
        policy: PolicyInfo,
        /// 0 at a soft limit; else the policy is gone.
        hard: u8,
        /// Padding.
        pad: Pad<7, 3>,
    }
}

layout! {
    /// `struct xfrm_user_tmpl`: a transformation that packets want, and so a state.
    pub struct Template: xfrm_user_tmpl = 64 then settle {
        /// Destination, protocol and SPI of the state; 0 for any, in the transport mode.
        id: Id,
        /// Family of the addresses.
        family: Family,
        /// Padding.
        pad: Pad<2>,
        /// Source of the state; 0 for any, in the transport mode.
        saddr: Address,
        /// Only states of this reqid; 0 for any.
        reqid: u32,
        /// What becomes of the packet's header.
        mode: Mode,
        /// Kept, and not looked at.
        share: Share,
        /// Whether packets may go without, where there is no state: 0 or 1.
        optional: u8,
        /// Padding.
        pad1: Pad<1>,
        /// Authentication algorithms that are allowed, a bit each.
        aalgos: u32,
        /// Encryption algorithms.
        ealgos: u32,
        /// Compression algorithms.
        calgos: u32,
    }
}

impl Template {
    /// Any state of this protocol and mode, of the policy's family, with every algorithm.
    pub fn new(proto: Proto, mode: Mode) -> Self {
        let id = Id { proto, ..Id::default() };
        Self { id, mode, aalgos: u32::MAX, ealgos: u32::MAX, calgos: u32::MAX, ..Self::default() }
    }

    /// A tunnel between these two; the packets in it can be of another family.
    pub fn tunnel(source: impl Into<IpAddr>, destination: impl Into<IpAddr>, proto: Proto) -> Self {
        Self::new(proto, Mode::TUNNEL).between(source, destination)
    }

    /// The transport mode, between whatever two hosts the packet has.
    pub fn transport(proto: Proto) -> Self {
        Self::new(proto, Mode::TRANSPORT)
    }

    /// Only states between these two. Both must be of one family, or the request can't be sent.
    #[must_use]
    pub fn between(mut self, source: impl Into<IpAddr>, destination: impl Into<IpAddr>) -> Self {
        let destination = destination.into();
        (self.saddr, self.id.daddr) = (source.into().into(), destination.into());
        self.family = destination.into();
        self
    }

    /// Only the state of this SPI; 0 for any.
    #[must_use]
    pub fn spi(mut self, spi: u32) -> Self {
        self.id.spi = Be(spi);
        self
    }

    fn settle(mut self) -> Self {
        self.id.daddr = self.id.daddr.of(self.family);
        self.saddr = self.saddr.of(self.family);
        self
    }
}

layout! {
    /// `struct xfrm_user_migrate`: other addresses for the states of a policy.
    pub struct Migration: xfrm_user_migrate = 76 then settle {
        /// Destination until now.
        old_daddr: Address,
        /// Source until now.
        old_saddr: Address,
        /// Destination from now on.
        new_daddr: Address,
        /// Source from now on.
        new_saddr: Address,
        /// Protocol of the states.
        proto: Proto,
        /// Their mode: tunnel or BEET.
        mode: Mode,
        /// Not in use.
        reserved: u16,
        /// Only states of this reqid; 0 for any.
        reqid: u32,
        /// Family of the old addresses.
        old_family: Family,
        /// Family of the new ones.
        new_family: Family,
    }
    shows |migration| { ; reserved }
}

impl Migration {
    /// States of a tunnel, from the pair of source and destination to another.
    pub fn new(old: (IpAddr, IpAddr), new: (IpAddr, IpAddr), proto: Proto) -> Self {
        Self {
            old_daddr: old.1.into(),
            old_saddr: old.0.into(),
            new_daddr: new.1.into(),
            new_saddr: new.0.into(),
            proto,
            mode: Mode::TUNNEL,
            old_family: old.1.into(),
            new_family: new.1.into(),
            ..Self::default()
        }
    }

    fn settle(self) -> Self {
        Self {
            old_daddr: self.old_daddr.of(self.old_family),
            old_saddr: self.old_saddr.of(self.old_family),
            new_daddr: self.new_daddr.of(self.new_family),
            new_saddr: self.new_saddr.of(self.new_family),
            ..self
        }
    }
}

layout! {
    /// `struct xfrm_user_kmaddress`: the addresses that key exchange goes on with.
    pub struct KmAddress: xfrm_user_kmaddress = 40 then settle {
        /// Ours.
        local: Address,
        /// The peer's.
        remote: Address,
        /// Not in use.
        reserved: u32,
        /// Family of both.
        family: Family,
        /// Padding.
        pad: Pad<2>,
    }
    shows |address| { ; reserved }
}

impl KmAddress {
    /// Ours and the peer's, of one family.
    pub fn new(local: impl Into<IpAddr>, remote: impl Into<IpAddr>) -> Self {
        let (local, remote) = (local.into(), remote.into());
        Self { local: local.into(), remote: remote.into(), family: local.into(), ..Self::default() }
    }

    fn settle(self) -> Self {
        Self { local: self.local.of(self.family), remote: self.remote.of(self.family), ..self }
    }
}

attrs! {
    /// `XFRMA_*` of policies, and of what is told about them.
    pub struct PolicyAttrs<'a> for
        PolicyRequest<R>, PolicyKeyRequest<R>, PolicyExpireRequest<R>, FlushRequest<R>, AcquireRequest<R>,
        MigrateRequest<R>
    {
        /// In a migration: ESP in UDP from now on.
        4 XFRMA_ENCAP encap: Encap,
        /// The transformations, the innermost first: at most 6. To send some, use [`PolicyRequest::templates`].
        5 XFRMA_TMPL tmpl: Array<'a, Template>,
        /// In the message of a deletion: the policy.
        7 XFRMA_POLICY policy: PolicyInfo,
        /// Label of a security module.
        8 XFRMA_SEC_CTX sec_ctx: SecurityContext<'a>,
        /// The type; absent is main.
        16 XFRMA_POLICY_TYPE policy_type: TypeInfo,
        /// In a migration: other addresses. The kernel tells each in an attribute of its own.
        17 XFRMA_MIGRATE migrate: Many<'a, Array<'a, Migration>>,
        /// In a migration: the addresses that key exchange goes on with.
        19 XFRMA_KMADDRESS kmaddress: KmAddress,
        /// Mark that packets must have; in a query, what is looked up.
        21 XFRMA_MARK mark: Mark,
        /// Device that does the work. Linux 6.2.
        28 XFRMA_OFFLOAD_DEV offload_dev: Offload,
        /// Id of the `xfrm` link it belongs to. Linux 4.19.
        31 XFRMA_IF_ID if_id: u32,
        /// In an acquire: the way the state is for. Linux 6.10.
        33 XFRMA_SA_DIR sa_dir: crate::state::Direction,
        /// In an acquire: the CPU whose packets want a state. Linux 6.13.
        35 XFRMA_SA_PCPU sa_pcpu: u32,
    }
}

message! {
    /// A policy.
    pub struct Policy<'a>(PolicyInfo, PolicyAttrs<'a>), PolicyRequest {
        /// A policy that exists or came to be; to make one.
        19 XFRM_MSG_NEWPOLICY NEW,
        /// A policy that changed; to make or change one.
        25 XFRM_MSG_UPDPOLICY UPDATE,
    }
    about policy
    on crate::PROTOCOL
}

message! {
    /// Which policy: a query, and the message about a policy that is gone, which holds all of it.
    pub struct DeletedPolicy<'a>(PolicyKey, PolicyAttrs<'a>), PolicyKeyRequest {
        /// A policy that is gone; to delete one.
        20 XFRM_MSG_DELPOLICY DEL,
        /// Asks for one or all.
        21 XFRM_MSG_GETPOLICY GET,
    }
    about key
    on crate::PROTOCOL
}

narrow! {
    /// A question about one policy, or the deletion of one, by its selector. The kernel looks at nothing but what can be
    /// set here.
    pub struct KeyRequest<R>(PolicyKeyRequest<R>) {
        /// The policy with this mark; without, that without a mark.
        mark: Mark,
        /// The policy with this interface id; without, that without one. Linux 4.19.
        if_id: u32,
        /// The policy of this type; without, that of the main one.
        policy_type: TypeInfo,
        /// The policy with this security context; without, that without one.
        sec_ctx: SecurityContext<'a>,
    }
}

narrow! {
    /// The same by its number, where the security context does not count.
    pub struct IndexRequest<R>(PolicyKeyRequest<R>) {
        /// The policy with this mark; without, that without a mark.
        mark: Mark,
        /// The policy with this interface id; without, that without one. Linux 4.19.
        if_id: u32,
        /// The policy of this type; without, that of the main one.
        policy_type: TypeInfo,
    }
}

narrow! {
    /// The end of one policy.
    pub struct ExpireRequest<R>(PolicyExpireRequest<R>) {
        /// The policy with this mark; without, that without a mark.
        mark: Mark,
        /// The policy with this interface id; without, that without one. Linux 4.19.
        if_id: u32,
        /// The policy of this type; without, that of the main one.
        policy_type: TypeInfo,
        /// The policy with this security context; without, that without one.
        sec_ctx: SecurityContext<'a>,
    }
}

message! {
    /// A policy at one of its limits.
    pub struct Expire<'a>(ExpireInfo, PolicyAttrs<'a>), PolicyExpireRequest {
        /// The limit is reached; to let it be.
        27 XFRM_MSG_POLEXPIRE EXPIRE,
    }
    about expiring
    on crate::PROTOCOL
}

message! {
    /// The end of all policies of a type.
    pub struct Flush<'a>((), PolicyAttrs<'a>), FlushRequest {
        /// They are gone; to delete them.
        29 XFRM_MSG_FLUSHPOLICY FLUSH,
    }
    on crate::PROTOCOL
}

layout! {
    /// `struct xfrm_user_acquire`: the state that is wanted.
    pub struct AcquireInfo: xfrm_user_acquire = 280 | 276 {
        /// Destination, protocol and SPI; the family is the template's, see [`Acquire::destination`].
        id: Id,
        /// Source.
        saddr: Address,
        /// The packet.
        sel: Selector,
        /// The policy that wants it.
        policy: PolicyInfo,
        /// Authentication algorithms that are allowed, a bit each.
        aalgos: u32,
        /// Encryption algorithms.
        ealgos: u32,
        /// Compression algorithms.
        calgos: u32,
        /// Of the state that answers it.
        seq: u32,
    }
}

message! {
    /// A packet wants a state that isn't there.
    pub struct Acquire<'a>(AcquireInfo, PolicyAttrs<'a>), AcquireRequest {
        /// The kernel asks for it; to let it ask.
        23 XFRM_MSG_ACQUIRE ACQUIRE,
    }
    on crate::PROTOCOL
}

impl Acquire<'_> {
    /// Family of the state: that of the template, or of the packet.
    fn family(&self) -> Family {
        let template = self.tmpl().and_then(|templates| templates.get(0));
        template.map_or_else(|| self.header().sel.family, |template| template.family)
    }

    /// Where the state is to lead.
    pub fn destination(&self) -> Option<IpAddr> {
        self.header().id.daddr.of(self.family()).ip()
    }

    /// From where.
    pub fn source(&self) -> Option<IpAddr> {
        self.header().saddr.of(self.family()).ip()
    }
}

message! {
    /// The states of a policy move to other addresses, and its templates with them.
    pub struct Migrate<'a>(PolicyKey, PolicyAttrs<'a>), MigrateRequest {
        /// They moved; to move them.
        33 XFRM_MSG_MIGRATE MIGRATE,
    }
    about moving
    on crate::PROTOCOL
}

impl Migrate<'_> {
    /// From where to where.
    pub fn migrations(&self) -> impl Iterator<Item = Migration> {
        self.migrate().into_iter().flat_map(|all| all.iter().flat_map(|some| some.iter()))
    }
}

/// Close to what `ip xfrm policy` prints.
impl core::fmt::Display for Policy<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let info = self.header();
        write!(f, "{info} action {}", info.action)?;
        write!(f, " index {} priority {}", info.index, info.priority)?;
        for template in self.tmpl().iter().flat_map(|templates| templates.iter()) {
            write!(f, " tmpl src {} dst {}", template.saddr, template.id.daddr)?;
            write!(f, " proto {} reqid {} mode {}", template.id.proto, template.reqid, template.mode)?;
        }
        Ok(())
    }
}
