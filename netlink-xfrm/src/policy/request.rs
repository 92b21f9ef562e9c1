//! Requests about policies.

use netlink_core::{Array, Dump, MessageFlags, MessageInfo, Request, Unsendable};

use super::{
    Action, DefaultAction, DefaultInfo, DefaultPolicy, DefaultRequest, DeletedPolicy, Direction, Expire,
    ExpireInfo, ExpireRequest, Flush, FlushRequest, IndexRequest, KeyRequest, Lifetime, Migrate,
    MigrateRequest, Migration, Policy, PolicyExpireRequest, PolicyFlags, PolicyInfo, PolicyKey,
    PolicyKeyRequest, PolicyRequest, PolicyType, Selector, Spd, SpdRequest, Template,
};
use crate::common::one_family;
use crate::state::InfoHeader;

fn info_of(selector: Selector, direction: Direction) -> PolicyInfo {
    PolicyInfo { sel: selector, lft: Lifetime::UNLIMITED, dir: direction, ..PolicyInfo::default() }
}

fn make(info: &'static MessageInfo, selector: Selector, direction: Direction) -> PolicyRequest<()> {
    let mut request = PolicyRequest::new(info, MessageFlags::ACK, info_of(selector, direction));
    selector.check(request.0.writer());
    request
}

/// Makes a policy; `EEXIST` if there is one of this selector, direction, mark, interface id and type. Without templates
/// packets pass as they are.
pub fn add(selector: Selector, direction: Direction) -> PolicyRequest<()> {
    make(&Policy::NEW, selector, direction)
}

/// Makes a policy, in place of one that exists.
pub fn update(selector: Selector, direction: Direction) -> PolicyRequest<()> {
    make(&Policy::UPDATE, selector, direction)
}

fn query<R>(info: &'static MessageInfo, flags: MessageFlags, key: PolicyKey) -> PolicyKeyRequest<R> {
    let mut request = PolicyKeyRequest::new(info, flags, key);
    key.sel.check(request.0.writer());
    request
}

fn by_selector(selector: Selector, direction: Direction) -> PolicyKey {
    PolicyKey { sel: selector, dir: direction, ..PolicyKey::default() }
}

fn by_index<R>(
    info: &'static MessageInfo,
    flags: MessageFlags,
    index: u32,
    direction: Direction,
) -> IndexRequest<R> {
    let mut request = query(info, flags, PolicyKey { index, dir: direction, ..PolicyKey::default() });
    if index == 0 {
        request.0.writer().fail(Unsendable::Value("number 0, for which the kernel looks at the selector"));
    }
    request.into()
}

/// Asks for a policy; `ENOENT` if there is none. It is found by its mark, interface id and type too.
pub fn get(selector: Selector, direction: Direction) -> KeyRequest<Policy<'static>> {
    query(&DeletedPolicy::GET, MessageFlags::empty(), by_selector(selector, direction)).into()
}

/// The same by its number.
pub fn get_by_index(index: u32, direction: Direction) -> IndexRequest<Policy<'static>> {
    by_index(&DeletedPolicy::GET, MessageFlags::empty(), index, direction)
}

/// Deletes a policy; `ENOENT` if there is none. It is named as in [`get`].
pub fn delete(selector: Selector, direction: Direction) -> KeyRequest<()> {
    query(&DeletedPolicy::DEL, MessageFlags::ACK, by_selector(selector, direction)).into()
}

/// The same by its number.
pub fn delete_by_index(index: u32, direction: Direction) -> IndexRequest<()> {
    by_index(&DeletedPolicy::DEL, MessageFlags::ACK, index, direction)
}

/// Lists policies, of all types and of sockets too. The kernel filters nothing.
pub fn list() -> Request<Dump<Policy<'static>>> {
    query(&DeletedPolicy::GET, MessageFlags::DUMP, PolicyKey::default()).into_request()
}

/// Deletes all policies of a type but those of sockets.
pub fn flush(kind: PolicyType) -> Request<()> {
    let request = FlushRequest::new(&Flush::FLUSH, MessageFlags::ACK, ());
    request.policy_type(kind).into_request()
}

/// Lets a policy reach its soft limit now, or its hard one, where it is deleted.
pub fn expire(selector: Selector, direction: Direction, hard: bool) -> ExpireRequest<()> {
    let policy = info_of(selector, direction);
    let header = ExpireInfo { policy, hard: hard.into(), ..ExpireInfo::default() };
    let mut request = PolicyExpireRequest::new(&Expire::EXPIRE, MessageFlags::ACK, header);
    selector.check(request.0.writer());
    request.into()
}

/// Moves the states of a policy, and its templates, to other addresses: at most 6. `ENOPROTOOPT` without
/// `CONFIG_XFRM_MIGRATE`.
///
/// ```
/// use netlink_xfrm::policy::{self, Direction, Migration, Proto, Selector};
/// use netlink_xfrm::Prefix;
/// use std::net::IpAddr;
///
/// let [here, there, elsewhere]: [IpAddr; 3] = [[192, 0, 2, 1].into(), [192, 0, 2, 2].into(), [192, 0, 2, 3].into()];
/// let selector = Selector::new(Prefix::DEFAULT_V4, Prefix::DEFAULT_V4);
/// let moves = [Migration::new((here, there), (here, elsewhere), Proto::ESP)];
/// let request = policy::migrate(selector, Direction::OUT, &moves);
/// ```
pub fn migrate(selector: Selector, direction: Direction, moves: &[Migration]) -> MigrateRequest<()> {
    let header = by_selector(selector, direction);
    let mut request = MigrateRequest::new(&Migrate::MIGRATE, MessageFlags::ACK, header);
    selector.check(request.0.writer());
    for step in moves {
        one_family(step.old_family, &[step.old_saddr, step.old_daddr], request.0.writer());
        one_family(step.new_family, &[step.new_saddr, step.new_daddr], request.0.writer());
    }
    request.migrate(&[Array::new(moves)])
}

/// What becomes of packets that no policy is for. Linux 5.15.
pub fn default_action() -> DefaultRequest<DefaultPolicy<'static>> {
    DefaultRequest::new(&DefaultPolicy::GET, MessageFlags::empty(), DefaultInfo::default())
}

/// Sets what becomes of packets to, through and from this host that no policy is for;
/// [`UNSPEC`](DefaultAction::UNSPEC) leaves it as it is. Linux 5.15.
pub fn set_default_action(
    input: DefaultAction,
    forward: DefaultAction,
    output: DefaultAction,
) -> DefaultRequest<()> {
    DefaultRequest::new(&DefaultPolicy::SET, MessageFlags::ACK, DefaultInfo { input, forward, output })
}

/// How many policies there are, and how they are found.
pub fn info() -> SpdRequest<Spd<'static>> {
    SpdRequest::new(&Spd::GET, MessageFlags::empty(), InfoHeader::default())
}

/// Sets which policies a hash table finds: [`ipv4_thresholds`](SpdRequest::ipv4_thresholds) and
/// [`ipv6_thresholds`](SpdRequest::ipv6_thresholds).
///
/// ```
/// use netlink_xfrm::policy::{self, HashThresholds};
///
/// let request = policy::set_hash_thresholds().ipv4_thresholds(HashThresholds::default().lbits(24).rbits(16));
/// ```
pub fn set_hash_thresholds() -> SpdRequest<()> {
    SpdRequest::new(&Spd::NEW, MessageFlags::ACK, InfoHeader::default())
}

impl<R> PolicyRequest<R> {
    /// The transformations, the innermost first: at most 6.
    pub fn templates(mut self, templates: &[Template]) -> Self {
        for template in templates {
            one_family(template.family, &[template.saddr, template.id.daddr], self.0.writer());
        }
        self.tmpl(templates)
    }

    /// The lowest of several policies that match is used. Default: 0.
    pub fn priority(self, priority: u32) -> Self {
        self.header(|header| header.priority = priority)
    }

    /// What becomes of packets. Default: they pass.
    pub fn action(self, action: Action) -> Self {
        self.header(|header| header.action = action)
    }

    /// Its number; 0, the default, lets the kernel choose one.
    pub fn index(self, index: u32) -> Self {
        self.header(|header| header.index = index)
    }

    /// Options.
    pub fn flags(self, flags: PolicyFlags) -> Self {
        self.header(|header| header.flags = flags)
    }

    /// When it expires.
    pub fn lifetime(self, lifetime: Lifetime) -> Self {
        self.header(|header| header.lft = lifetime)
    }
}
