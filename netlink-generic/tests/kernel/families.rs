//! A declared family: resolved, bound, listed, and its events, on connections and in namespaces.

use netlink_generic::ctrl::{self, Ctrl};
use netlink_generic::{
    AnyEvent, Connection, Error, IntoUnbound as _, MessageFlags, Namespace, Notice, OpenOptions, Resolved,
    Unbound,
};
use netlink_testing::{Need, Result, generic, kind, program, suite};

use crate::output;
use crate::own::{self as netdev, Device, Event, Netdev};

const NETDEV: Need = generic("netdev");

suite! {
    a_client_calls_lists_and_batches: NETDEV;
    a_resolved_family_works_on_other_connections_and_namespaces: NETDEV;
    an_unknown_number_is_explained: NETDEV;
    a_command_the_kernel_lacks_is_not_sent: NETDEV;
    events_are_typed_and_unknown_ones_kept: NETDEV, kind("veth"), program("ip");
    two_families_share_a_connection: NETDEV, kind("veth"), program("ip");
    a_group_the_kernel_lacks_is_an_error: NETDEV;
    traces_name_replies_and_events: NETDEV, kind("veth"), program("ip");
}

const LO: u32 = 1;

fn a_client_calls_lists_and_batches() -> Result {
    let mut client = netdev::connect()?;
    assert_eq!(client.call(netdev::get(LO))?.ifindex(), Some(LO));
    let request = netdev::get(LO);
    assert_eq!(client.call(&request)?.ifindex(), Some(LO));
    let mut devices = client.dump(netdev::list())?;
    let mut indexes = Vec::new();
    while let Some(device) = devices.next()? {
        assert_eq!(device.header().command, 1);
        indexes.extend(device.ifindex());
    }
    assert_eq!(indexes, [LO]);
    let answers = client.batch([netdev::get(LO), netdev::get(4711), netdev::get(LO)]);
    assert!(matches!(&answers[..], [Ok(_), Err(error), Ok(_)] if error.is_not_found()), "{answers:?}");
    let error = client.call(netdev::get(4711)).unwrap_err();
    assert!(error.to_string().starts_with("NETDEV_CMD_DEV_GET: No such device (ENODEV)"), "{error}");
    Ok(())
}

fn a_resolved_family_works_on_other_connections_and_namespaces() -> Result {
    let other = Namespace::anonymous()?;
    let options = OpenOptions::new().namespace(&other);
    let mut there = netlink_generic::connect_with(&options)?;
    let family = there.call(ctrl::resolve::<Netdev>())?;
    drop(there);
    let mut here = netlink_generic::connect()?;
    assert_eq!(here.call(family.bind(netdev::get(LO)))?.ifindex(), Some(LO));
    let kept = family.clone();
    let count = std::thread::spawn(move || -> std::result::Result<_, Error> {
        Ok(Connection::open(netlink_generic::Protocol::GENERIC)?
            .dump(kept.bind(netdev::list()))?
            .collect()?
            .len())
    });
    assert_eq!(count.join().unwrap()?, 1);
    let mut client = netdev::connect_with(&options)?;
    assert_eq!(client.family().id(), family.id());
    assert_eq!(client.dump(netdev::list())?.collect()?.len(), 1);
    Ok(())
}

/// A family whose module was unloaded: `modules` tests a real case.
fn an_unknown_number_is_explained() -> Result {
    let mut nl = netlink_generic::connect()?;
    let gone = Resolved::<Netdev>::from_id(1023);
    let errors = [
        nl.call(gone.bind(netdev::get(LO))).unwrap_err(),
        Error::from(nl.dump(gone.bind(netdev::list()))?.collect().unwrap_err()),
    ];
    for error in errors {
        assert!(error.is_not_found());
        assert!(
            error.to_string().contains("the family netdev is: unloaded since it was resolved"),
            "{error}"
        );
    }
    let family = nl.call(ctrl::resolve::<Netdev>())?;
    assert_eq!(nl.call(family.bind(netdev::get(LO)))?.ifindex(), Some(LO));
    Ok(())
}

fn a_command_the_kernel_lacks_is_not_sent() -> Result {
    let mut client = netdev::connect()?;
    let notice: Unbound<Netdev, Device<'static>> = Unbound::new(&Device::ADD_NTF, MessageFlags::empty());
    let error = client.call(notice.clone()).unwrap_err();
    assert!(error.is_unsupported());
    assert_eq!(
        error.to_string(),
        "NETDEV_CMD_DEV_ADD_NTF can't be sent: netdev doesn't have this command in this kernel"
    );
    // Without the check, the kernel gives the same error.
    let unchecked = Resolved::<Netdev>::from_id(client.family().id()).bind(notice.into_unbound());
    let error = client.connection().call(unchecked).unwrap_err();
    assert!(matches!(error, Error::Kernel(_)) && error.is_unsupported(), "{error}");
    Ok(())
}

fn events_are_typed_and_unknown_ones_kept() -> Result {
    let mut events = netdev::subscribe(&[Netdev::MGMT])?;
    output("ip", &["link", "add", "a0", "type", "veth", "peer", "name", "b0"])?;
    output("ip", &["link", "del", "a0"])?;
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    while removed.len() < 2 {
        match events.next()? {
            Notice::Event { event: Event::Added(device), .. } => added.extend(device.ifindex()),
            Notice::Event { event: Event::Removed(device), .. } => removed.extend(device.ifindex()),
            // NETDEV_CMD_DEV_CHANGE_NTF
            Notice::Event { event: Event::Other(other), .. } => {
                let body = other.message().body;
                assert!(body[0] == 4 && body.len() > 4);
            }
            other => return Err(format!("{other:?}").into()),
        }
    }
    added.sort_unstable();
    removed.sort_unstable();
    assert_eq!((added.len(), &added), (2, &removed));
    Ok(())
}

fn two_families_share_a_connection() -> Result {
    let mut nl = netlink_generic::connect()?;
    let ctrl = nl.call(ctrl::resolve::<Ctrl>())?;
    let netdev = nl.call(ctrl::resolve::<Netdev>())?;
    nl.subscribe(&ctrl.groups(&[Ctrl::NOTIFY])?)?;
    nl.subscribe(&netdev.groups(&[Netdev::MGMT])?)?;
    output("ip", &["link", "add", "a0", "type", "veth", "peer", "name", "b0"])?;
    // Events wait while each family is queried.
    assert_eq!(nl.call(ctrl::get("netdev"))?.id(), Some(netdev.id()));
    assert_eq!(nl.call(netdev.bind(netdev::get(LO)))?.ifindex(), Some(LO));
    assert_eq!(nl.dump(netdev.bind(netdev::list()))?.collect()?.len(), 3);
    let mut added = 0;
    while added < 2 {
        let Notice::Event { event, group, .. } = nl.next_event::<AnyEvent<'static>>()? else { continue };
        assert!(ctrl.event(&event).is_none() && !ctrl.owns(&event.message()));
        assert_eq!(Some(group), netdev.group(Netdev::MGMT));
        added += u32::from(matches!(netdev.event(&event), Some(Ok(Event::Added(_)))));
    }
    Ok(())
}

fn a_group_the_kernel_lacks_is_an_error() -> Result {
    let later = netlink_generic::Group::<Netdev>::named("later");
    for error in
        [netdev::subscribe(&[later]).unwrap_err(), netdev::connect()?.subscribe(&[later]).unwrap_err()]
    {
        assert!(error.is_unsupported());
        assert_eq!(error.to_string(), "netdev has no multicast group later in this kernel");
    }
    Ok(())
}

fn traces_name_replies_and_events() -> Result {
    let mut client = netdev::connect()?;
    let (sender, texts) = std::sync::mpsc::channel();
    client.connection().set_tracer(Some(Box::new(move |traffic| _ = sender.send(traffic.to_string()))));
    client.call(netdev::get(LO))?;
    let (asked, answered) = (texts.recv()?, texts.recv()?);
    assert!(asked.starts_with("> NETDEV_CMD_DEV_GET"), "{asked}");
    assert!(answered.starts_with("< NETDEV_CMD_DEV_GET") && answered.contains("IFINDEX 1"), "{answered}");
    client.subscribe(&[Netdev::MGMT])?;
    output("ip", &["link", "add", "a0", "type", "veth", "peer", "name", "b0"])?;
    assert!(matches!(client.next_event()?, Notice::Event { event: Event::Added(_), .. }));
    let event = texts.recv()?;
    assert!(event.starts_with("< NETDEV_CMD_DEV_ADD_NTF"), "{event}");
    Ok(())
}
