//! The socket: options, addresses, waiting.

use std::time::{Duration, Instant};

use netlink_core::socket::{BpfInstruction, Switch};
use netlink_core::{Errno, Error, OpenOptions, Protocol, Socket};
use netlink_testing::{Result, kernel, suite};

use crate::connect;

suite! {
    every_switch_can_be_set_and_read;
    groups_of_any_number;
    buffers_grow;
    a_port_of_choice;
    a_filter_is_attached_detached_and_locked;
    an_unaligned_datagram_arrives_whole;
    a_short_buffer_is_reported;
    a_receive_ends_in_time;
    a_reader_is_stopped_from_another_thread;
    a_descriptor_is_taken_over;
    the_group_of_a_datagram_is_reported;
    a_group_above_32_is_reported: kernel(6, 14);
    a_group_out_of_reach_is_refused;
}

fn talker() -> Result<Socket, Error> {
    Socket::open(Protocol::USERSOCK)
}

fn every_switch_can_be_set_and_read() -> Result {
    let socket = Socket::open(Protocol::ROUTE)?;
    for switch in [
        Switch::PACKET_INFO,
        Switch::BROADCAST_ERROR,
        Switch::NO_ENOBUFS,
        Switch::CAP_ACK,
        Switch::EXT_ACK,
        Switch::STRICT_CHECK,
    ] {
        for on in [true, false, true] {
            socket.set(switch, on)?;
            assert_eq!(socket.get(switch)?, on, "{switch}");
        }
    }
    match socket.set(Switch::LISTEN_ALL_NSID, true) {
        // It requires CAP_NET_BROADCAST in the initial user namespace.
        Err(error) => assert!(error.is_permission(), "{error}"),
        Ok(()) => match socket.get(Switch::LISTEN_ALL_NSID) {
            Ok(on) => assert!(on),
            Err(error) => assert!(error.is_unsupported(), "{error}"),
        },
    }
    Ok(())
}

fn groups_of_any_number() -> Result {
    let socket = Socket::open(Protocol::ROUTE)?;
    assert!(socket.memberships()?.is_empty());
    // The groups of Linux 5.10 end with 33.
    let has_more = Socket::open(Protocol::ROUTE)?.join(36).is_ok();
    let groups = if has_more { [1, 32, 33, 36] } else { [1, 31, 32, 33] };
    for group in groups {
        socket.join(group)?;
        // A sender's address has space for 32.
        assert_eq!(socket.get(Switch::PACKET_INFO)?, group > 32);
    }
    assert_eq!(socket.memberships()?, groups);
    socket.leave(33)?;
    assert_eq!(socket.memberships()?, groups.into_iter().filter(|group| *group != 33).collect::<Vec<_>>());
    assert!(socket.join(100_000).is_err());
    Ok(())
}

fn buffers_grow() -> Result {
    let socket = talker()?;
    let before = socket.receive_buffer()?;
    assert!(socket.set_receive_buffer(before)? >= before);
    assert_eq!(socket.set_send_buffer(65_536)?, 131_072);
    assert_eq!(socket.send_buffer()?, 131_072);
    Ok(())
}

fn a_port_of_choice() -> Result {
    let first = OpenOptions::new().port(4242).open(Protocol::ROUTE)?;
    assert_eq!(first.port(), 4242);
    let second = OpenOptions::new().port(4242).open(Protocol::ROUTE);
    assert_eq!(second.unwrap_err().errno(), Some(Errno::EADDRINUSE));
    Ok(())
}

fn a_filter_is_attached_detached_and_locked() -> Result {
    let socket = talker()?;
    // `BPF_RET | BPF_K`: accept no byte, so drop the message.
    let drop_all = [BpfInstruction { code: 0x06, jump_true: 0, jump_false: 0, operand: 0 }];
    let mut buffer = [0; 16];
    socket.attach_filter(&drop_all)?;
    socket.send_to(b"dropped", socket.port(), 0)?;
    assert_eq!(socket.try_receive(&mut buffer).unwrap_err().errno(), Some(Errno::EAGAIN));
    socket.detach_filter()?;
    assert!(socket.detach_filter().unwrap_err().is_not_found());
    socket.send_to(b"taken", socket.port(), 0)?;
    assert_eq!(socket.try_receive(&mut buffer)?.length, 5);
    socket.lock_filter()?;
    assert!(socket.attach_filter(&drop_all).unwrap_err().is_permission());
    Ok(())
}

fn an_unaligned_datagram_arrives_whole() -> Result {
    let socket = talker()?;
    let sent: Vec<u8> = (0..133).collect();
    socket.send_to(&sent, socket.port(), 0)?;
    let mut buffer = [0; 256];
    let received = socket.receive(&mut buffer)?;
    assert_eq!(buffer[..received.length], sent);
    assert_eq!((received.sender.port, received.sender.group), (socket.port(), 0));
    Ok(())
}

fn a_short_buffer_is_reported() -> Result {
    let socket = talker()?;
    socket.send_to(&[7; 100], socket.port(), 0)?;
    let mut buffer = [0; 10];
    assert_eq!(socket.receive(&mut buffer)?.length, 100);
    Ok(())
}

/// vishvananda 43
fn a_receive_ends_in_time() -> Result {
    let socket = talker()?;
    for timeout in [1, 1_000, 20_000, 200_000].map(Duration::from_micros) {
        socket.set_receive_timeout(Some(timeout))?;
        let start = Instant::now();
        assert_eq!(socket.receive(&mut [0; 16]).unwrap_err().errno(), Some(Errno::EAGAIN));
        // The timer and the clock of an emulated machine differ slightly.
        assert!(start.elapsed() + Duration::from_millis(10) >= timeout);
    }
    Ok(())
}

/// vishvananda 43
fn a_reader_is_stopped_from_another_thread() -> Result {
    let mut socket = talker()?;
    let stop = socket.stop_handle()?;
    socket.send_to(b"one", socket.port(), 0)?;
    let reader = std::thread::spawn(move || {
        let first = socket.receive(&mut [0; 16]).map(|received| received.length);
        (first.unwrap_or(0), socket.receive(&mut [0; 16]).unwrap_err(), socket.receive(&mut [0; 16]).is_err())
    });
    std::thread::sleep(Duration::from_millis(50));
    stop.stop();
    let (first, error, still_stopped) = reader.join().expect("the reader does not panic");
    assert_eq!(first, 3);
    assert!(matches!(error, Error::Stopped), "{error}");
    assert!(still_stopped);
    Ok(())
}

fn a_descriptor_is_taken_over() -> Result {
    let socket = OpenOptions::new().port(777).open(Protocol::ROUTE)?;
    let fd = std::os::fd::OwnedFd::from(socket);
    assert_eq!(Socket::try_from(fd)?.port(), 777);
    let file = std::fs::File::open("/dev/null")?;
    assert!(Socket::try_from(std::os::fd::OwnedFd::from(file)).is_err());
    Ok(())
}

fn the_group_of_a_datagram_is_reported() -> Result {
    let listener = talker()?;
    listener.join(3)?;
    let speaker = talker()?;
    for switched in [false, true] {
        // After the group, the port is used: the sender's own, because no kernel listens here.
        speaker.send_to(b"hi", speaker.port(), 3)?;
        let received = listener.receive(&mut [0; 16])?;
        assert_eq!((received.sender.port, received.sender.group), (speaker.port(), 3));
        assert_eq!(listener.get(Switch::PACKET_INFO)?, switched);
        listener.set(Switch::PACKET_INFO, true)?;
    }
    Ok(())
}

fn a_group_above_32_is_reported() -> Result {
    // S-X: RTNLGRP_IPV4_MCADDR. A link that is up takes what is sent to all hosts.
    const IPV4_MCADDR: u32 = 37;
    let listener = Socket::open(Protocol::ROUTE)?;
    listener.join(IPV4_MCADDR)?;
    connect()?;
    let received = listener.receive(&mut [0; 256])?;
    assert_eq!((received.sender.port, received.sender.group), (0, IPV4_MCADDR));
    Ok(())
}

fn a_group_out_of_reach_is_refused() -> Result {
    let socket = talker()?;
    assert_eq!(socket.send_to(b"hi", 0, 33).unwrap_err().errno(), Some(Errno::EINVAL));
    Ok(())
}
