//! What the fuzzer runs, as plain functions: each takes any bytes and panics if something is wrong.
//!
//! `cargo xtask fuzz` lets the fuzzer call them; `cargo xtask test` replays the corpus with a stable compiler.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use netlink_core::exchange::{Exchange, Expect, Meaning, Run};
use netlink_core::message::HEADER_LEN;
use netlink_core::testkit::{self, answer};
use netlink_core::trace::{Direction, Traffic, Tree};
use netlink_core::{Attrs, Message, MessageFlags, MessageInfo, Messages, Request, Sender, ToRequest as _};
use netlink_generic::{Resolved, ctrl, mptcp_pm, netdev, quota, taskstats, wireguard};
use netlink_netfilter::{acct, batch, conntrack, expect, helper, hook, log, osf, queue, timeout};
use netlink_route::{addr, link, nsid, route};
use netlink_sockdiag::{inet, netlink, packet, smc, tipc, unix, vsock, xdp};
use netlink_xfrm::{policy, state};

/// A target: any bytes, and no panic.
pub type Target = fn(&[u8]);

/// Every target with its name.
pub const TARGETS: [(&str, Target); 5] = [
    ("datagram", datagram),
    ("messages", messages),
    ("exchange", exchange),
    ("refusal", refusal),
    ("trace", trace),
];

/// Every message type of the families.
pub fn infos() -> impl Iterator<Item = &'static MessageInfo> {
    let families = [
        netlink_generic::SPEC,
        netlink_netfilter::SPEC,
        netlink_route::SPEC,
        netlink_sockdiag::SPEC,
        netlink_xfrm::SPEC,
    ];
    families.into_iter().flat_map(|spec| spec.messages).copied().flatten()
}

/// One message type of each form: those that share header and attributes are read alike.
fn forms() -> impl Iterator<Item = &'static MessageInfo> {
    let mut seen = HashSet::new();
    infos().filter(move |info| seen.insert((info.header.c_name, info.table.name)))
}

/// The walk over messages and attributes ends, in order, within the datagram.
pub fn datagram(bytes: &[u8]) {
    let mut walk = Messages::new(bytes);
    let mut left = bytes.len() + 1;
    while let Some(message) = walk.next() {
        assert!(walk.rest().len() < left, "the walk over messages stands still");
        left = walk.rest().len();
        let Ok(message) = message else {
            assert!(walk.next().is_none(), "the walk goes on behind an error");
            return;
        };
        assert_eq!(message.body.len() + HEADER_LEN, message.header.length as usize);
        attributes(message.body, 0);
    }
    assert!(walk.rest().len() < HEADER_LEN, "messages are left over");
}

fn attributes(bytes: &[u8], depth: usize) {
    let mut walk = Attrs::new(bytes);
    let mut left = bytes.len() + 1;
    while let Some(attr) = walk.next() {
        assert!(walk.rest().len() < left, "the walk over attributes stands still");
        left = walk.rest().len();
        let Ok(attr) = attr else { return };
        if depth < 8 {
            attributes(attr.payload, depth + 1);
        }
    }
}

/// What decodes also prints and serializes, and once encoded decodes to the same.
pub fn messages(bytes: &[u8]) {
    for message in Messages::new(bytes).flatten() {
        round_trip(&message);
    }
}

/// Declares [`round_trip`] for the message types of the families; those of generic netlink come last.
macro_rules! round_trips {
    ($($message:ty),*; $($generic:ty),* $(,)?) => {
        /// The C names of the messages that [`messages`] tries; a test holds them against the families'.
        pub fn tried() -> Vec<&'static str> {
            let all = [$(<$message>::MESSAGES,)* $(<$generic>::MESSAGES),*];
            all.into_iter().flatten().map(|info| info.c_name).collect()
        }

        fn round_trip(message: &Message<'_>) {
            $(if let Ok(read) = <$message>::read(message) {
                let _ = format!("{read:#?}");
                serde_json::to_string(&read).expect("every value serializes");
                let kept = read.clone().into_owned();
                assert_eq!(kept, read, "kept");
                let info = &<$message>::MESSAGES[0];
                let request: Request<()> = read.to_request(info, read.message_flags()).into_request();
                let bytes = request.to_bytes().expect("what was read can be sent");
                let again = Messages::new(&bytes).next().expect("one message").expect("well-formed");
                let again = <$message>::read(&again).expect("what was read reads again");
                assert_eq!(again.header(), read.header(), "fixed header");
                assert_eq!(again.attrs(), read.attrs(), "attributes");
            })*
            $(if let Ok(read) = <$generic>::read(message) {
                let _ = format!("{read:#?}");
                serde_json::to_string(&read).expect("every value serializes");
                let kept = read.clone().into_owned();
                assert_eq!(kept, read, "kept");
                let info = &<$generic>::MESSAGES[0];
                let request = read.to_request::<()>(info, read.message_flags());
                let bytes = Resolved::from_id(16).bind(request).to_bytes().expect("what was read can be sent");
                let again = Messages::new(&bytes).next().expect("one message").expect("well-formed");
                let again = <$generic>::read(&again).expect("what was read reads again");
                assert_eq!(again.attrs(), read.attrs(), "attributes");
            })*
        }
    };
}

round_trips! {
    link::Link<'_>, addr::Address<'_>, route::Route<'_>, nsid::Nsid<'_>,
    inet::InetQuery<'_>, inet::InetSocket<'_>, unix::UnixQuery<'_>, unix::UnixSocket<'_>,
    packet::PacketQuery<'_>, packet::PacketSocket<'_>, netlink::NetlinkQuery<'_>, netlink::NetlinkSocket<'_>,
    vsock::VsockQuery<'_>, vsock::VsockSocket<'_>, xdp::XdpQuery<'_>, xdp::XdpSocket<'_>,
    smc::SmcQuery<'_>, smc::SmcSocket<'_>, tipc::TipcQuery<'_>, tipc::TipcSocket<'_>,
    batch::Batch<'_>, conntrack::Conntrack<'_>, conntrack::CpuStats<'_>, conntrack::Stats<'_>,
    expect::Expect<'_>, expect::ExpectStats<'_>,
    queue::Packet<'_>, queue::Config<'_>, log::Packet<'_>, log::Config<'_>,
    acct::Account<'_>, helper::Helper<'_>, hook::Hook<'_>, osf::Osf<'_>, timeout::Timeout<'_>,
    policy::Acquire<'_>, policy::DefaultPolicy<'_>, policy::DeletedPolicy<'_>, policy::Expire<'_>,
    policy::Flush<'_>, policy::Migrate<'_>, policy::Policy<'_>, policy::Spd<'_>,
    state::AsyncEvent<'_>, state::DeletedState<'_>, state::Expire<'_>, state::Flush<'_>,
    state::List<'_>, state::Mapping<'_>, state::MigrateState<'_>, state::Report<'_>,
    state::Sad<'_>, state::Spi<'_>, state::State<'_>;
    ctrl::Family<'_>, netdev::Device<'_>, netdev::PagePool<'_>, netdev::PagePoolStats<'_>, netdev::Queue<'_>,
    netdev::Napi<'_>, netdev::Qstats<'_>, netdev::Dmabuf<'_>, wireguard::DeviceMessage<'_>, quota::Warning<'_>,
    taskstats::Query<'_>, taskstats::Record<'_>, taskstats::CgroupQuery<'_>, taskstats::Cgroup<'_>,
    mptcp_pm::Endpoint<'_>, mptcp_pm::Limits<'_>, mptcp_pm::Path<'_>, mptcp_pm::PathEvent<'_>,
}

/// An exchange that is over takes in nothing more, and every request of a run has one answer.
pub fn exchange(bytes: &[u8]) {
    let [how, count, datagrams @ ..] = bytes else { return };
    let expect = [Expect::Ack, Expect::Reply, Expect::Dump][usize::from(how % 3)];
    let flags = if how & 0x80 == 0 { MessageFlags::empty() } else { MessageFlags::ACK };
    let first = Messages::new(datagrams).flatten().next().map_or(0, |message| message.header.sequence);
    let port = Messages::new(datagrams).flatten().next().map_or(0, |message| message.header.port);
    let sender = match how >> 4 & 3 {
        0 | 1 => Sender::KERNEL,
        2 => Sender::kernel_group(1),
        _ => Sender::process(4242),
    };

    let mut exchange = Exchange::new(expect, flags, first, port);
    for message in Messages::new(datagrams).flatten() {
        let was_over = exchange.is_over();
        let meaning = exchange.feed(sender, &message);
        match meaning {
            Meaning::Reply(_) => assert!(!was_over && exchange.has_reply()),
            Meaning::Done(_) | Meaning::Failed(..) => assert!(!was_over && exchange.is_over()),
            Meaning::Overrun => assert!(exchange.is_over()),
            Meaning::Stale | Meaning::Event => assert_eq!(exchange.is_over(), was_over),
        }
        assert!(sender == Sender::KERNEL || matches!(meaning, Meaning::Stale | Meaning::Event));
    }

    let mut run = Run::new(first, usize::from(*count), port);
    for message in Messages::new(datagrams).flatten() {
        let (index, _) = run.feed(sender, &message);
        assert!(index.is_none_or(|index| index < usize::from(*count)));
    }
    assert_eq!(run.into_answers().len(), usize::from(*count));
}

/// A refusal with any extended acknowledgement, of any request and at any offset, can be told.
pub fn refusal(bytes: &[u8]) {
    let Some((offset, message)) = bytes.split_first_chunk::<2>() else { return };
    let offset = usize::from(u16::from_ne_bytes(*offset));
    for info in forms() {
        if let Some(place) = info.place(message, offset) {
            let _ = format!("{place} {place:?}");
        }
    }
    let request = route::list();
    for refused in [testkit::Replies::new().error(22, message), testkit::Replies::new().error(0, message)] {
        if let Err(error) = answer(request.to_request().clone().expecting::<()>(), &[&refused]) {
            let _ = format!("{error} {error:?}");
        }
    }
    if let Err(error) = answer(request.to_request().clone().expecting::<()>(), &[&message]) {
        let _ = format!("{error} {error:?}");
    }
}

/// Any datagram prints, whatever it is taken for.
pub fn trace(bytes: &[u8]) {
    for info in forms().map(Some).chain([None]) {
        let _ = format!("{}", Tree::new(bytes, info));
        for direction in [Direction::Sent, Direction::Received] {
            let _ = format!("{}", Traffic { direction, datagram: bytes, info, kind: None });
        }
    }
}

/// What the fuzzer starts from and the tests replay: the corpus and the goldens, with the file each is from.
/// `root` is the folder of the workspace.
pub fn seeds(root: &Path) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut seeds = Vec::new();
    for entry in fs::read_dir(root)? {
        let golden = entry?.path().join("tests/golden");
        for path in files(&golden)? {
            let text = fs::read_to_string(&path)?;
            seeds.extend(golden_bytes(&text).into_iter().map(|bytes| (path.clone(), bytes)));
        }
    }
    for path in files(&root.join("fuzz/corpus"))? {
        let bytes = fs::read(&path)?;
        seeds.push((path, bytes));
    }
    Ok(seeds)
}

/// The files below a folder, none if there is no such folder.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if !folder.is_dir() {
        return Ok(files);
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(self::files(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The byte runs of a text with hexadecimal digits: lines of anything else end a run.
fn golden_bytes(text: &str) -> Vec<Vec<u8>> {
    let mut runs = vec![Vec::new()];
    for line in text.lines() {
        let line = line.trim_start_matches(['<', '>', ' ']);
        match testkit::from_hex(line).filter(|bytes| !bytes.is_empty()) {
            Some(bytes) => runs.last_mut().expect("never empty").extend(bytes),
            None => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}
