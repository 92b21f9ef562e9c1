//! Optional attributes of IP sockets.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};

use netlink_core::Connection;
use netlink_sockdiag::inet::{
    self, BpfStorageQuery, CongestionState, Extension, Extensions, InetSocket, IpProtocol, MptcpInfoFlags,
    SubflowFlags, TcpOptions, TlsCipher, TlsConf, TlsVersion,
};
use netlink_sockdiag::{Family, MemoryCounter, State};
use netlink_testing::{Need, Result, init_namespace, ipv6, kernel, module, suite, when};

use crate::sys::{self, Raw, ipv4};
use crate::{all, connect, inode, listed, lists};

lists!(SCTP, "the kernel lists no SCTP sockets", inet::list(Family::INET, IpProtocol::SCTP));
lists!(MPTCP, "the kernel lists no MPTCP sockets", inet::list(Family::INET, IpProtocol::MPTCP));

const TCP: i32 = libc::IPPROTO_TCP;
const MD5: Need = when("the kernel signs no segments with MD5", || {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    sys::set(&listener, TCP, libc::TCP_MD5SIG, &md5_key([127, 0, 0, 9], b"probe")).is_ok()
});

suite! {
    every_requested_extension_is_sent: ipv6();
    only_the_usual_attributes_are_sent_by_default;
    tcp_info_describes_the_connection;
    congestion_control_vegas: module("tcp_vegas");
    congestion_control_dctcp: module("tcp_dctcp");
    congestion_control_bbr: module("tcp_bbr");
    md5_keys: MD5;
    tls_on_top_of_tcp: module("tls");
    mptcp_and_its_subflows: MPTCP;
    sctp_associations: module("sctp"), SCTP;
    bpf_storages_can_be_requested: init_namespace(), kernel(5, 7);
}

fn pair(address: &str) -> Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind(address)?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    Ok((client, listener.accept()?.0))
}

/// The socket with all extensions.
fn told(
    nl: &mut Connection,
    family: Family,
    protocol: IpProtocol,
    inode: u32,
) -> Result<InetSocket<'static>> {
    let request = inet::list(family, protocol).extensions(Extensions::ALL);
    let sockets = all(nl, request)?;
    Ok(sockets.into_iter().find(|socket| socket.header().inode == inode).ok_or("not listed")?)
}

fn every_requested_extension_is_sent() -> Result {
    let mut nl = connect()?;
    let (client, _server) = pair("[::1]:0")?;
    sys::set_number(&client, libc::IPPROTO_IP, libc::IP_TOS, 0x10)?;
    sys::set_number(&client, libc::IPPROTO_IPV6, libc::IPV6_TCLASS, 0x20)?;
    sys::set_number(&client, libc::SOL_SOCKET, libc::SO_MARK, 7)?;
    sys::set_number(&client, libc::IPPROTO_IP, libc::IP_FREEBIND, 1)?;
    client.shutdown(std::net::Shutdown::Write)?;
    let socket = told(&mut nl, Family::INET6, IpProtocol::TCP, inode(&client))?;
    assert_eq!((socket.tos(), socket.tclass()), (Some(0x10), Some(0x20)));
    assert_eq!(socket.mark(), Some(7));
    let shutdown = socket.shutdown().unwrap();
    assert!(shutdown.send());
    let memory = socket.memory().unwrap();
    assert!(memory.get(MemoryCounter::RCVBUF).unwrap() > 1000);
    assert_eq!(memory.get(MemoryCounter::DROPS), Some(0));
    assert_eq!(socket.meminfo().map(|memory| memory.receive), memory.get(MemoryCounter::RMEM_ALLOC));
    let name = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_congestion_control")?;
    assert!(socket.congestion().unwrap() == name.trim());
    assert!(socket.info().is_some() && socket.class_id().is_some());
    let options = socket.options().expect("Linux 5.10");
    assert!(options.is_icsk() && options.freebind() && !options.transparent());
    let text = serde_json::to_value(&socket)?;
    assert_eq!(text["source"], client.local_addr()?.to_string());
    assert_eq!(text["dest"], client.peer_addr()?.to_string());
    assert_eq!((&text["state"], text.get("id")), (&socket.state().to_string().into(), None));
    assert_eq!(text["options"]["freebind"], true);
    assert!(text["memory"]["rcvbuf"].as_u64().unwrap() > 1000);
    assert!(text["info"]["snd_mss"].as_u64().unwrap() > 0);
    Ok(())
}

fn only_the_usual_attributes_are_sent_by_default() -> Result {
    let mut nl = connect()?;
    let (client, _server) = pair("127.0.0.1:0")?;
    let request = inet::list(Family::INET, IpProtocol::TCP).states(State::ESTABLISHED);
    let socket = all(&mut nl, request)?.remove(0);
    assert!(socket.info().is_none() && socket.memory().is_none() && socket.congestion().is_none());
    assert!(socket.shutdown().is_some());
    let one = inet::get(IpProtocol::TCP, client.local_addr()?, client.peer_addr()?);
    let socket = nl.call(one.extensions(Extension::CONG | Extension::TOS))?;
    assert!(socket.congestion().is_some() && socket.tos().is_some() && socket.info().is_none());
    Ok(())
}

fn tcp_info_describes_the_connection() -> Result {
    let mut nl = connect()?;
    let (mut client, server) = pair("127.0.0.1:0")?;
    client.write_all(&[0; 5000])?;
    let mut socket = told(&mut nl, Family::INET, IpProtocol::TCP, inode(&client))?;
    for _ in 0..100 {
        // Acknowledgements can be late.
        if socket.info().unwrap().tcp().unwrap().bytes_acked.unwrap() >= 5000 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
        socket = told(&mut nl, Family::INET, IpProtocol::TCP, inode(&client))?;
    }
    let info = socket.info().unwrap();
    let tcp = info.tcp().unwrap();
    assert_eq!((tcp.state, tcp.ca_state), (State::ESTABLISHED, CongestionState::OPEN));
    // The SYN counts as a byte.
    assert_eq!((tcp.bytes_sent, tcp.bytes_acked), (Some(5000), Some(5001)));
    assert!(tcp.rtt > 0 && tcp.snd_cwnd > 0 && tcp.rto >= 200_000);
    assert_eq!(tcp.total_rto.is_some(), info.0.len() >= 248);
    assert_eq!(tcp.received_ce.is_some(), info.0.len() >= 280);
    let peer = told(&mut nl, Family::INET, IpProtocol::TCP, inode(&server))?;
    assert_eq!(peer.info().unwrap().tcp().unwrap().bytes_received, Some(5000));
    assert_eq!(peer.header().receive_queue, 5000);
    Ok(())
}

fn with_congestion_control(name: &str) -> Result<InetSocket<'static>> {
    let mut nl = connect()?;
    let (mut client, _server) = pair("127.0.0.1:0")?;
    sys::set(&client, TCP, libc::TCP_CONGESTION, name.as_bytes())?;
    client.write_all(&[0; 1000])?;
    let socket = told(&mut nl, Family::INET, IpProtocol::TCP, inode(&client))?;
    assert!(socket.congestion().unwrap() == name);
    Ok(socket)
}

fn congestion_control_vegas() -> Result {
    let socket = with_congestion_control("vegas")?;
    assert_eq!(socket.vegas().unwrap().enabled, 1);
    Ok(())
}

fn congestion_control_dctcp() -> Result {
    let mut nl = connect()?;
    // Without ECN from the beginning it would be reno.
    std::fs::write("/proc/sys/net/ipv4/tcp_ecn", "1")?;
    let open = || -> Result<Raw> {
        let socket = Raw::open(libc::AF_INET, libc::SOCK_STREAM, 0)?;
        sys::set(&socket, TCP, libc::TCP_CONGESTION, b"dctcp")?;
        Ok(socket)
    };
    let (listener, client) = (open()?, open()?);
    listener.bind(&ipv4(5000, [127, 0, 0, 1]))?;
    listener.listen(1)?;
    client.connect(&ipv4(5000, [127, 0, 0, 1]))?;
    let socket = told(&mut nl, Family::INET, IpProtocol::TCP, inode(&client))?;
    let dctcp = socket.dctcp().unwrap();
    // Initially all bytes count as marked.
    assert_eq!((dctcp.enabled, dctcp.ce_state, dctcp.alpha), (1, 0, 1024));
    let info = socket.info().unwrap().tcp().unwrap();
    assert!(info.options.contains(TcpOptions::ECN));
    Ok(())
}

fn congestion_control_bbr() -> Result {
    let bbr = with_congestion_control("bbr")?.bbr().unwrap();
    // 2885/1000 at the beginning.
    assert_eq!(bbr.pacing_gain, 739);
    assert!(bbr.bandwidth() < 1 << 50);
    Ok(())
}

/// `struct tcp_md5sig`.
fn md5_key(ip: [u8; 4], key: &[u8]) -> Vec<u8> {
    let mut bytes = ipv4(0, ip);
    bytes.resize(216, 0);
    bytes[130..132].copy_from_slice(&u16::try_from(key.len()).unwrap().to_ne_bytes());
    bytes[136..136 + key.len()].copy_from_slice(key);
    bytes
}

fn md5_keys() -> Result {
    let mut nl = connect()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    sys::set(&listener, TCP, libc::TCP_MD5SIG, &md5_key([127, 0, 0, 9], b"one"))?;
    sys::set(&listener, TCP, libc::TCP_MD5SIG, &md5_key([127, 0, 0, 10], b"another"))?;
    let socket = told(&mut nl, Family::INET, IpProtocol::TCP, inode(&listener))?;
    let keys = socket.md5_keys().unwrap();
    let mut keys: Vec<_> = keys.iter().map(|key| (key.address().to_string(), key.key().to_vec())).collect();
    keys.sort();
    let wanted = [("127.0.0.10", b"another".to_vec()), ("127.0.0.9", b"one".to_vec())];
    assert_eq!(keys, wanted.map(|(ip, key)| (ip.to_owned(), key)));
    Ok(())
}

fn tls_on_top_of_tcp() -> Result {
    const SOL_TLS: i32 = 282;
    const TLS_TX: i32 = 1;
    let mut nl = connect()?;
    let (client, _server) = pair("127.0.0.1:0")?;
    sys::set(&client, TCP, libc::TCP_ULP, b"tls")?;
    // struct tls12_crypto_info_aes_gcm_128
    let mut keys = [TlsVersion::TLS_1_2.0, TlsCipher::AES_GCM_128.0].map(u16::to_ne_bytes).concat();
    keys.resize(40, 7);
    sys::set(&client, SOL_TLS, TLS_TX, &keys)?;
    let socket = told(&mut nl, Family::INET, IpProtocol::TCP, inode(&client))?;
    let ulp = socket.ulp().unwrap();
    assert!(ulp.name().unwrap() == "tls");
    let tls = ulp.tls().unwrap();
    assert_eq!((tls.version(), tls.cipher()), (Some(TlsVersion::TLS_1_2), Some(TlsCipher::AES_GCM_128)));
    assert_eq!((tls.tx_conf(), tls.rx_conf()), (Some(TlsConf::SW), Some(TlsConf::BASE)));
    Ok(())
}

fn mptcp_and_its_subflows() -> Result {
    let mut nl = connect()?;
    let open = || Raw::open(libc::AF_INET, libc::SOCK_STREAM, 262);
    let (listener, client) = (open()?, open()?);
    listener.bind(&ipv4(5001, [127, 0, 0, 1]))?;
    listener.listen(1)?;
    client.connect(&ipv4(5001, [127, 0, 0, 1]))?;
    let server = listener.accept()?;
    let socket = told(&mut nl, Family::INET, IpProtocol::MPTCP, inode(&client))?;
    let info = socket.info().unwrap().mptcp().unwrap();
    assert!(!info.flags.contains(MptcpInfoFlags::FALLBACK), "{info:?}");
    let mut found = nl.call(inet::get_mptcp(Family::INET, info.token).extensions(Extension::INFO))?;
    assert_eq!((found.header().inode, found.source()), (inode(&client), socket.source()));
    found =
        nl.call(inet::get(IpProtocol::TCP, socket.source(), socket.dest()).extensions(Extension::INFO))?;
    let ulp = found.ulp().unwrap();
    assert!(ulp.name().unwrap() == "mptcp");
    let subflow = ulp.mptcp().unwrap();
    assert_eq!(subflow.token_loc(), Some(info.token));
    assert!(subflow.flags().unwrap().contains(SubflowFlags::MCAP_LOC | SubflowFlags::CONNECTED));
    assert!(nl.call(inet::get_mptcp(Family::INET, !info.token)).unwrap_err().is_not_found());
    drop(server);
    Ok(())
}

fn sctp_associations() -> Result {
    let mut nl = connect()?;
    let open = || Raw::open(libc::AF_INET, libc::SOCK_STREAM, 132);
    let (listener, client) = (open()?, open()?);
    listener.bind(&ipv4(5000, [127, 0, 0, 1]))?;
    listener.listen(1)?;
    client.connect(&ipv4(5000, [127, 0, 0, 1]))?;
    let server = listener.accept()?;
    // First the socket itself, then its association.
    let request = inet::list(Family::INET, IpProtocol::SCTP).extensions(Extensions::ALL);
    let mut sockets = all(&mut nl, request)?;
    sockets.retain(|socket| socket.header().inode == inode(&server));
    let [alone, socket] = &sockets[..] else { panic!("{sockets:#?}") };
    assert!(alone.peers().is_none() && alone.state() == State::ESTABLISHED);
    let addresses = |list: netlink_core::Array<'_, inet::SockAddr>| -> Vec<String> {
        list.iter().map(|address| address.to_string()).collect()
    };
    assert_eq!(addresses(socket.locals().unwrap()), ["127.0.0.1:5000"]);
    let peer = socket.dest();
    assert_eq!(addresses(socket.peers().unwrap()), [peer.to_string()]);
    let info = socket.info().unwrap();
    assert_eq!(info.0.len(), 368);
    let sctp = info.sctp().unwrap();
    assert_eq!(sctp.primary_address.addr(), Some(peer));
    assert!(sctp.tag != 0 && sctp.peer_tag != 0 && sctp.in_streams > 0);
    let found = nl.call(inet::get(IpProtocol::SCTP, socket.source(), peer))?;
    assert_eq!(found.header().inode, inode(&server));
    Ok(())
}

fn bpf_storages_can_be_requested() -> Result {
    let mut nl = connect()?;
    let (client, _server) = pair("127.0.0.1:0")?;
    let request = inet::list(Family::INET, IpProtocol::TCP).bpf_storages(BpfStorageQuery::new());
    let sockets = all(&mut nl, request)?;
    let socket = sockets.iter().find(|socket| socket.header().inode == inode(&client)).unwrap();
    let storages = socket.bpf_storages().and_then(|storages| Some(storages.storages()?.iter().count()));
    assert!(storages.is_none(), "no program keeps anything in this socket");
    let no_map = BpfStorageQuery::new().map_fds(&[u32::MAX >> 1]);
    let request = inet::list(Family::INET, IpProtocol::TCP).bpf_storages(no_map);
    assert!(listed(&mut nl, request, |_| ()).is_err());
    Ok(())
}
