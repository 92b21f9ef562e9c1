//! What one kernel offers: the queries inside its machine, and the lines that report the result.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use netlink_core::layout::Pad;
use netlink_core::{Dump, Errno, Error, Indexed, MessageFlags, Str, attrs, layout, message};
use netlink_generic::Bound;
use netlink_generic::ctrl::{self, Family, OperationFlags, Policies};
use netlink_route::link;
use serde_json::{Value, json};

use crate::command::text;

/// What one kernel offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Names by class, as in [`CLASSES`].
    pub(crate) kinds: BTreeMap<String, BTreeSet<String>>,
    pub(crate) families: BTreeMap<String, Offer>,
}

/// What a generic family offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) version: u64,
    pub(crate) header_size: u64,
    /// By command: how it can be used.
    pub(crate) operations: BTreeMap<u64, String>,
    pub(crate) groups: BTreeSet<String>,
    /// By command and kind of request: the set that it accepts.
    pub(crate) takes: BTreeMap<(u64, String), String>,
    /// By a name that is valid only within this kernel.
    pub(crate) sets: BTreeMap<String, BTreeMap<u64, Rule>>,
}

/// The rule for an attribute, and its nested set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) text: String,
    pub(crate) inside: Option<String>,
}

/// Classes of kinds, and the kernel's error text for an unknown name.
pub(crate) const CLASSES: [(&str, &str); 4] = [
    ("link", "Unknown device type"),
    ("qdisc", "Specified qdisc kind is unknown"),
    ("classifier", "TC classifier not found"),
    ("action", "Failed to load TC action module"),
];

impl Facts {
    /// Reads the lines of [`print()`].
    pub(crate) fn read(lines: &str) -> Result<Self> {
        let mut facts = Self::default();
        for line in lines.lines() {
            let value: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
            if let Some(class) = value["kind"].as_str() {
                facts.kinds.entry(class.to_owned()).or_default().insert(text(&value["name"]).to_owned());
                continue;
            }
            let number = |name: &str| value[name].as_u64();
            let offer = facts.families.entry(text(&value["family"]).to_owned()).or_default();
            match (number("command"), value["set"].as_str(), number("attribute")) {
                (_, Some(set), Some(attribute)) => {
                    let inside = value["inside"].as_str().map(str::to_owned);
                    let rule = Rule { text: text(&value["rule"]).to_owned(), inside };
                    offer.sets.entry(set.to_owned()).or_default().insert(attribute, rule);
                }
                (Some(command), Some(set), None) => {
                    offer.takes.insert((command, text(&value["asked"]).to_owned()), set.to_owned());
                }
                (Some(command), None, _) => {
                    offer.operations.insert(command, text(&value["flags"]).to_owned());
                }
                _ => {}
            }
            offer.groups.extend(value["group"].as_str().map(str::to_owned));
            offer.version = number("version").unwrap_or(offer.version);
            offer.header_size = number("header").unwrap_or(offer.header_size);
        }
        Ok(facts)
    }
}

/// Asks this kernel for everything. Candidates are kinds to ask for, as `CLASS:NAME`.
pub(crate) fn print(candidates: &[String]) -> Result<()> {
    let mut route = netlink_route::connect()?;
    route.call(link::create("census").kind("dummy").up())?;
    let index = route.call(link::get("census"))?.index();
    route.call(qdisc("ingress", index))?;
    for (class, unknown) in CLASSES {
        let names = candidates.iter().filter_map(|name| name.strip_prefix(class)?.strip_prefix(':'));
        // If the kernel had another error text, all kinds would look known.
        ensure!(!knows(&mut route, class, "no-such-kind", index, unknown)?, "{class}: all kinds are known");
        for name in names {
            if knows(&mut route, class, name, index, unknown)? {
                println!("{}", json!({"kind": class, "name": name}));
            }
        }
    }
    let mut nl = netlink_generic::connect()?;
    for family in nl.dump(ctrl::list())?.collect()? {
        print_family(&mut nl, &family.view()?)?;
    }
    Ok(())
}

/// Whether a request without parameters succeeds, or fails for another reason than its kind.
fn knows(
    nl: &mut netlink_route::Connection,
    class: &str,
    name: &str,
    index: u32,
    unknown: &str,
) -> Result<bool> {
    let answer = match class {
        "link" => nl.call(link::create("candidate").kind(name)),
        "qdisc" => nl.call(qdisc(name, index)),
        "classifier" => nl.call(classifier(name, index)),
        _ => nl.call(action(name)),
    };
    if class == "link" && answer.is_ok() {
        nl.call(link::delete("candidate"))?;
    }
    match answer {
        Ok(()) => Ok(true),
        Err(Error::Kernel(error)) => Ok(error.ext_ack().message() != Some(unknown)),
        Err(error) => Err(error.into()),
    }
}

fn print_family(nl: &mut netlink_generic::Connection, family: &Family<'_>) -> Result<()> {
    let name = &family.name().unwrap_or_default().to_string();
    println!("{}", json!({"family": name, "version": family.version(), "header": family.header_size()}));
    for (_, group) in family.groups().iter().flat_map(Indexed::iter) {
        println!("{}", json!({"family": name, "group": group.name().unwrap_or_default().to_string()}));
    }
    let whole = list(nl, ctrl::policies(name))?;
    print_sets(name, "all", &whole);
    for (_, operation) in family.operations().iter().flat_map(Indexed::iter) {
        let (command, flags) =
            (operation.command().unwrap_or_default(), operation.flags().unwrap_or_default());
        println!("{}", json!({"family": name, "command": command, "flags": words(flags)}));
        if !flags.contains(OperationFlags::HAS_POLICY) {
            continue;
        }
        let takes = |asked: &str, dump: &str, set: Option<u32>| {
            if let Some(set) = set {
                let set = format!("{dump}.{set}");
                println!("{}", json!({"family": name, "command": command, "asked": asked, "set": set}));
            }
        };
        if flags.contains(OperationFlags::DO) {
            let found = whole.operations().iter().find(|row| u32::from(row.command) == command);
            takes("call", "all", found.and_then(|row| row.call));
            takes("list", "all", found.and_then(|row| row.dump));
        } else {
            // A dump of the whole family can have 0 as the command.
            let alone = list(nl, ctrl::policy_of(name, u8::try_from(command)?))?;
            let dump = format!("only {command}");
            print_sets(name, &dump, &alone);
            takes("list", &dump, alone.operations().iter().find_map(|row| row.dump));
        }
    }
    Ok(())
}

/// Lists policies; a family can have none.
fn list(nl: &mut netlink_generic::Connection, request: Bound<Dump<Family<'static>>>) -> Result<Policies> {
    match nl.dump(request)?.collect() {
        Err(partial) if partial.error.errno() == Some(Errno::ENODATA) => Ok(Policies::default()),
        parts => Ok(Policies::new(&parts?)?),
    }
}

fn print_sets(family: &str, dump: &str, policies: &Policies) {
    for set in policies.sets() {
        let name = |index: u32| format!("{dump}.{index}");
        for attribute in set.attributes() {
            let mut line = json!({"family": family, "set": name(set.index().into())});
            line["attribute"] = attribute.number().into();
            line["rule"] = attribute.rule().to_string().into();
            line["inside"] = attribute.rule().policy_index().map(name).into();
            println!("{line}");
        }
    }
}

/// How an operation can be used, and by whom.
fn words(flags: OperationFlags) -> String {
    let words = [
        (OperationFlags::DO, "call"),
        (OperationFlags::DUMP, "list"),
        (OperationFlags::ADMIN, "admin"),
        (OperationFlags::NAMESPACE_ADMIN, "namespace admin"),
    ];
    let words = words.iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, word)| *word);
    words.collect::<Vec<_>>().join(", ")
}

layout! {
    /// `struct tcmsg`.
    pub struct TrafficHeader: tcmsg = 20 {
        /// `AF_UNSPEC`.
        family: u8,
        /// Padding.
        pad: Pad<3>,
        /// Index of the link.
        index: u32,
        /// Handle.
        handle: u32,
        /// Parent.
        parent: u32,
        /// For a filter: priority and protocol.
        info: u32,
    }
}

attrs! {
    /// `TCA_*`.
    pub struct TrafficAttrs<'a> for TrafficRequest<R> {
        /// The kind.
        1 TCA_KIND kind: Str<'a>,
    }
}

message! {
    /// A qdisc or a filter.
    pub struct Traffic<'a>(TrafficHeader, TrafficAttrs<'a>), TrafficRequest {
        /// Makes a qdisc.
        36 RTM_NEWQDISC NEWQDISC,
        /// Makes a filter.
        44 RTM_NEWTFILTER NEWTFILTER,
    }
}

layout! {
    /// `struct tcamsg`.
    pub struct ActionHeader: tcamsg = 4 {
        /// `AF_UNSPEC`.
        family: u8,
        /// Padding.
        pad: Pad<3>,
    }
}

attrs! {
    /// `TCA_ROOT_*`.
    pub struct ActionsAttrs<'a> for ActionsRequest<R> {
        /// Actions; the index counts from 1.
        1 TCA_ROOT_TAB actions: Indexed<'a, ActionAttrs<'a>>,
    }
}

attrs! {
    /// `TCA_ACT_*`.
    pub struct ActionAttrs<'a> for ActionBuilder {
        /// The kind.
        1 TCA_ACT_KIND kind: Str<'a>,
    }
}

message! {
    /// Actions.
    pub struct Actions<'a>(ActionHeader, ActionsAttrs<'a>), ActionsRequest {
        /// Makes actions.
        48 RTM_NEWACTION NEWACTION,
    }
}

const NEW: MessageFlags = MessageFlags::CREATE.union(MessageFlags::REPLACE).union(MessageFlags::ACK);

/// `TC_H_ROOT`.
const ROOT: u32 = 0xffff_ffff;

/// `TC_H_INGRESS`, the parent of the two qdiscs for received packets.
const INGRESS: u32 = 0xffff_fff1;

fn qdisc(kind: &str, index: u32) -> TrafficRequest<()> {
    let parent = if matches!(kind, "ingress" | "clsact") { INGRESS } else { ROOT };
    let header = TrafficHeader { index, parent, ..TrafficHeader::default() };
    TrafficRequest::new(&Traffic::NEWQDISC, NEW, header).kind(kind)
}

fn classifier(kind: &str, index: u32) -> TrafficRequest<()> {
    // Below the qdisc with that handle, with priority 1, for `ETH_P_ALL` in network byte order.
    let info = 1 << 16 | u32::from(0x0003_u16.to_be());
    let header = TrafficHeader { index, parent: 0xffff_0000, info, ..TrafficHeader::default() };
    TrafficRequest::new(&Traffic::NEWTFILTER, NEW, header).kind(kind)
}

fn action(kind: &str) -> ActionsRequest<()> {
    let actions = [(1, ActionBuilder::new().kind(kind).attrs())];
    ActionsRequest::new(&Actions::NEWACTION, NEW, ActionHeader::default()).actions(&actions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_into_facts() {
        let lines = r#"{"kind":"link","name":"vlan"}
{"family":"f","version":2,"header":4}
{"family":"f","group":"g"}
{"family":"f","command":1,"flags":"call"}
{"family":"f","command":1,"asked":"call","set":"all.0"}
{"family":"f","set":"all.0","attribute":3,"rule":"nested","inside":"all.1"}
"#;
        let facts = Facts::read(lines).unwrap();
        assert!(facts.kinds["link"].contains("vlan"));
        let offer = &facts.families["f"];
        assert_eq!((offer.version, offer.header_size), (2, 4));
        assert_eq!(offer.groups, BTreeSet::from(["g".to_owned()]));
        assert_eq!(offer.operations, BTreeMap::from([(1, "call".to_owned())]));
        assert_eq!(offer.takes[&(1, "call".to_owned())], "all.0");
        assert_eq!(offer.sets["all.0"][&3].inside.as_deref(), Some("all.1"));
        assert!(Facts::read("no JSON").is_err());
    }
}
