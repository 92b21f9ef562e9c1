//! What each kernel offers, as tables in `docs/`.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};

use super::boot::{End, Port};
use super::prepare::Kernel;
use super::{Arguments, Fleet, line, pins, shares, word};
use crate::command::root;
use crate::target::{self, Architecture};

mod facts;
mod page;

use facts::Facts;
pub(super) use facts::print;

/// Kinds that have no module of that name in some kernels.
const UNNAMED: [&str; 16] = [
    "link:amt",
    "link:bareudp",
    "link:netdevsim",
    "link:openvswitch",
    "link:ovpn",
    "link:pfcp",
    "link:rmnet",
    "link:tun",
    "link:virt_wifi",
    "link:wwan",
    "qdisc:bfifo",
    "qdisc:mq",
    "qdisc:noqueue",
    "qdisc:pfifo",
    "qdisc:pfifo_fast",
    "qdisc:pfifo_head_drop",
];

/// Modules that provide a family or a kind without an alias for it.
const MODULES: &[&str] = &[
    "fou",
    "hsr",
    "ieee802154",
    "ila",
    "ksmbd",
    "lockd",
    "mac80211_hwsim",
    "mac802154_hwsim",
    "nfsd",
    "psample",
    "smc",
    "sunrpc",
    "target_core_user",
    "team",
    "tipc",
    "tun",
    "vdpa",
];

/// Prefixes of aliases, and the class that they announce.
const ALIASES: [(&str, &str); 4] =
    [("rtnl-link-", "link"), ("net-sch-", "qdisc"), ("net-cls-", "classifier"), ("net-act-", "action")];

/// Asks all kernels and writes the results.
pub(super) fn run(fleet: &Fleet<'_>, arguments: &Arguments) -> Result<ExitCode> {
    let kernels = &fleet.prepared.kernels;
    for (series, why) in &fleet.prepared.missing {
        println!("{series}: not run: {why}");
    }
    ensure!(
        kernels.len() == pins::select(&arguments.kernel)?.len(),
        "the tables would lack a kernel; name the others with --kernel"
    );
    let mut candidates: BTreeSet<_> = UNNAMED.map(str::to_owned).into_iter().collect();
    for kernel in kernels {
        find(kernel, &mut candidates)?;
    }
    let mut programs = BTreeMap::new();
    for kernel in kernels {
        if let Entry::Vacant(entry) = programs.entry(kernel.architecture) {
            entry.insert(program(fleet, kernel.architecture)?);
        }
    }
    let folders: Vec<_> = programs.values().filter_map(|path| Some(path.parent()?.to_owned())).collect();
    let shares = shares(&folders)?;
    let results = fleet.each(&fleet.kernels(), |kernel, folder| {
        let modules = fs::read_to_string(kernel.modules().join("modules.alias"))?;
        let families = modules.lines().filter_map(|line| alias(line, "net-pf-16-proto-16-family-"));
        let families = families.map(|name| format!("net-pf-16-proto-16-family-{name}"));
        let load: Vec<_> = MODULES.iter().map(|name| (*name).to_owned()).chain(families).collect();
        // One by one, because a kernel lacks some modules, and others need hardware.
        let program = programs.get(&kernel.architecture).context("it was built")?.to_string_lossy();
        let words = [&program, "vm", "census-here"].map(str::to_owned);
        let words: Vec<_> = words.into_iter().chain(candidates.iter().cloned()).collect();
        let script = format!(
            "for module in {}; do modprobe -q \"$module\"; done\nexec {} >/out/facts\n",
            load.iter().map(|name| word(name)).collect::<Vec<_>>().join(" "),
            line(&words)
        );
        let machine = fleet.machine(kernel, folder, &shares);
        match machine.run(&script, Port::File)? {
            End::Status(0) => {}
            End::Status(status) => {
                anyhow::bail!("{}: exit status {status}\n{}", kernel.series, machine.output())
            }
            End::Died(why) => anyhow::bail!("{}: {why}", kernel.series),
        }
        let facts = Facts::read(&fs::read_to_string(folder.join("out/facts"))?)?;
        println!("{}: {} families", kernel.series, facts.families.len());
        anyhow::Ok((kernel.series.clone(), kernel.name(), facts))
    });
    let results = results.into_iter().collect::<Result<Vec<_>>>()?;
    let docs = root().join("docs");
    fs::create_dir_all(&docs)?;
    for (name, text) in [("kernels.md", page::kernels(&results)), ("policies.md", page::policies(&results))] {
        fs::write(docs.join(name), text)?;
        println!("docs/{name}");
    }
    Ok(ExitCode::SUCCESS)
}

/// This program, built for machines of an architecture.
fn program(fleet: &Fleet<'_>, architecture: Architecture) -> Result<PathBuf> {
    if architecture == Architecture::Amd64 {
        return Ok(std::env::current_exe()?.canonicalize()?);
    }
    let status =
        fleet.compiler(architecture)?.cargo_for(architecture, &["build", "--package", "xtask"]).status()?;
    ensure!(status.success(), "xtask does not build for {}: {status}", architecture.debian());
    Ok(target::folder().join(architecture.target().0).join("debug/xtask").canonicalize()?)
}

/// Adds the kinds in the names of a kernel's modules.
fn find(kernel: &Kernel, candidates: &mut BTreeSet<String>) -> Result<()> {
    let read = |name: &str| fs::read(kernel.modules().join(name)).with_context(|| name.to_owned());
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).replace('\0', "\n");
    for line in text([read("modules.alias")?, read("modules.builtin.modinfo")?].concat()).lines() {
        for (prefix, class) in ALIASES {
            candidates.extend(alias(line, prefix).map(|name| format!("{class}:{name}")));
        }
    }
    // Before Linux 6.8, modules of traffic control have no aliases.
    let paths = text([read("modules.order")?, read("modules.builtin")?].concat());
    candidates.extend(paths.lines().filter_map(by_file));
    Ok(())
}

/// The name in an alias: `alias rtnl-link-vlan 8021q`, or `8021q.alias=rtnl-link-vlan` for built-in modules.
fn alias<'a>(line: &'a str, prefix: &str) -> Option<&'a str> {
    let alias = match line.strip_prefix("alias ") {
        Some(rest) => rest.split_whitespace().next()?,
        None => line.split_once(".alias=")?.1,
    };
    alias.strip_prefix(prefix)
}

/// The kind in the file name of a traffic control module.
fn by_file(path: &str) -> Option<String> {
    let name = path.strip_prefix("kernel/net/sched/")?.split_once(".ko")?.0;
    let (class, kind) = name.split_once('_')?;
    let class = match class {
        "sch" => "qdisc",
        "cls" => "classifier",
        "act" => "action",
        _ => return None,
    };
    Some(format!("{class}:{kind}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_found_by_alias_and_by_file() {
        assert_eq!(alias("alias rtnl-link-vlan 8021q", "rtnl-link-"), Some("vlan"));
        assert_eq!(alias("netkit.alias=rtnl-link-netkit", "rtnl-link-"), Some("netkit"));
        assert_eq!(alias("alias pci:v1 e1000", "rtnl-link-"), None);
        assert_eq!(by_file("kernel/net/sched/sch_htb.ko").as_deref(), Some("qdisc:htb"));
        assert_eq!(by_file("kernel/net/sched/act_mirred.ko.xz").as_deref(), Some("action:mirred"));
        assert_eq!(by_file("kernel/net/sched/em_text.ko"), None);
        assert_eq!(by_file("kernel/net/core/sch_htb.ko"), None);
    }
}
