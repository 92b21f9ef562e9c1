//! Policies: the transformations that packets need. Kernel side: `uapi/linux/xfrm.h`, `net/xfrm/xfrm_user.c`,
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
    /// `XFRM_POLICY_IN`, `XFRM_POLICY_OUT` and `XFRM_POLICY_FWD`: direction of packets. In lists, socket
    /// policies have these numbers plus 3.
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
        /// Packets pass after the transformations of the templates.
        0 XFRM_POLICY_ALLOW ALLOW "allow",
        /// Packets are dropped.
        1 XFRM_POLICY_BLOCK BLOCK "block",
    }
}

flags! {
    /// Options of a policy.
    pub struct PolicyFlags: u8 {
        /// A policy of the socket itself has precedence.
        0x1 XFRM_POLICY_LOCALOK LOCALOK,
        /// Also for ICMP errors caused by these packets.
        0x2 XFRM_POLICY_ICMP ICMP,
        /// One acquire per CPU. Linux 6.13.
        0x4 XFRM_POLICY_CPU_ACQUIRE CPU_ACQUIRE,
    }
}

values! {
    /// `XFRM_POLICY_TYPE_*`. All except the first need `CONFIG_XFRM_SUB_POLICY`.
    pub struct PolicyType: u8 {
        /// Main policies.
        0 XFRM_POLICY_TYPE_MAIN MAIN "main",
        /// Sub-policies, searched before the main policies.
        1 XFRM_POLICY_TYPE_SUB SUB "sub",
        /// All types; used inside the kernel.
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
    /// `struct xfrm_userpolicy_info`: the fixed part of a policy.
    pub struct PolicyInfo: xfrm_userpolicy_info = 168 | 164 {
        /// The packets that it applies to.
        sel: Selector,
        /// When it expires.
        lft: Lifetime,
        /// Usage. Read-only.
        curlft: Usage,
        /// Priority: the lowest of the matching policies is used.
        priority: u32,
        /// Index. The lowest three bits are the direction. With 0 the kernel chooses the index.
        index: u32,
        /// Direction of packets.
        dir: Direction,
        /// What happens to packets.
        action: Action,
        /// Options.
        flags: PolicyFlags,
        /// The kernel accepts it, but does not store it.
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

/// The identity of the policy: `src 192.0.2.0/24 dst 0.0.0.0/0 dir out`.
impl core::fmt::Display for PolicyInfo {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} dir {}", self.sel, self.dir)
    }
}

/// The identity of the policy: by selector or by index.
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
    /// `struct xfrm_userpolicy_id`: identifies a policy.
    pub struct PolicyKey: xfrm_userpolicy_id = 64 {
        /// The selector; used if `index` is 0.
        sel: Selector,
        /// The index of the policy, if not 0.
        index: u32,
        /// Direction of packets.
        dir: Direction,
        /// Padding.
        pad: Pad<3>,
    }
}

layout! {
    /// `struct xfrm_user_polexpire`: a policy that reached a limit.
    pub struct ExpireInfo: xfrm_user_polexpire = 176 | 168 {
        /// The policy.
        policy: PolicyInfo,
        /// 0 at a soft limit. Otherwise the policy was removed.
        hard: u8,
        /// Padding.
        pad: Pad<7, 3>,
    }
}

layout! {
    /// `struct xfrm_user_tmpl`: a transformation that packets need, and so a state.
    pub struct Template: xfrm_user_tmpl = 64 then after_read {
        /// Destination, protocol and SPI of the state. In transport mode, 0 is any.
        id: Id,
        /// Family of the addresses.
        family: Family,
        /// Padding.
        pad: Pad<2>,
        /// Source of the state. In transport mode, 0 is any.
        saddr: Address,
        /// Only states with this reqid; 0 is any.
        reqid: u32,
        /// What happens to the packet's header.
        mode: Mode,
        /// Stored, but not used.
        share: Share,
        /// Whether packets may pass without the transformation if there is no state: 0 or 1.
        optional: u8,
        /// Padding.
        pad1: Pad<1>,
        /// Allowed authentication algorithms, one bit each.
        aalgos: u32,
        /// Allowed encryption algorithms, one bit each.
        ealgos: u32,
        /// Allowed compression algorithms, one bit each.
        calgos: u32,
    }
}

impl Template {
    /// Any state with this protocol and mode, of the policy's family, with any algorithm.
    pub fn new(proto: Proto, mode: Mode) -> Self {
        let id = Id { proto, ..Id::default() };
        Self { id, mode, aalgos: u32::MAX, ealgos: u32::MAX, calgos: u32::MAX, ..Self::default() }
    }

    /// A tunnel between these two addresses. Inner packets can be of another family.
    pub fn tunnel(source: impl Into<IpAddr>, destination: impl Into<IpAddr>, proto: Proto) -> Self {
        Self::new(proto, Mode::TUNNEL).between(source, destination)
    }

    /// Transport mode between the two hosts of each packet.
    pub fn transport(proto: Proto) -> Self {
        Self::new(proto, Mode::TRANSPORT)
    }

    /// Only states between these two addresses. Both must be of one family; otherwise the request can't be sent.
    #[must_use]
    pub fn between(mut self, source: impl Into<IpAddr>, destination: impl Into<IpAddr>) -> Self {
        let destination = destination.into();
        (self.saddr, self.id.daddr) = (source.into().into(), destination.into());
        self.family = destination.into();
        self
    }

    /// Only the state with this SPI; 0 is any.
    #[must_use]
    pub fn spi(mut self, spi: u32) -> Self {
        self.id.spi = Be(spi);
        self
    }

    fn after_read(mut self) -> Self {
        self.id.daddr = self.id.daddr.of(self.family);
        self.saddr = self.saddr.of(self.family);
        self
    }
}

layout! {
    /// `struct xfrm_user_migrate`: new addresses for the states of a policy.
    pub struct Migration: xfrm_user_migrate = 76 then after_read {
        /// Old destination.
        old_daddr: Address,
        /// Old source.
        old_saddr: Address,
        /// New destination.
        new_daddr: Address,
        /// New source.
        new_saddr: Address,
        /// Protocol of the states.
        proto: Proto,
        /// Their mode: tunnel or BEET.
        mode: Mode,
        /// Not used.
        reserved: u16,
        /// Only states with this reqid; 0 is any.
        reqid: u32,
        /// Family of the old addresses.
        old_family: Family,
        /// Family of the new addresses.
        new_family: Family,
    }
    shows |migration| { ; reserved }
}

impl Migration {
    /// Moves states of a tunnel from the old pair of source and destination to the new pair.
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

    fn after_read(self) -> Self {
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
    /// `struct xfrm_user_kmaddress`: addresses for further key exchange.
    pub struct KmAddress: xfrm_user_kmaddress = 40 then after_read {
        /// Local address.
        local: Address,
        /// Remote address.
        remote: Address,
        /// Not used.
        reserved: u32,
        /// Family of both.
        family: Family,
        /// Padding.
        pad: Pad<2>,
    }
    shows |address| { ; reserved }
}

impl KmAddress {
    /// Local and remote address, of one family.
    pub fn new(local: impl Into<IpAddr>, remote: impl Into<IpAddr>) -> Self {
        let (local, remote) = (local.into(), remote.into());
        Self { local: local.into(), remote: remote.into(), family: local.into(), ..Self::default() }
    }

    fn after_read(self) -> Self {
        Self { local: self.local.of(self.family), remote: self.remote.of(self.family), ..self }
    }
}

attrs! {
    /// `XFRMA_*`: attributes of policies and of messages about them.
    pub struct PolicyAttrs<'a> for
        PolicyRequest<R>, PolicyKeyRequest<R>, PolicyExpireRequest<R>, FlushRequest<R>, AcquireRequest<R>,
        MigrateRequest<R>
    {
        /// In a migration: the new encapsulation of ESP.
        4 XFRMA_ENCAP encap: Encap,
        /// The transformations, innermost first: at most 6. To send them, use [`PolicyRequest::templates`].
        5 XFRMA_TMPL tmpl: Array<'a, Template>,
        /// In the event of a removed policy: the policy.
        7 XFRMA_POLICY policy: PolicyInfo,
        /// Label of a security module.
        8 XFRMA_SEC_CTX sec_ctx: SecurityContext<'a>,
        /// The type; absent means main.
        16 XFRMA_POLICY_TYPE policy_type: TypeInfo,
        /// In a migration: new addresses. The kernel sends each in a separate attribute.
        17 XFRMA_MIGRATE migrate: Many<'a, Array<'a, Migration>>,
        /// In a migration: addresses for further key exchange.
        19 XFRMA_KMADDRESS kmaddress: KmAddress,
        /// Mark that packets must have. In a query: the mark to look up.
        21 XFRMA_MARK mark: Mark,
        /// Device for an offload. Linux 6.2.
        28 XFRMA_OFFLOAD_DEV offload_dev: Offload,
        /// Id of the `xfrm` link of the policy. Linux 4.19.
        31 XFRMA_IF_ID if_id: u32,
        /// In an acquire: the direction of the state. Linux 6.10.
        33 XFRMA_SA_DIR sa_dir: crate::state::Direction,
        /// In an acquire: the CPU whose packets need a state. Linux 6.13.
        35 XFRMA_SA_PCPU sa_pcpu: u32,
    }
}

message! {
    /// A policy.
    pub struct Policy<'a>(PolicyInfo, PolicyAttrs<'a>), PolicyRequest {
        /// Answer and event: a policy exists or was added. Request: make one.
        19 XFRM_MSG_NEWPOLICY NEW,
        /// Event: a policy changed. Request: make or change one.
        25 XFRM_MSG_UPDPOLICY UPDATE,
    }
    about policy
    on crate::PROTOCOL
}

message! {
    /// A key of a policy: for a query, and in the event of a removed policy, which has all its attributes.
    pub struct DeletedPolicy<'a>(PolicyKey, PolicyAttrs<'a>), PolicyKeyRequest {
        /// Event: a policy was removed. Request: delete one.
        20 XFRM_MSG_DELPOLICY DEL,
        /// Asks for one policy or for all.
        21 XFRM_MSG_GETPOLICY GET,
    }
    about key
    on crate::PROTOCOL
}

narrow! {
    /// A request for one policy, or to delete one, by its selector. It has only the setters that the kernel uses.
    pub struct KeyRequest<R>(PolicyKeyRequest<R>) {
        /// The mark of the policy. Default: without a mark.
        mark: Mark,
        /// The interface id of the policy. Default: without one. Linux 4.19.
        if_id: u32,
        /// The type of the policy. Default: main.
        policy_type: TypeInfo,
        /// The security context of the policy. Default: without one.
        sec_ctx: SecurityContext<'a>,
    }
}

narrow! {
    /// A request for one policy, or to delete one, by its index. The kernel ignores the security context.
    pub struct IndexRequest<R>(PolicyKeyRequest<R>) {
        /// The mark of the policy. Default: without a mark.
        mark: Mark,
        /// The interface id of the policy. Default: without one. Linux 4.19.
        if_id: u32,
        /// The type of the policy. Default: main.
        policy_type: TypeInfo,
    }
}

narrow! {
    /// A request that expires one policy.
    pub struct ExpireRequest<R>(PolicyExpireRequest<R>) {
        /// The mark of the policy. Default: without a mark.
        mark: Mark,
        /// The interface id of the policy. Default: without one. Linux 4.19.
        if_id: u32,
        /// The type of the policy. Default: main.
        policy_type: TypeInfo,
        /// The security context of the policy. Default: without one.
        sec_ctx: SecurityContext<'a>,
    }
}

message! {
    /// A policy that reached a limit.
    pub struct Expire<'a>(ExpireInfo, PolicyAttrs<'a>), PolicyExpireRequest {
        /// Event: a policy reached a limit. Request: expire it.
        27 XFRM_MSG_POLEXPIRE EXPIRE,
    }
    about expiring
    on crate::PROTOCOL
}

message! {
    /// The removal of all policies of a type.
    pub struct Flush<'a>((), PolicyAttrs<'a>), FlushRequest {
        /// Event: they were removed. Request: delete them.
        29 XFRM_MSG_FLUSHPOLICY FLUSH,
    }
    on crate::PROTOCOL
}

layout! {
    /// `struct xfrm_user_acquire`: the needed state.
    pub struct AcquireInfo: xfrm_user_acquire = 280 | 276 {
        /// Destination, protocol and SPI. The family is that of the template; see [`Acquire::destination`].
        id: Id,
        /// Source.
        saddr: Address,
        /// The packet.
        sel: Selector,
        /// The policy that needs it.
        policy: PolicyInfo,
        /// Allowed authentication algorithms, one bit each.
        aalgos: u32,
        /// Allowed encryption algorithms, one bit each.
        ealgos: u32,
        /// Allowed compression algorithms, one bit each.
        calgos: u32,
        /// Sequence number to set in the new state.
        seq: u32,
    }
}

message! {
    /// A packet needs a state that does not exist.
    pub struct Acquire<'a>(AcquireInfo, PolicyAttrs<'a>), AcquireRequest {
        /// Event: the kernel needs a state. Request: send such an event.
        23 XFRM_MSG_ACQUIRE ACQUIRE,
    }
    on crate::PROTOCOL
}

impl Acquire<'_> {
    /// Family of the state: from the template, or from the packet.
    fn family(&self) -> Family {
        let template = self.tmpl().and_then(|templates| templates.get(0));
        template.map_or_else(|| self.header().sel.family, |template| template.family)
    }

    /// Destination of the state.
    pub fn destination(&self) -> Option<IpAddr> {
        self.header().id.daddr.of(self.family()).ip()
    }

    /// Source of the state.
    pub fn source(&self) -> Option<IpAddr> {
        self.header().saddr.of(self.family()).ip()
    }
}

message! {
    /// New addresses for the states of a policy and for its templates.
    pub struct Migrate<'a>(PolicyKey, PolicyAttrs<'a>), MigrateRequest {
        /// Event: they have new addresses. Request: set new addresses.
        33 XFRM_MSG_MIGRATE MIGRATE,
    }
    about moving
    on crate::PROTOCOL
}

impl Migrate<'_> {
    /// The old and new addresses.
    pub fn migrations(&self) -> impl Iterator<Item = Migration> {
        self.migrate().into_iter().flat_map(|all| all.iter().flat_map(|some| some.iter()))
    }
}

/// Close to the output of `ip xfrm policy`.
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
