//! Sockets of the smaller families.

use netlink_core::{HwAddr, Protocol, Socket};
use netlink_sockdiag::netlink::{self, NetlinkFlags};
use netlink_sockdiag::packet::{self, FanoutType, MembershipType, PacketFlags, PacketShow};
use netlink_sockdiag::smc::{self, SmcExtension, SmcMode, SmcState};
use netlink_sockdiag::tipc;
use netlink_sockdiag::vsock;
use netlink_sockdiag::xdp::{self, XdpStats};
use netlink_sockdiag::{MemoryCounter, SocketType, State};
use netlink_testing::{Result, module, suite};

use crate::sys::{self, Raw, ipv4, words};
use crate::{all, connect, inode, listed, lists};

lists!(VSOCK, "the kernel lists no vsock sockets", vsock::list());
lists!(XDP, "the kernel lists no XDP sockets", xdp::list());
lists!(TIPC, "the kernel lists no TIPC sockets", tipc::list());
lists!(SMC, "the kernel lists no SMC sockets", smc::list());

suite! {
    packet_sockets_with_rings_and_a_group;
    packet_sockets_with_memberships_and_a_filter;
    netlink_sockets_with_their_groups;
    unknown_netlink_protocols;
    vsock_listeners_and_connections: module("vsock_loopback"), VSOCK;
    xdp_sockets_with_memory_and_rings: XDP;
    smc_sockets_that_fell_back: module("smc"), SMC;
    tipc_sockets: module("tipc"), TIPC;
}

const LO: u32 = 1;

/// A packet socket for IPv4 on the loopback link.
fn packet_socket() -> Result<Raw> {
    let protocol = 0x0800u16.to_be_bytes();
    let socket = Raw::open(libc::AF_PACKET, libc::SOCK_RAW, 0)?;
    let family = u16::try_from(libc::AF_PACKET)?.to_ne_bytes();
    socket.bind(&[&family[..], &protocol, &LO.to_ne_bytes(), &[0; 12]].concat())?;
    Ok(socket)
}

fn packet_sockets_with_rings_and_a_group() -> Result {
    let mut nl = connect()?;
    let socket = packet_socket()?;
    sys::set_number(&socket, libc::SOL_PACKET, libc::PACKET_VERSION, 2)?;
    let ring = [8192u32, 2, 2048, 8, 60, 0, 0].map(u32::to_ne_bytes).concat();
    sys::set(&socket, libc::SOL_PACKET, libc::PACKET_RX_RING, &ring)?;
    sys::set_number(&socket, libc::SOL_PACKET, libc::PACKET_AUXDATA, 1)?;
    sys::set_number(&socket, libc::SOL_PACKET, libc::PACKET_FANOUT, 7 | 1 << 16)?;
    let sockets = all(&mut nl, packet::list())?;
    let [found] = &sockets[..] else { panic!("{sockets:?}") };
    let header = found.header();
    assert_eq!((header.inode, header.socket_type, header.protocol), (inode(&socket), SocketType::RAW, 0x800));
    let info = found.info().unwrap();
    assert_eq!((info.interface, info.version), (LO, 2));
    assert!(info.flags.contains(PacketFlags::RUNNING | PacketFlags::AUXDATA));
    let ring = found.rx_ring().unwrap();
    assert_eq!((ring.block_size, ring.blocks, ring.frame_size, ring.frames), (8192, 2, 2048, 8));
    assert_eq!(ring.retire_timeout, 60);
    assert_eq!(found.tx_ring(), None);
    let group = found.fanout().unwrap();
    assert_eq!((group.id(), group.fanout_type()), (7, FanoutType::LB));
    assert!(found.uid().is_some());
    assert!(found.memory().unwrap().get(MemoryCounter::RCVBUF).unwrap() > 0);
    let bare = all(&mut nl, packet::list().show(PacketShow::empty()))?;
    assert_eq!(bare[0].attrs().iter().count(), 0);
    Ok(())
}

fn packet_sockets_with_memberships_and_a_filter() -> Result {
    let mut nl = connect()?;
    let socket = packet_socket()?;
    let address = [1, 0, 0x5e, 0, 0, 9];
    // struct packet_mreq: link, type, length, address.
    let member = [&LO.to_ne_bytes()[..], &[0, 0], &6_u16.to_ne_bytes(), &address, &[0, 0]].concat();
    sys::set(&socket, libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &member)?;
    // ret #0xffff as struct sock_filter; struct sock_fprog points to it.
    let program = [&6u16.to_ne_bytes()[..], &[0, 0], &0xffffu32.to_ne_bytes()].concat();
    let mut pointer = 1u16.to_ne_bytes().to_vec();
    pointer.resize(size_of::<usize>(), 0);
    pointer.extend((program.as_ptr() as usize).to_ne_bytes());
    sys::set(&socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &pointer)?;
    let found = all(&mut nl, packet::list())?.remove(0);
    let member = found.memberships().unwrap().get(0).unwrap();
    assert_eq!((member.interface, member.kind, member.count), (LO, MembershipType::MULTICAST, 1));
    assert_eq!(member.address(), Some(HwAddr::from(address)));
    let filter = found.filter().unwrap();
    let step = filter.get(0).unwrap();
    assert_eq!((filter.len(), step.code, step.operand), (1, 6, 0xffff));
    Ok(())
}

fn netlink_sockets_with_their_groups() -> Result {
    let mut nl = connect()?;
    let socket = Socket::open(Protocol::ROUTE)?;
    socket.join(1)?;
    socket.join(33)?;
    socket.set(netlink_core::socket::Switch::NO_ENOBUFS, true)?;
    let sockets = all(&mut nl, netlink::list())?;
    assert!(sockets.iter().any(|socket| socket.protocol() == Protocol::SOCK_DIAG));
    assert!(sockets.iter().any(|socket| socket.header().port == 0), "the kernel's own");
    let found = sockets.iter().find(|found| found.header().inode == inode(&socket)).unwrap();
    assert_eq!((found.protocol(), found.header().port), (Protocol::ROUTE, socket.port()));
    assert!(found.groups().unwrap().iter().eq([1, 33]));
    assert!(found.flags().unwrap().contains(NetlinkFlags::NO_ENOBUFS));
    assert!(found.memory().unwrap().get(MemoryCounter::RCVBUF).unwrap() > 0);
    let list = netlink::list().protocol(Protocol::ROUTE);
    let routes = listed(&mut nl, list, |socket| socket.protocol())?;
    assert!(routes.len() >= 2 && routes.iter().all(|protocol| *protocol == Protocol::ROUTE));
    Ok(())
}

fn unknown_netlink_protocols() -> Result {
    let mut nl = connect()?;
    let refused = listed(&mut nl, netlink::list().protocol(Protocol(99)), |_| ()).unwrap_err();
    assert!(refused.is_not_found(), "{refused}");
    Ok(())
}

fn vsock_listeners_and_connections() -> Result {
    const LOCAL: u32 = 1;
    let mut nl = connect()?;
    let open = || Raw::open(libc::AF_VSOCK, libc::SOCK_STREAM, 0);
    // struct sockaddr_vm: port, context id, flags.
    let address = |port, cid| words(libc::AF_VSOCK, &[port, cid, 0]);
    let (listener, client) = (open()?, open()?);
    listener.bind(&address(1234, vsock::ANY))?;
    listener.listen(1)?;
    client.connect(&address(1234, LOCAL))?;
    let server = listener.accept()?;
    let sockets = all(&mut nl, vsock::list())?;
    let of =
        |socket: &Raw| sockets.iter().map(|found| found.header()).find(|h| h.inode == inode(socket)).unwrap();
    let (waits, asks, answers) = (of(&listener), of(&client), of(&server));
    assert_eq!((waits.state, waits.source_port, waits.source_cid), (State::LISTEN, 1234, vsock::ANY));
    assert_eq!((asks.state, asks.dest_port, asks.dest_cid), (State::ESTABLISHED, 1234, LOCAL));
    assert_eq!((answers.source_port, answers.dest_port), (1234, asks.source_port));
    assert_eq!((answers.socket_type, answers.shutdown.receive()), (SocketType::STREAM, false));
    let listening = listed(&mut nl, vsock::list().states(State::LISTEN), |socket| socket.header().inode)?;
    assert_eq!(listening, [inode(&listener)]);
    Ok(())
}

fn xdp_sockets_with_memory_and_rings() -> Result {
    const SOL_XDP: i32 = 283;
    const PAGE: usize = 4096;
    const XDP_COPY: u32 = 2;
    let mut nl = connect()?;
    let socket = Raw::open(libc::AF_XDP, libc::SOCK_RAW, 0)?;
    let plain = all(&mut nl, xdp::list())?.remove(0);
    assert_eq!((plain.header().inode, plain.umem()), (inode(&socket), None));

    let memory = vec![0u8; PAGE * 17];
    let start = (memory.as_ptr() as usize).next_multiple_of(PAGE) as u64;
    // struct xdp_umem_reg: address, length, chunk, headroom, flags.
    let mut region = [start, 16 * PAGE as u64].map(u64::to_ne_bytes).concat();
    region.extend([2048u32, 64, 0, 0].map(u32::to_ne_bytes).concat());
    sys::set(&socket, SOL_XDP, libc::XDP_UMEM_REG, &region)?;
    for (ring, entries) in [
        (libc::XDP_UMEM_FILL_RING, 64),
        (libc::XDP_UMEM_COMPLETION_RING, 32),
        (libc::XDP_RX_RING, 16),
        (libc::XDP_TX_RING, 8),
    ] {
        sys::set_number(&socket, SOL_XDP, ring, entries)?;
    }
    // struct sockaddr_xdp: flags in the first two bytes behind the family, link, queue, no other socket.
    let mut address = words(libc::AF_XDP, &[LO, 0, 0]);
    address[2..4].copy_from_slice(&u16::try_from(XDP_COPY)?.to_ne_bytes());
    socket.bind(&address)?;
    let found = all(&mut nl, xdp::list())?.remove(0);
    let info = found.info().unwrap();
    assert_eq!((info.interface, info.queue), (LO, 0));
    let umem = found.umem().unwrap();
    assert_eq!((umem.size, umem.chunk_size, umem.headroom), (16 * PAGE as u64, 2048, 64));
    assert_eq!((umem.pages, umem.interface, umem.users), (16, LO, 1));
    let entries = [found.fill_ring(), found.completion_ring(), found.rx_ring(), found.tx_ring()];
    assert_eq!(entries.map(|ring| ring.unwrap().entries), [64, 32, 16, 8]);
    assert_eq!(
        found.stats().map(|stats| stats.fill_ring_empty(0u64).tx_ring_empty(0u64)),
        Some(XdpStats::default())
    );
    assert!(found.uid().is_some() && found.memory().is_some());
    Ok(())
}

fn smc_sockets_that_fell_back() -> Result {
    let mut nl = connect()?;
    let open = || Raw::open(43, libc::SOCK_STREAM, 0);
    let (listener, client) = (open()?, open()?);
    listener.bind(&ipv4(5002, [127, 0, 0, 1]))?;
    listener.listen(1)?;
    client.connect(&ipv4(5002, [127, 0, 0, 1]))?;
    let server = listener.accept()?;
    let asked = SmcExtension::CONNINFO | SmcExtension::LGRINFO | SmcExtension::DMBINFO;
    let sockets = all(&mut nl, smc::list().extensions(asked))?;
    let of =
        |socket: &Raw| sockets.iter().find(|found| found.header().inode == u64::from(inode(socket))).unwrap();
    assert_eq!(of(&listener).header().state, SmcState::LISTEN);
    let connected = of(&client);
    let header = connected.header();
    assert_eq!((header.mode, header.id.dest_port.0), (SmcMode::FALLBACK_TCP, 5002));
    assert_ne!(connected.fallback().unwrap().reason, 0, "neither RDMA nor ISM is there");
    assert_eq!(of(&server).header().id.source_port.0, 5002);
    assert!(connected.shutdown().is_some() && connected.link_group().is_none());
    Ok(())
}

fn tipc_sockets() -> Result {
    let mut nl = connect()?;
    // struct sockaddr_tipc: the address type and the scope in the two bytes behind the family.
    let service = |kind: u8, numbers: [u32; 3]| {
        let mut address = words(libc::AF_TIPC, &numbers);
        address[2..4].copy_from_slice(&[kind, 3]);
        address
    };
    let open = || Raw::open(libc::AF_TIPC, libc::SOCK_STREAM, 0);
    let (listener, client) = (open()?, open()?);
    listener.bind(&service(1, [1000, 1, 1]))?;
    listener.listen(1)?;
    let server = std::thread::scope(|scope| {
        let accepted = scope.spawn(|| listener.accept());
        client.connect(&service(2, [1000, 1, 0]))?;
        accepted.join().unwrap()
    })?;
    let sockets = all(&mut nl, tipc::list())?;
    let of = |socket: &Raw| {
        let mut infos = sockets.iter().filter_map(|found| found.socket());
        infos.find(|info| info.inode() == Some(inode(socket))).unwrap()
    };
    assert_eq!(of(&listener).state(), Some(State::LISTEN));
    assert!(of(&listener).has_publications().is_some());
    let connected = of(&client);
    assert_eq!(
        (connected.state(), connected.socket_type()),
        (Some(State::ESTABLISHED), Some(SocketType::STREAM))
    );
    assert_eq!(connected.connection().unwrap().socket(), of(&server).reference());
    assert_eq!(connected.stats().unwrap().receive_queue(), Some(0));
    let waiting = tipc::list().states(State::LISTEN);
    let waiting = listed(&mut nl, waiting, |found| found.socket().and_then(|info| info.inode()))?;
    assert!(waiting.contains(&Some(inode(&listener))) && !waiting.contains(&Some(inode(&client))));
    Ok(())
}
