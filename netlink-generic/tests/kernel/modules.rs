//! Families that appear and disappear with their modules. These tests have the machine alone.

use netlink_generic::ctrl::{self, Ctrl, Event};
use netlink_generic::{Dump, Events, Header, MessageFlags, Notice, Str, attrs, family, message};
use netlink_testing::{Result, machine, module, program, suite};

use crate::output;

suite! {
    a_module_is_loaded_for_who_asks_for_its_family: machine(), module("wireguard"), program("modprobe");
    a_removed_family_is_an_error_and_resolves_again: machine(), module("wireguard"), program("modprobe");
    a_family_that_is_added_later_is_reported: machine(), module("team"), program("modprobe");
}

attrs! {
    /// `WGDEVICE_A_*`.
    pub(crate) struct DeviceAttrs<'a> for DeviceRequest<R> {
        /// Name of the link.
        2 WGDEVICE_A_IFNAME ifname: Str<'a, 15>,
    }
}

message! {
    /// A link.
    pub(crate) struct Device<'a>(Wireguard, DeviceAttrs<'a>), DeviceRequest {
        /// Asks for a link.
        0 WG_CMD_GET_DEVICE GET,
    }
}

family! {
    /// WireGuard.
    pub(crate) struct Wireguard(Header): "wireguard" = 1 { Device }
}

fn get(name: &str) -> DeviceRequest<Dump<Device<'static>>> {
    DeviceRequest::new(&Device::GET, MessageFlags::DUMP).ifname(name)
}

fn unload(module: &str) -> Result {
    output("modprobe", &["-r", module]).map(drop)
}

fn load(module: &str) -> Result {
    output("modprobe", &[module]).map(drop)
}

/// Waits for an event of one family; events of others are skipped.
fn next(events: &mut Events<Event<'static>>, name: &str) -> Result<(&'static str, u16)> {
    loop {
        let Notice::Event { event, .. } = events.next()? else { return Err("events were lost".into()) };
        let (what, family) = match event {
            Event::FamilyAdded(family) => ("family added", family),
            Event::FamilyRemoved(family) => ("family removed", family),
            Event::GroupAdded(family) => ("group added", family),
            Event::GroupRemoved(family) => ("group removed", family),
            other => return Err(format!("{other:?}").into()),
        };
        if family.name().is_some_and(|other| other == name) {
            return Ok((what, family.id().ok_or("no number")?));
        }
    }
}

fn a_module_is_loaded_for_who_asks_for_its_family() -> Result {
    unload("wireguard")?;
    let mut nl = netlink_generic::connect()?;
    let listed = |nl: &mut netlink_generic::Connection| -> Result<bool> {
        let families = nl.dump(ctrl::list())?.collect()?;
        Ok(families
            .iter()
            .any(|family| family.view().is_ok_and(|f| f.name().is_some_and(|n| n == "wireguard"))))
    };
    assert!(!listed(&mut nl)?);
    let family = nl.call(ctrl::get("wireguard"))?;
    assert!(family.id().is_some_and(|id| id > 16));
    assert!(listed(&mut nl)?);
    Ok(())
}

fn a_removed_family_is_an_error_and_resolves_again() -> Result {
    let mut events = ctrl::subscribe(&[Ctrl::NOTIFY])?;
    unload("wireguard")?;
    let mut nl = netlink_generic::connect()?;
    let old = nl.call(ctrl::resolve::<Wireguard>())?;
    let ask = |nl: &mut netlink_generic::Connection, family: &netlink_generic::Resolved<Wireguard>| {
        netlink_generic::Error::from(nl.dump(family.bind(get("absent"))).unwrap().collect().unwrap_err())
    };
    let error = ask(&mut nl, &old);
    assert_eq!(error.errno(), Some(netlink_generic::Errno::ENODEV), "{error}");
    unload("wireguard")?;
    let error = ask(&mut nl, &old);
    assert!(error.is_not_found());
    assert!(error.to_string().contains("the family wireguard is: unloaded since it was resolved"), "{error}");
    let new = nl.call(ctrl::resolve::<Wireguard>())?;
    assert_ne!(new.id(), old.id());
    assert_eq!(ask(&mut nl, &new).errno(), Some(netlink_generic::Errno::ENODEV));
    let mut seen = Vec::new();
    while seen.last() != Some(&("family added", new.id())) {
        seen.push(next(&mut events, "wireguard")?);
    }
    let gone = seen.iter().position(|event| *event == ("family removed", old.id())).ok_or("not told")?;
    let came = seen.iter().position(|event| *event == ("family added", old.id())).ok_or("not told")?;
    assert!(came < gone, "{seen:?}");
    Ok(())
}

fn a_family_that_is_added_later_is_reported() -> Result {
    unload("team")?;
    let mut events = ctrl::subscribe(&[Ctrl::NOTIFY])?;
    load("team")?;
    let (what, id) = next(&mut events, "team")?;
    assert_eq!(what, "family added");
    assert_eq!(next(&mut events, "team")?, ("group added", id));
    unload("team")?;
    assert_eq!(next(&mut events, "team")?, ("group removed", id));
    assert_eq!(next(&mut events, "team")?, ("family removed", id));
    Ok(())
}
