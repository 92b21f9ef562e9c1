//! Routes as `ip route` prints them.

use core::fmt;

use super::{Route, RouteFlags, RouteTable, RouteType, Scope};
use crate::Family;

/// Writes ` name` for each flag.
pub(super) fn flags(f: &mut fmt::Formatter<'_>, flags: RouteFlags) -> fmt::Result {
    const NAMES: [(RouteFlags, &str); 11] = [
        (RouteFlags::DEAD, " dead"),
        (RouteFlags::ONLINK, " onlink"),
        (RouteFlags::PERVASIVE, " pervasive"),
        (RouteFlags::NEXT_HOP_OFFLOAD, " offload"),
        (RouteFlags::NEXT_HOP_TRAP, " trap"),
        (RouteFlags::NOTIFY, " notify"),
        (RouteFlags::LINKDOWN, " linkdown"),
        (RouteFlags::UNRESOLVED, " unresolved"),
        (RouteFlags::OFFLOAD, " rt_offload"),
        (RouteFlags::TRAP, " rt_trap"),
        (RouteFlags::OFFLOAD_FAILED, " rt_offload_failed"),
    ];
    NAMES.iter().filter(|(flag, _)| flags.contains(*flag)).try_for_each(|(_, name)| f.write_str(name))
}

/// `10.5.0.0/16`, `10.5.0.1`, `default` or a label.
pub(super) struct Destination<'r, 'a>(pub(super) &'r Route<'a>);

impl fmt::Display for Destination<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(route) = self;
        match (route.label(), route.destination()) {
            (Some(label), _) => write!(f, "{label}"),
            (_, Some(to)) if to.prefix_len() == 0 && to.ip().is_unspecified() => f.write_str("default"),
            (_, Some(to)) if to.is_host() => write!(f, "{}", to.ip()),
            (_, Some(to)) => write!(f, "{to}"),
            _ => match route.dst() {
                Some(addr) => write!(f, "{addr}/{}", route.header().dst_len),
                None => f.write_str("default"),
            },
        }
    }
}

/// `10.5.0.0/16 via 9.9.9.9 dev #3`: the destination and next hop, also the route as errors show it.
pub(super) fn subject(route: &Route<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let header = route.header();
    if ![RouteType::UNICAST, RouteType::UNSPEC].contains(&header.kind) {
        write!(f, "{} ", header.kind)?;
    }
    write!(f, "{}", Destination(route))?;
    if let Some(from) = route.source() {
        write!(f, " from {from}")?;
    }
    if let Some(labels) = route.newdst() {
        write!(f, " as to {labels}")?;
    }
    if let Some(encap) = route.encap() {
        write!(f, " encap {encap}")?;
    }
    if header.tos != 0 {
        write!(f, " tos {:#04x}", header.tos)?;
    }
    if let Some(id) = route.nh_id() {
        write!(f, " nhid {id}")?;
    }
    if let Some(gateway) = route.own_gateway() {
        write!(f, " via {gateway}")?;
    }
    if let Some(via) = route.other_gateway() {
        write!(f, " via {via}")?;
    }
    if let Some(link) = route.oif() {
        write!(f, " dev #{link}")?;
    }
    let table = RouteTable(route.table());
    if ![RouteTable::MAIN, RouteTable::UNSPEC].contains(&table) {
        write!(f, " table {table}")?;
    }
    Ok(())
}

/// Close to a line of `ip route`: `default via 10.0.0.1 dev #3 proto static metric 100`. Links are numbers
/// because the message has no names of links. Several next hops follow on the same line.
impl fmt::Display for Route<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        subject(self, f)?;
        let header = self.header();
        if !header.flags.contains(RouteFlags::CLONED) {
            write!(f, " proto {}", header.protocol)?;
            if header.scope != Scope::UNIVERSE {
                write!(f, " scope {}", header.scope)?;
            }
        }
        if let Some(source) = self.prefsrc() {
            write!(f, " src {source}")?;
        }
        if let Some(metric) = self.priority() {
            write!(f, " metric {metric}")?;
        }
        flags(f, header.flags)?;
        if let Some(mark) = self.mark() {
            write!(f, " mark {mark:#x}")?;
        }
        if let Some(uid) = self.uid() {
            write!(f, " uid {uid}")?;
        }
        if let Some(flow) = self.flow() {
            let (from, to) = (flow >> 16, flow & 0xffff);
            if from == 0 { write!(f, " realm {to}")? } else { write!(f, " realms {from}/{to}")? }
        }
        if let Some(cache) = self.cacheinfo() {
            if cache.expires != 0 {
                write!(f, " expires {}sec", cache.expires / 100)?;
            }
            if cache.error != 0 {
                write!(f, " error {}", cache.error)?;
            }
        }
        if let Some(metrics) = self.metrics() {
            write!(f, " {metrics}")?;
        }
        if let Some(link) = self.iif() {
            write!(f, " iif #{link}")?;
        }
        if let Some(hops) = self.next_hops() {
            hops.iter().try_for_each(|hop| write!(f, " nexthop {hop}"))?;
        }
        if let Some(pref) = self.pref().filter(|_| header.family == Family::INET6) {
            write!(f, " pref {pref}")?;
        }
        match self.ttl_propagate() {
            Some(on) => write!(f, " ttl-propagate {}", if on { "enabled" } else { "disabled" }),
            None => Ok(()),
        }
    }
}
