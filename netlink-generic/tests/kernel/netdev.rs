//! Devices, queues, NAPI instances and counters, compared with `ip` and the files of `/sys/class/net`.

use std::fs;

use netlink_core::testkit::Recorder;
use netlink_generic::netdev::{
    self, Event, NapiThreaded, Netdev, Qstats, QstatsScope, QueueType, XdpAct, XdpRxMetadata, device, dmabuf,
    napi, page_pool, qstats, queue,
};
use netlink_generic::{Client, Dump, Errno, Error, IntoUnbound, Namespace, Notice, OpenOptions, Reply};
use netlink_testing::{Need, Result, generic, init_namespace, kernel, kind, program, suite, when};
use serde_json::Value;

use crate::golden::netdev::{read, tell};
use crate::{gro, keep, output};

const NETDEV: Need = generic("netdev");
const ETHTOOL: Need = generic("ethtool");
const VETH: Need = kind("veth");
const IP: Need = program("ip");
const CARD: Need = when("no link with queue statistics in the initial namespace", || card().is_ok());

suite! {
    devices_equal_ip: NETDEV, ETHTOOL, VETH, IP;
    features_of_a_device_change: NETDEV, ETHTOOL, VETH, IP;
    devices_are_added_changed_and_removed: NETDEV, ETHTOOL, VETH, IP;
    queues_equal_ip: NETDEV, kernel(6, 8), VETH, IP;
    napi_instances_are_listed: NETDEV, kernel(6, 8), ETHTOOL, VETH, IP;
    napi_settings_are_read_back: NETDEV, kernel(6, 13), ETHTOOL, VETH, IP, init_namespace();
    napi_settings_equal_files: NETDEV, kernel(6, 13), ETHTOOL, VETH, IP, init_namespace(), program("mount");
    napi_is_polled_by_a_thread: NETDEV, kernel(6, 17), ETHTOOL, VETH, IP, init_namespace();
    counters_of_a_network_card: NETDEV, kernel(6, 10), init_namespace(), CARD;
    refused_requests: NETDEV, kernel(6, 10), VETH, IP;
    memory_is_not_bound: NETDEV, kernel(6, 16), VETH, IP, init_namespace();
    queues_are_not_leased: NETDEV, kernel(7, 1), VETH, IP, init_namespace();
    commands_that_a_kernel_lacks: NETDEV;
    on_a_reactor: NETDEV, kernel(6, 8), ETHTOOL, VETH, IP;
}

const LO: u32 = 1;

/// The links in the output of `ip`.
pub(crate) fn links() -> Result<Vec<Value>> {
    Ok(serde_json::from_str(&output("ip", &["-j", "-d", "-s", "link"])?)?)
}

pub(crate) fn index(link: &Value) -> u32 {
    link["ifindex"].as_u64().unwrap() as u32
}

/// All replies of a list.
pub(crate) fn all<Q, R>(nl: &mut Client<Netdev>, request: Q) -> Result<Vec<R>, Error>
where
    Q: IntoUnbound<Family = Netdev, Answer = Dump<R>>,
    R: Reply,
{
    let mut listing = nl.dump(request)?;
    let mut items = Vec::new();
    while let Some(item) = listing.next()? {
        items.push(R::own(item));
    }
    Ok(items)
}

/// Two veths with two queues per direction, `a0` and `b0`, both up; their indexes.
fn pair() -> Result<[u32; 2]> {
    let queues = "numrxqueues 2 numtxqueues 2";
    let add = format!("link add a0 {queues} type veth peer name b0 {queues}");
    output("ip", &add.split(' ').collect::<Vec<_>>())?;
    for name in ["a0", "b0"] {
        output("ip", &["link", "set", name, "up"])?;
    }
    let links = links()?;
    let find = |name| links.iter().find(|link| link["ifname"] == name).map(index).ok_or("no such link");
    Ok([find("a0")?, find("b0")?])
}

/// The same; `a0` polls.
fn polling_pair() -> Result<[u32; 2]> {
    let pair = pair()?;
    gro::on("a0")?;
    Ok(pair)
}

/// The attribute that an error names.
pub(crate) fn refused(error: &Error) -> (Errno, String) {
    let Error::Kernel(kernel) = error else { panic!("{error}") };
    let at = kernel.ext_ack().attribute().map(|place| place.to_string()).unwrap_or_default();
    (kernel.errno(), at)
}

fn devices_equal_ip() -> Result {
    pair()?;
    let mut nl = netdev::connect()?;
    let devices = all(&mut nl, device::list())?;
    let indexes: Vec<_> = devices.iter().filter_map(|device| device.ifindex()).collect();
    assert_eq!(indexes, links()?.iter().map(index).collect::<Vec<_>>());
    assert_eq!(indexes.len(), 3);
    for device in &devices {
        let one = nl.call(device::get(device.ifindex().unwrap()))?;
        assert_eq!(one.attrs(), device.attrs());
    }
    let lo = nl.call(device::get(LO))?;
    assert_eq!((lo.ifindex(), lo.xdp_features()), (Some(LO), Some(XdpAct::empty())));
    assert_eq!(lo.xdp_zc_max_segs(), None);
    assert!(nl.call(device::get(4711)).unwrap_err().is_not_found());
    gro::on("a0")?;
    record("veth")
}

/// The files of `tests/golden/netdev`: every list.
pub(crate) fn record(name: &str) -> Result {
    let recorder = Recorder::new();
    let mut nl = netlink_generic::connect()?;
    nl.set_tracer(Some(recorder.tracer()));
    let mut nl = Client::<Netdev>::on(nl)?;
    all(&mut nl, device::list())?;
    all(&mut nl, queue::list())?;
    all(&mut nl, napi::list())?;
    all(&mut nl, qstats::list())?;
    all(&mut nl, qstats::list().scope(QstatsScope::QUEUE))?;
    all(&mut nl, page_pool::list())?;
    if nl.family().operation(9).is_some() {
        all(&mut nl, page_pool::list_stats())?;
    }
    let recorded = recorder.recording().to_text();
    keep(&format!("netdev/{name}"), &recorded, &tell(name, &recorded)?, read)
}

fn features_of_a_device_change() -> Result {
    let [a, b] = pair()?;
    let mut nl = netdev::connect()?;
    let plain = XdpAct::BASIC | XdpAct::REDIRECT | XdpAct::RX_SG;
    assert_eq!(nl.call(device::get(b))?.xdp_features(), Some(plain));
    // Packets can be redirected to a veth whose peer polls.
    gro::on("a0")?;
    let sends = XdpAct::NDO_XMIT | XdpAct::NDO_XMIT_SG;
    assert_eq!(nl.call(device::get(b))?.xdp_features(), Some(plain | sends));
    let device = nl.call(device::get(a))?;
    assert_eq!(device.xdp_features(), Some(plain));
    if let Some(known) = device.xdp_rx_metadata_features() {
        assert!(known.contains(XdpRxMetadata::TIMESTAMP | XdpRxMetadata::HASH), "{known}");
        assert!(device.xsk_features().is_none_or(|features| features.is_empty()));
    }
    Ok(())
}

fn devices_are_added_changed_and_removed() -> Result {
    let mut events = netdev::subscribe(&[Netdev::MGMT])?;
    let [a, b] = pair()?;
    gro::on("a0")?;
    output("ip", &["link", "del", "a0"])?;
    let mut told: Vec<(&str, u32, XdpAct)> = Vec::new();
    while told.iter().filter(|(what, ..)| *what == "gone").count() < 2 {
        let Notice::Event { event, .. } = events.next()? else { return Err("events were lost".into()) };
        let (what, device) = match event {
            Event::DeviceAdded(device) => ("came", device),
            Event::DeviceChanged(device) => ("changed", device),
            Event::DeviceRemoved(device) => ("gone", device),
            other => return Err(format!("{other:?}").into()),
        };
        told.push((what, device.ifindex().unwrap(), device.xdp_features().unwrap()));
    }
    let of = |index| -> Vec<_> { told.iter().filter(|told| told.1 == index).collect() };
    for index in [a, b] {
        let told = of(index);
        assert_eq!((told[0].0, told[told.len() - 1].0), ("came", "gone"), "{told:?}");
    }
    let mut changed = of(b).into_iter().filter(|told| told.0 == "changed");
    assert!(changed.any(|told| told.2.contains(XdpAct::NDO_XMIT)), "{told:?}");
    Ok(())
}

fn queues_equal_ip() -> Result {
    let [a, _] = pair()?;
    output("ip", &["link", "set", "lo", "up"])?;
    let mut nl = netdev::connect()?;
    let queues = all(&mut nl, queue::list())?;
    for link in links()? {
        let index = index(&link);
        let count = |kind| -> Vec<u32> {
            let of_link = queues.iter().filter(|queue| queue.ifindex() == Some(index));
            of_link.filter(|queue| queue.kind() == Some(kind)).filter_map(|queue| queue.id()).collect()
        };
        let theirs = |name: &str| (0..link[name].as_u64().unwrap() as u32).collect::<Vec<_>>();
        assert_eq!(count(QueueType::RX), theirs("num_rx_queues"), "{link}");
        assert_eq!(count(QueueType::TX), theirs("num_tx_queues"), "{link}");
        let narrowed = all(&mut nl, queue::list_of(index))?;
        let of_link: Vec<_> = queues.iter().filter(|queue| queue.ifindex() == Some(index)).collect();
        assert!(!narrowed.is_empty() && narrowed.iter().eq(of_link));
        for queue in narrowed {
            let one = nl.call(queue::get(index, queue.kind().unwrap(), queue.id().unwrap()))?;
            assert_eq!(one.attrs(), queue.attrs());
            assert!(one.dmabuf().is_none() && one.io_uring().is_none() && one.xsk().is_none());
            assert!(one.lease().is_none());
        }
    }
    let ask = |nl: &mut Client<Netdev>, index, kind, id| {
        refused(&nl.call(queue::get(index, kind, id)).unwrap_err()).0
    };
    assert_eq!(ask(&mut nl, a, QueueType::TX, 2), Errno::EINVAL);
    assert_eq!(ask(&mut nl, 4711, QueueType::RX, 0), Errno::ENODEV);
    output("ip", &["link", "set", "a0", "down"])?;
    assert_eq!(ask(&mut nl, a, QueueType::RX, 0), Errno::ENOENT);
    assert!(all(&mut nl, queue::list_of(a))?.is_empty());
    Ok(())
}

fn napi_instances_are_listed() -> Result {
    let [a, b] = pair()?;
    let mut nl = netdev::connect()?;
    assert!(all(&mut nl, napi::list())?.is_empty());
    gro::on("a0")?;
    let instances = all(&mut nl, napi::list())?;
    // One per receive queue.
    assert_eq!(instances.len(), 2);
    for napi in &instances {
        assert_eq!((napi.ifindex(), napi.irq(), napi.pid()), (Some(a), None, None));
        assert_eq!(nl.call(napi::get(napi.id().unwrap()))?.attrs(), napi.attrs());
    }
    assert_ne!(instances[0].id(), instances[1].id());
    assert_eq!(all(&mut nl, napi::list_of(a))?, instances);
    assert!(all(&mut nl, napi::list_of(b))?.is_empty());
    output("ip", &["link", "set", "a0", "down"])?;
    assert!(nl.call(napi::get(instances[0].id().unwrap())).unwrap_err().is_not_found());
    Ok(())
}

/// The instances of a link.
fn instances(nl: &mut Client<Netdev>, ifindex: u32) -> Result<Vec<u32>> {
    Ok(all(nl, napi::list_of(ifindex))?.iter().filter_map(|napi| napi.id()).collect())
}

fn napi_settings_are_read_back() -> Result {
    let [a, _] = polling_pair()?;
    let mut nl = netdev::connect()?;
    let [first, second] = instances(&mut nl, a)?[..] else { return Err("two instances".into()) };
    let read = |nl: &mut Client<Netdev>, id| -> Result<_> {
        let napi = nl.call(napi::get(id))?;
        let timeouts = [napi.gro_flush_timeout(), napi.irq_suspend_timeout()];
        Ok((napi.defer_hard_irqs(), timeouts))
    };
    let unset = (Some(0), [Some(0), Some(0)]);
    assert_eq!(read(&mut nl, first)?, unset);
    // A value beyond 32 bits, and one within.
    let long = 1 << 33;
    nl.call(napi::set(first).defer_hard_irqs(7u32).gro_flush_timeout(long).irq_suspend_timeout(20_000u64))?;
    assert_eq!(read(&mut nl, first)?, (Some(7), [Some(long), Some(20_000)]));
    assert_eq!(read(&mut nl, second)?, unset);
    nl.call(napi::set(first).gro_flush_timeout(0u64))?;
    assert_eq!(read(&mut nl, first)?, (Some(7), [Some(0), Some(20_000)]));

    let error = nl.call(napi::set(first).defer_hard_irqs(1 << 31)).unwrap_err();
    assert_eq!(refused(&error), (Errno::ERANGE, "NETDEV_A_NAPI_DEFER_HARD_IRQS".to_owned()));
    assert!(error.to_string().contains("allowed is u32 0 to 2147483647"), "{error}");
    let error = nl.call(napi::set(1)).unwrap_err();
    assert_eq!(refused(&error), (Errno::ENOENT, "NETDEV_A_NAPI_ID".to_owned()));
    Ok(())
}

/// Checks one value in all instances of a link.
fn napi_settings_equal_files() -> Result {
    output("mount", &["-t", "sysfs", "sysfs", "/sys"])?;
    let [a, _] = polling_pair()?;
    let mut nl = netdev::connect()?;
    fs::write("/sys/class/net/a0/napi_defer_hard_irqs", "11")?;
    fs::write("/sys/class/net/a0/gro_flush_timeout", "50000")?;
    for id in instances(&mut nl, a)? {
        let napi = nl.call(napi::get(id))?;
        assert_eq!(napi.defer_hard_irqs(), Some(11));
        assert_eq!(napi.gro_flush_timeout(), Some(50_000));
        nl.call(napi::set(id).defer_hard_irqs(3u32))?;
    }
    // The file returns the written value.
    assert_eq!(fs::read_to_string("/sys/class/net/a0/napi_defer_hard_irqs")?, "11\n");
    Ok(())
}

fn napi_is_polled_by_a_thread() -> Result {
    let [a, _] = polling_pair()?;
    let mut nl = netdev::connect()?;
    let ids = instances(&mut nl, a)?;
    let first = nl.call(napi::get(ids[0]))?;
    assert_eq!((first.threaded(), first.pid()), (Some(NapiThreaded::DISABLED), None));
    nl.call(napi::set(ids[0]).threaded(NapiThreaded::ENABLED))?;
    let first = nl.call(napi::get(ids[0]))?;
    assert_eq!(first.threaded(), Some(NapiThreaded::ENABLED));
    let comm = fs::read_to_string(format!("/proc/{}/comm", first.pid().ok_or("no thread")?))?;
    assert_eq!(comm, format!("napi/a0-{}\n", ids[0]));
    assert_eq!(nl.call(napi::get(ids[1]))?.threaded(), Some(NapiThreaded::DISABLED));
    let error = nl.call(napi::set(ids[0]).threaded(NapiThreaded(9))).unwrap_err();
    assert_eq!(refused(&error), (Errno::ERANGE, "NETDEV_A_NAPI_THREADED".to_owned()));
    nl.call(napi::set(ids[0]).threaded(NapiThreaded::DISABLED))?;
    assert_eq!(nl.call(napi::get(ids[0]))?.threaded(), Some(NapiThreaded::DISABLED));
    Ok(())
}

/// A connection in the initial namespace, and a link there whose driver has counters.
fn card() -> Result<(Client<Netdev>, u32)> {
    let initial = Namespace::of_process(std::process::id())?;
    let mut nl = netdev::connect_with(&OpenOptions::new().namespace(&initial))?;
    let index = all(&mut nl, qstats::list())?.iter().find_map(|stats| stats.ifindex());
    Ok((nl, index.ok_or("no link")?))
}

fn counters_of_a_network_card() -> Result {
    let (mut nl, index) = card()?;
    // These files are in the initial namespace.
    let folders =
        fs::read_dir("/sys/class/net")?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let is_it = |text: String| text.trim() == index.to_string();
    let folder = folders.iter().find(|path| fs::read_to_string(path.join("ifindex")).is_ok_and(is_it));
    let folder = folder.ok_or("no folder")?.join("statistics");
    counters_equal(&mut nl, index, |name| Ok(fs::read_to_string(folder.join(name))?.trim().parse()?))
}

/// The counters of a device equal those of its link, and are not smaller than those of its queues.
pub(crate) fn counters_equal(
    nl: &mut Client<Netdev>,
    index: u32,
    read: impl Fn(&str) -> Result<u64>,
) -> Result {
    for name in ["rx_packets", "rx_bytes", "tx_packets", "tx_bytes"] {
        let before = read(name)?;
        let devices = all(nl, qstats::list().ifindex(index))?;
        let queues = all(nl, qstats::list().ifindex(index).scope(QstatsScope::QUEUE))?;
        let after = read(name)?;
        let [device] = &devices[..] else { return Err(format!("{devices:?}").into()) };
        assert_eq!((device.queue_type(), device.queue_id(), device.scope()), (None, None, None));
        let value = |stats: &Qstats<'_>| match name {
            "rx_packets" => stats.rx_packets(),
            "rx_bytes" => stats.rx_bytes(),
            "tx_packets" => stats.tx_packets(),
            _ => stats.tx_bytes(),
        };
        let whole = value(device).ok_or("not counted")?;
        assert!((before..=after).contains(&whole), "{name}: {before} {whole} {after}");
        let kind = if name.starts_with("rx") { QueueType::RX } else { QueueType::TX };
        let (of_kind, others): (Vec<_>, Vec<_>) =
            queues.iter().partition(|queue| queue.queue_type() == Some(kind));
        let ids: Vec<_> = of_kind.iter().filter_map(|queue| queue.queue_id()).collect();
        assert!(!ids.is_empty() && ids.iter().copied().eq(0..ids.len() as u32), "{ids:?}");
        assert!(others.into_iter().all(|queue| value(queue).is_none()));
        let parts: u64 = of_kind.into_iter().filter_map(value).sum();
        assert!(parts <= after, "{name}: {parts} {after}");
    }
    Ok(())
}

fn refused_requests() -> Result {
    let [a, _] = pair()?;
    let mut nl = netdev::connect()?;
    // A veth has no counters per queue.
    assert!(all(&mut nl, qstats::list())?.is_empty());
    assert!(all(&mut nl, qstats::list().scope(QstatsScope::QUEUE))?.is_empty());
    let refuse = |nl: &mut Client<Netdev>, request| refused(&all(nl, request).unwrap_err());
    let at = "NETDEV_A_QSTATS_IFINDEX".to_owned();
    assert_eq!(refuse(&mut nl, qstats::list().ifindex(a)), (Errno::EOPNOTSUPP, at));
    let at = "NETDEV_A_QSTATS_SCOPE".to_owned();
    let unknown = QstatsScope::from_bits_retain(2);
    assert_eq!(refuse(&mut nl, qstats::list().scope(unknown)), (Errno::EINVAL, at));
    let error = nl.call(device::get(0)).unwrap_err();
    assert_eq!(refused(&error), (Errno::ERANGE, "NETDEV_A_DEV_IFINDEX".to_owned()));
    Ok(())
}

fn memory_is_not_bound() -> Result {
    let [a, _] = pair()?;
    let mut nl = netdev::connect()?;
    let error = nl.call(dmabuf::bind_rx(a, 0, &[0, 1])).unwrap_err();
    assert!(error.is_unsupported(), "{error}");
    let error = nl.call(dmabuf::bind_tx(a, 0)).unwrap_err();
    assert!(error.to_string().contains("Driver does not support netmem TX"), "{error}");
    assert!(nl.call(dmabuf::bind_tx(4711, 0)).unwrap_err().is_not_found());
    Ok(())
}

fn queues_are_not_leased() -> Result {
    let [a, b] = pair()?;
    let mut nl = netdev::connect()?;
    let error = nl.call(queue::create(b, a, 0)).unwrap_err();
    assert!(error.to_string().contains("Device does not support queue creation"), "{error}");
    assert!(nl.call(queue::create(4711, a, 0)).unwrap_err().is_not_found());
    Ok(())
}

fn commands_that_a_kernel_lacks() -> Result {
    let mut nl = netdev::connect()?;
    for (command, result) in [
        (5, nl.call(page_pool::get(1)).map(drop)),
        (9, nl.call(page_pool::get_stats(1)).map(drop)),
        (10, nl.call(queue::get(LO, QueueType::RX, 0)).map(drop)),
        (11, nl.call(napi::get(1)).map(drop)),
        (13, nl.call(dmabuf::bind_rx(LO, 0, &[0])).map(drop)),
        (14, nl.call(napi::set(1))),
        (15, nl.call(dmabuf::bind_tx(LO, 0)).map(drop)),
        (16, nl.call(queue::create(LO, LO, 0)).map(drop)),
    ] {
        let error = result.unwrap_err();
        let there = nl.family().operation(command).is_some();
        assert_eq!(matches!(error, Error::Kernel(_)), there, "{error}");
        assert!(there || error.is_unsupported(), "{error}");
    }
    Ok(())
}

fn on_a_reactor() -> Result {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut nl = netdev::tokio::connect().await?;
        let mut events = netdev::tokio::subscribe(&[Netdev::MGMT, Netdev::PAGE_POOL]).await?;
        let [a, _] = polling_pair()?;
        assert!(matches!(events.next().await?, Notice::Event { event: Event::DeviceAdded(_), .. }));
        assert_eq!(nl.call(device::get(a)).await?.ifindex(), Some(a));
        assert_eq!(nl.dump(napi::list()).await?.collect().await?.len(), 2);
        assert_eq!(nl.dump(queue::list_of(a)).await?.collect().await?.len(), 4);
        Ok(())
    })
}
