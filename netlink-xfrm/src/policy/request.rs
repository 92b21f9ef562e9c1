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

/// Makes a policy; `EEXIST` if there is one with this selector, direction, mark, interface id and type.
/// Without templates packets pass unchanged.
pub fn add(selector: Selector, direction: Direction) -> PolicyRequest<()> {
    make(&Policy::NEW, selector, direction)
}

/// Makes a policy, or replaces an existing one.
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
        request.0.writer().fail(Unsendable::Value("index 0, for which the kernel uses the selector"));
    }
    request.into()
}

/// Asks for a policy; `ENOENT` if there is none. Mark, interface id and type must match too.
pub fn get(selector: Selector, direction: Direction) -> KeyRequest<Policy<'static>> {
    query(&DeletedPolicy::GET, MessageFlags::empty(), by_selector(selector, direction)).into()
}

/// Asks for a policy by its index; `ENOENT` if there is none.
pub fn get_by_index(index: u32, direction: Direction) -> IndexRequest<Policy<'static>> {
    by_index(&DeletedPolicy::GET, MessageFlags::empty(), index, direction)
}

/// Deletes a policy; `ENOENT` if there is none. It is identified as in [`get`].
pub fn delete(selector: Selector, direction: Direction) -> KeyRequest<()> {
    query(&DeletedPolicy::DEL, MessageFlags::ACK, by_selector(selector, direction)).into()
}

/// Deletes a policy by its index; `ENOENT` if there is none.
pub fn delete_by_index(index: u32, direction: Direction) -> IndexRequest<()> {
    by_index(&DeletedPolicy::DEL, MessageFlags::ACK, index, direction)
}

/// Lists policies of all types, including socket policies. The kernel does not filter.
pub fn list() -> Request<Dump<Policy<'static>>> {
    query(&DeletedPolicy::GET, MessageFlags::DUMP, PolicyKey::default()).into_request()
}

/// Deletes all policies of a type, except socket policies.
pub fn flush(kind: PolicyType) -> Request<()> {
    let request = FlushRequest::new(&Flush::FLUSH, MessageFlags::ACK, ());
    request.policy_type(kind).into_request()
}

/// Expires a policy now: at its soft limit, or at its hard limit, which deletes it.
pub fn expire(selector: Selector, direction: Direction, hard: bool) -> ExpireRequest<()> {
    let policy = info_of(selector, direction);
    let header = ExpireInfo { policy, hard: hard.into(), ..ExpireInfo::default() };
    let mut request = PolicyExpireRequest::new(&Expire::EXPIRE, MessageFlags::ACK, header);
    selector.check(request.0.writer());
    request.into()
}

/// Sets new addresses for the states and templates of a policy: at most 6. `ENOPROTOOPT` without
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

/// Asks for the default actions for packets without a policy. Linux 5.15.
pub fn default_action() -> DefaultRequest<DefaultPolicy<'static>> {
    DefaultRequest::new(&DefaultPolicy::GET, MessageFlags::empty(), DefaultInfo::default())
}

/// Sets the default actions for packets to, through and from this host without a policy.
/// [`UNSPEC`](DefaultAction::UNSPEC) does not change an action. Linux 5.15.
pub fn set_default_action(
    input: DefaultAction,
    forward: DefaultAction,
    output: DefaultAction,
) -> DefaultRequest<()> {
    DefaultRequest::new(&DefaultPolicy::SET, MessageFlags::ACK, DefaultInfo { input, forward, output })
}

/// Asks for the number of policies, and for their hash table.
pub fn info() -> SpdRequest<Spd<'static>> {
    SpdRequest::new(&Spd::GET, MessageFlags::empty(), InfoHeader::default())
}

/// Sets which policies are in the hash table: [`ipv4_thresholds`](SpdRequest::ipv4_thresholds) and
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
    /// The transformations, innermost first: at most 6.
    pub fn templates(mut self, templates: &[Template]) -> Self {
        for template in templates {
            one_family(template.family, &[template.saddr, template.id.daddr], self.0.writer());
        }
        self.tmpl(templates)
    }

    /// Priority: the lowest of the matching policies is used. Default: 0.
    pub fn priority(self, priority: u32) -> Self {
        self.header(|header| header.priority = priority)
    }

    /// What happens to packets. Default: they pass.
    pub fn action(self, action: Action) -> Self {
        self.header(|header| header.action = action)
    }

    /// Index; with 0, the default, the kernel chooses one.
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
