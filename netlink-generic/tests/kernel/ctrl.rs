//! The controller, compared with `genl`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use netlink_core::testkit::Recorder;
use netlink_generic::ctrl::{self, Ctrl, Family, OperationFlags, Policies, PolicyType};
use netlink_generic::{Connection, Error, Namespace, OpenOptions, Resolved};
use netlink_testing::{Result, init_namespace, kernel, program, suite};

use crate::golden::{read, tell};
use crate::{keep, output};

suite! {
    the_list_equals_genl: program("genl");
    the_list_of_the_initial_namespace_equals_genl: program("genl"), program("nsenter"), init_namespace();
    each_is_found_by_name_and_by_number;
    policies_equal_genl: program("genl"), kernel(5, 10);
    the_policy_of_one_command: kernel(5, 10);
    the_controllers_own_policy: kernel(5, 10);
    an_absent_family_is_not_found_and_named;
    a_name_too_long_is_not_sent;
    families_of_the_initial_namespace_are_not_found_elsewhere: init_namespace();
    the_controller_resolves_itself;
    exchanges_are_kept: kernel(5, 10), netlink_testing::generic("mptcp_pm");
}

/// The output of `genl ctrl list` for a family.
#[derive(Debug, Default, PartialEq)]
struct Entry {
    id: u32,
    version: u32,
    header_size: u32,
    max_attribute: u32,
    /// Commands, with the flags that `genl` prints.
    operations: Vec<(u32, Option<u32>)>,
    groups: Vec<(String, u32)>,
}

fn hex(text: &str) -> Result<u32> {
    Ok(u32::from_str_radix(text.trim_start_matches("0x"), 16)?)
}

fn parse(text: &str) -> Result<BTreeMap<String, Entry>> {
    let mut entries = BTreeMap::new();
    let mut name = String::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let entry: &mut Entry = entries.entry(name.clone()).or_default();
        match words[..] {
            ["Name:", next] => next.clone_into(&mut name),
            ["ID:", id, "Version:", version, "header", "size:", header, "max", "attribs:", max] => {
                (entry.id, entry.version) = (hex(id)?, hex(version)?);
                (entry.header_size, entry.max_attribute) = (header.parse()?, max.parse()?);
            }
            [_, id] if id.starts_with("ID-") => {
                entry.operations.push((hex(id.trim_start_matches("ID-"))?, None));
            }
            ["Capabilities", flags] => {
                let flags = hex(flags.trim_matches(['(', ')', ':']))?;
                entry.operations.last_mut().ok_or("flags of nothing")?.1 = Some(flags);
            }
            [_, id, "name:", group] => {
                entry.groups.push((group.to_owned(), hex(id.trim_start_matches("ID-"))?));
            }
            _ => {}
        }
    }
    entries.remove("");
    Ok(entries)
}

fn compare(nl: &mut Connection, genl: &str) -> Result {
    let mut theirs = parse(genl)?;
    let mut families = nl.dump(ctrl::list())?;
    let (mut count, mut with_flags) = (0, 0);
    while let Some(family) = families.next()? {
        let name = family.name().ok_or("no name")?.to_string();
        let mut entry = theirs.remove(&name).ok_or_else(|| format!("genl does not have {name}"))?;
        // `genl` shows flags only for families of version 2.
        for (_, flags) in &mut entry.operations {
            with_flags += u32::from(flags.is_some());
        }
        let operations = family.operations().into_iter().flat_map(|list| list.iter());
        let operations = operations.zip(entry.operations.iter()).map(|((_, operation), (_, theirs))| {
            let flags = theirs.and(operation.flags()).map(|flags| flags.bits());
            (operation.command().unwrap(), flags)
        });
        let groups = family.groups().into_iter().flat_map(|list| list.iter());
        let ours = Entry {
            id: family.id().unwrap().into(),
            version: family.version().unwrap(),
            header_size: family.header_size().unwrap(),
            max_attribute: family.max_attribute().unwrap(),
            operations: operations.collect(),
            groups: groups
                .map(|(_, group)| (group.name().unwrap().to_string(), group.id().unwrap()))
                .collect(),
        };
        assert_eq!(ours, entry, "{name}");
        let listed = family.operations().map_or(0, |list| list.iter().count());
        assert_eq!(listed, entry.operations.len(), "{name}");
        assert_eq!(family.unknown().count(), 0, "{name}");
        count += 1;
    }
    assert!(theirs.is_empty(), "only genl has {theirs:?}");
    assert!(count > 3 && with_flags > 0, "{count} families, {with_flags} operations with flags");
    Ok(())
}

fn the_list_equals_genl() -> Result {
    compare(&mut netlink_generic::connect()?, &output("genl", &["ctrl", "list"])?)
}

/// The process's first thread stays in the other namespace.
fn the_list_of_the_initial_namespace_equals_genl() -> Result {
    let process = std::process::id().to_string();
    let initial = Namespace::of_process(std::process::id())?;
    let mut nl = netlink_generic::connect_with(&OpenOptions::new().namespace(&initial))?;
    compare(&mut nl, &output("nsenter", &["-t", &process, "-n", "genl", "ctrl", "list"])?)
}

fn names(nl: &mut Connection) -> Result<Vec<String>> {
    let families = nl.dump(ctrl::list())?.collect()?;
    families.iter().map(|family| Ok(family.view()?.name().ok_or("no name")?.to_string())).collect()
}

fn each_is_found_by_name_and_by_number() -> Result {
    let mut nl = netlink_generic::connect()?;
    for family in nl.dump(ctrl::list())?.collect()? {
        let family = family.view()?;
        let name = family.name().unwrap().to_string();
        assert_eq!(nl.call(ctrl::get(&name))?.attrs(), family.attrs());
        assert_eq!(nl.call(ctrl::get_id(family.id().unwrap()))?.attrs(), family.attrs());
    }
    Ok(())
}

/// The output of `genl ctrl policy name X`, as far as it uses words of the kernel.
fn policies_equal_genl() -> Result {
    let mut nl = netlink_generic::connect()?;
    let (mut operations, mut attributes, mut nested) = (0, 0, 0);
    for name in names(&mut nl)? {
        let parts = match nl.dump(ctrl::policies(&name))?.collect() {
            Ok(parts) => parts,
            Err(partial) => {
                // A family without a policy: `ENODATA`, or no dump.
                let error = Error::from(partial);
                assert!(error.errno().is_some(), "{name}: {error}");
                continue;
            }
        };
        let policies = Policies::new(&parts)?;
        let theirs = output("genl", &["ctrl", "policy", "name", &name])?;
        let mut lines: Vec<String> = theirs
            .lines()
            .filter_map(|line| line.split_once(": 0x")?.1.split_once("  "))
            .map(|(_, line)| line.trim_end().to_owned())
            .collect();
        for operation in policies.operations() {
            let mut line = format!("op {} policies:", operation.command);
            for (kind, set) in [("do", operation.call), ("dump", operation.dump)] {
                line.extend(set.map(|set| format!(" {kind}={set}")));
            }
            let at = lines.iter().position(|theirs| *theirs == line);
            lines.remove(at.ok_or_else(|| format!("{name}: genl lacks {line:?} in {lines:#?}"))?);
            operations += 1;
        }
        for set in policies.sets() {
            for attribute in set.attributes() {
                let mut kind = attribute.kind().to_string().to_uppercase().replace('-', "_");
                if attribute.kind() > PolicyType::BITFIELD32 {
                    // Newer than this `genl`.
                    "unknown".clone_into(&mut kind);
                }
                let start = format!("policy[{}]:attr[{}]: type={kind}", set.index(), attribute.number());
                let at = lines
                    .iter()
                    .position(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ") == start);
                let line =
                    lines.remove(at.ok_or_else(|| format!("{name}: genl lacks {start:?} in {lines:#?}"))?);
                let rule = attribute.rule();
                if let (Some(min), Some(max)) = (rule.min(), rule.max()) {
                    assert!(line.contains(&format!("range:[{min},{max}]")), "{name}: {line}: {rule}");
                }
                if let (Some(min), Some(max)) = (rule.min_signed(), rule.max_signed()) {
                    assert!(line.contains(&format!("range:[{min},{max}]")), "{name}: {line}: {rule}");
                }
                if let Some(max) = rule.max_length() {
                    assert!(line.contains(&format!("max len:{max}")), "{name}: {line}: {rule}");
                }
                if let Some(index) = rule.policy_index() {
                    assert!(line.contains(&format!("policy:{index}")), "{name}: {line}: {rule}");
                    assert_eq!(u32::from(attribute.nested().unwrap().index()), index);
                    nested += 1;
                }
                attributes += 1;
            }
        }
        assert!(lines.is_empty(), "{name}: only genl has {lines:#?}");
    }
    assert!(operations > 5 && attributes > 50 && nested > 0, "{operations} {attributes} {nested}");
    Ok(())
}

fn the_policy_of_one_command() -> Result {
    let mut nl = netlink_generic::connect()?;
    let all = Policies::new(&nl.dump(ctrl::policies("nlctrl"))?.collect()?)?;
    let one = Policies::new(&nl.dump(ctrl::policy_of("nlctrl", 3))?.collect()?)?;
    assert_eq!(one.operations().len(), 1);
    let numbers = |policies: &Policies| -> Vec<u16> {
        policies.call(3).unwrap().attributes().map(|attribute| attribute.number()).collect()
    };
    assert_eq!(numbers(&one), numbers(&all));
    assert!(one.call(10).is_none());
    let error = nl.dump(ctrl::policy_of("nlctrl", 200))?.collect().unwrap_err();
    assert!(Error::from(error).errno().is_some());
    Ok(())
}

fn the_controllers_own_policy() -> Result {
    let mut nl = netlink_generic::connect()?;
    let policies = Policies::new(&nl.dump(ctrl::policies("nlctrl"))?.collect()?)?;
    let get = policies.call(3).unwrap();
    assert_eq!(get.get(1).unwrap().kind(), PolicyType::U16);
    let name = get.get(2).unwrap();
    assert_eq!((name.kind(), name.rule().max_length()), (PolicyType::NUL_STRING, Some(15)));
    assert!(get.get(3).is_none());
    Ok(())
}

fn an_absent_family_is_not_found_and_named() -> Result {
    let mut nl = netlink_generic::connect()?;
    for _ in 0..2 {
        let error = nl.call(ctrl::get("absent")).unwrap_err();
        assert!(error.is_not_found());
        assert!(
            error.to_string().contains("no generic netlink family absent in this network namespace"),
            "{error}"
        );
        assert!(error.to_string().contains("net-pf-16-proto-16-family-absent"), "{error}");
    }
    let error = nl.call(ctrl::get_id(1023)).unwrap_err();
    assert!(error.is_not_found());
    assert!(error.to_string().contains("no generic netlink family has the number 1023"), "{error}");
    let error = nl.dump(ctrl::policies("absent"))?.collect().unwrap_err();
    assert!(Error::from(error).is_not_found());
    assert_eq!(nl.call(ctrl::get("nlctrl"))?.id(), Some(ctrl::GENL_ID_CTRL));
    Ok(())
}

fn a_name_too_long_is_not_sent() -> Result {
    let mut nl = netlink_generic::connect()?;
    let sent = Arc::new(Mutex::new(0));
    let counter = sent.clone();
    nl.set_tracer(Some(Box::new(move |_| *counter.lock().unwrap() += 1)));
    for name in ["sixteen-bytes-is", &"x".repeat(100_000), "nul\0byte"] {
        assert!(matches!(nl.call(ctrl::get(name)), Err(Error::Request(_))), "{name}");
    }
    assert_eq!(*sent.lock().unwrap(), 0);
    assert!(nl.call(ctrl::get("fifteen-bytes-i")).unwrap_err().is_not_found());
    Ok(())
}

fn families_of_the_initial_namespace_are_not_found_elsewhere() -> Result {
    let initial = Namespace::of_process(std::process::id())?;
    let mut there = netlink_generic::connect_with(&OpenOptions::new().namespace(&initial))?;
    let mut here = netlink_generic::connect()?;
    let everywhere = names(&mut here)?;
    let all = names(&mut there)?;
    let only_there: Vec<&String> = all.iter().filter(|name| !everywhere.contains(name)).collect();
    assert!(!only_there.is_empty(), "every family is in every namespace: {all:?}");
    for name in only_there {
        assert!(here.call(ctrl::get(name)).unwrap_err().is_not_found(), "{name}");
        assert!(there.call(ctrl::get(name)).is_ok(), "{name}");
    }
    for name in everywhere {
        assert_eq!(here.call(ctrl::get(&name))?.id(), there.call(ctrl::get(&name))?.id());
    }
    Ok(())
}

fn the_controller_resolves_itself() -> Result {
    let mut client = ctrl::connect()?;
    let family: &Resolved<Ctrl> = client.family();
    assert_eq!(family.id(), ctrl::GENL_ID_CTRL);
    assert_eq!(family.group(Ctrl::NOTIFY), Some(16));
    let get = family.operation(3).unwrap();
    assert!(get.contains(OperationFlags::DO | OperationFlags::DUMP));
    assert_eq!(family.operation(0), None);
    let request = ctrl::FamilyRequest::<Family<'static>>::new(
        &Family::GETFAMILY,
        netlink_generic::MessageFlags::empty(),
    );
    assert_eq!(client.call(request.name("nlctrl"))?.id(), Some(16));
    client.resolve()?;
    Ok(())
}

/// The files of `tests/golden/ctrl`.
fn exchanges_are_kept() -> Result {
    for name in ["get", "get_id", "absent", "policies_nlctrl", "policies_mptcp_pm", "policy_of_ethtool"] {
        let recorder = Recorder::new();
        let mut nl = netlink_generic::connect()?;
        nl.set_tracer(Some(recorder.tracer()));
        match name {
            "get" => drop(nl.call(ctrl::get("tcp_metrics"))?),
            "get_id" => drop(nl.call(ctrl::get_id(16))?),
            "absent" => assert!(nl.call(ctrl::get("absent")).is_err()),
            "policies_nlctrl" => drop(nl.dump(ctrl::policies("nlctrl"))?.collect()?),
            "policies_mptcp_pm" => drop(nl.dump(ctrl::policies("mptcp_pm"))?.collect()?),
            _ => drop(nl.dump(ctrl::policy_of("ethtool", 3))?.collect()?),
        }
        let recorded = recorder.recording().to_text();
        keep(&format!("ctrl/{name}"), &recorded, &tell(&format!("{name}_here"), &recorded)?, read)?;
    }
    Ok(())
}
