//! What a socket promises about time, signals, descriptors and whom it hears.

use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::*;
use crate::message::Protocol;

const SHORT: Duration = Duration::from_millis(150);

/// A socket as C programs have it, without a port.
fn raw(protocol: Protocol) -> OwnedFd {
    // SAFETY: no pointers.
    let fd = unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, protocol.0) };
    assert!(fd >= 0);
    // SAFETY: `socket` just returned it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

extern "C" fn nothing(_: i32) {}

/// Sends the calling thread a signal every 20 ms while `body` runs.
fn under_signals(body: impl FnOnce()) {
    // SAFETY: all zeros is a valid sigaction; the handler does nothing, and is not restarting.
    unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        action.sa_sigaction = nothing as extern "C" fn(i32) as usize;
        assert_eq!(libc::sigaction(libc::SIGUSR2, &raw const action, std::ptr::null_mut()), 0);
    }
    // SAFETY: no pointers.
    let reader = unsafe { libc::pthread_self() };
    let (stop, stopped) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while stopped.recv_timeout(Duration::from_millis(20)) == Err(mpsc::RecvTimeoutError::Timeout) {
                // SAFETY: the thread waits for this scope to end.
                unsafe { libc::pthread_kill(reader, libc::SIGUSR2) };
            }
        });
        body();
        drop(stop);
    });
}

#[test]
fn a_limit_of_time_comes_through_signals() {
    // F7, S-M1.
    let mut socket = Socket::open(Protocol::ROUTE).unwrap();
    socket.set_receive_timeout(Some(SHORT)).unwrap();
    for stop in [false, true] {
        let handle = stop.then(|| socket.stop_handle().unwrap());
        under_signals(|| {
            let begun = Instant::now();
            let error = socket.receive(&mut [0; 64]).unwrap_err();
            assert_eq!(error.errno(), Some(Errno::EAGAIN), "{error}");
            let waited = begun.elapsed();
            assert!(waited >= SHORT && waited < 10 * SHORT, "{waited:?}");
        });
        drop(handle);
    }
}

#[test]
fn a_signal_ends_no_wait() {
    let socket = Socket::open(Protocol::USERSOCK).unwrap();
    let sender = Socket::open(Protocol::USERSOCK).unwrap();
    under_signals(|| {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(SHORT);
                sender.send_to(b"late", socket.port(), 0).unwrap();
            });
            assert_eq!(socket.receive(&mut [0; 64]).unwrap().length, 4);
        });
    });
}

#[test]
fn a_deadline_is_one_for_all_that_comes_in_between() {
    // S-H2.
    let socket = Socket::open(Protocol::USERSOCK).unwrap();
    let sender = Socket::open(Protocol::USERSOCK).unwrap();
    socket.set_receive_timeout(Some(SHORT)).unwrap();
    let mut deadline = Deadline::new(Some(SHORT));
    let begun = Instant::now();
    let error = loop {
        sender.send_to(b"noise", socket.port(), 0).unwrap();
        std::thread::sleep(Duration::from_millis(10));
        if let Err(error) = socket.receive_before(&mut [0; 64], &mut deadline) {
            break error;
        }
    };
    assert!(matches!(error, Error::Timeout(SHORT)), "{error}");
    assert!(begun.elapsed() >= SHORT && begun.elapsed() < 10 * SHORT);
    deadline.renew();
    sender.send_to(b"news", socket.port(), 0).unwrap();
    assert!(socket.receive_before(&mut [0; 64], &mut deadline).is_ok());
}

#[test]
fn no_time_at_all_is_not_for_ever() {
    let socket = Socket::open(Protocol::ROUTE).unwrap();
    socket.set_receive_timeout(Some(Duration::ZERO)).unwrap();
    assert_eq!(socket.receive(&mut [0; 64]).unwrap_err().errno(), Some(Errno::EAGAIN));
    assert!(socket.receive_timeout().unwrap().is_some());
    socket.set_receive_timeout(None).unwrap();
    assert_eq!(socket.receive_timeout().unwrap(), None);
    // S-L3: and much of it is not too much.
    let long = Duration::from_secs(u64::MAX);
    let mut socket = socket;
    let _ = socket.set_receive_timeout(Some(long));
    let stop = socket.stop_handle().unwrap();
    stop.stop();
    assert!(matches!(socket.receive(&mut [0; 64]), Err(Error::Stopped)));
    assert!(matches!(
        socket.receive_before(&mut [0; 64], &mut Deadline::new(Some(long))),
        Err(Error::Stopped)
    ));
}

#[test]
fn a_socket_that_does_not_wait_waits_for_a_deadline_only() {
    // F12, S-L2.
    let socket = OpenOptions::new().nonblocking().open(Protocol::ROUTE).unwrap();
    let begun = Instant::now();
    assert_eq!(socket.receive(&mut [0; 64]).unwrap_err().errno(), Some(Errno::EAGAIN));
    assert!(begun.elapsed() < SHORT);
    let waited = socket.receive_before(&mut [0; 64], &mut Deadline::new(Some(SHORT)));
    assert!(matches!(waited, Err(Error::Timeout(SHORT))));
    assert!(begun.elapsed() >= SHORT);
    // One that was taken over is known for it, too.
    let taken = Socket::try_from(OwnedFd::from(socket)).unwrap();
    assert_eq!(taken.receive(&mut [0; 64]).unwrap_err().errno(), Some(Errno::EAGAIN));
}

#[test]
fn a_stop_wins_over_what_waits() {
    let mut socket = Socket::open(Protocol::USERSOCK).unwrap();
    let sender = Socket::open(Protocol::USERSOCK).unwrap();
    let stop = socket.stop_handle().unwrap();
    sender.send_to(b"there", socket.port(), 0).unwrap();
    stop.stop();
    assert!(matches!(socket.receive(&mut [0; 64]), Err(Error::Stopped)));
    assert!(matches!(socket.receive(&mut [0; 64]), Err(Error::Stopped)), "and stays so");
    assert_eq!(socket.try_receive(&mut [0; 64]).unwrap().length, 5);
}

#[test]
fn two_threads_wait_for_one_datagram_and_the_other_goes_on_waiting() {
    // S-L6: who loses the race has not waited its time yet.
    let mut socket = Socket::open(Protocol::USERSOCK).unwrap();
    let _stop = socket.stop_handle().unwrap();
    let sender = Socket::open(Protocol::USERSOCK).unwrap();
    socket.set_receive_timeout(Some(Duration::from_secs(20))).unwrap();
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..4).map(|_| scope.spawn(|| socket.receive(&mut [0; 64]))).collect();
        for _ in 0..4 {
            std::thread::sleep(Duration::from_millis(20));
            sender.send_to(b"one", socket.port(), 0).unwrap();
        }
        for reader in readers {
            assert_eq!(reader.join().unwrap().unwrap().length, 3);
        }
    });
}

#[test]
fn nobody_but_the_kernel_is_heard() {
    // S-H3.
    let socket = Socket::open(Protocol::ROUTE).unwrap();
    let stranger = Socket::try_from(raw(Protocol::ROUTE)).unwrap();
    let refused = stranger.send_to(&[0; 16], socket.port(), 0).unwrap_err();
    assert_eq!(refused.errno(), Some(Errno::ECONNREFUSED));
    let open = Socket::try_from(raw(Protocol::ROUTE)).unwrap();
    stranger.send_to(&[0; 16], open.port(), 0).unwrap();
    assert_eq!(open.try_receive(&mut [0; 64]).unwrap().sender.port, stranger.port());
}

#[test]
fn a_socket_without_a_port_is_bound_when_it_is_taken_over() {
    // S-L1.
    let socket = Socket::try_from(raw(Protocol::GENERIC)).unwrap();
    assert_ne!(socket.port(), 0);
    assert_eq!(socket.protocol().unwrap(), Protocol::GENERIC);
    let file = std::fs::File::open("/proc/self/status").unwrap();
    assert_eq!(Socket::try_from(OwnedFd::from(file)).unwrap_err().errno(), Some(Errno(libc::ENOTSOCK)));
    let (pipe, _other) = std::os::unix::net::UnixStream::pair().unwrap();
    let error = Socket::try_from(OwnedFd::from(pipe)).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EAFNOSUPPORT), "{error}");
}

#[test]
fn the_switches_of_a_socket_that_is_taken_over_are_known() {
    let first = Socket::open(Protocol::ROUTE).unwrap();
    first.set(Switch::PACKET_INFO, true).unwrap();
    first.set(Switch::NO_ENOBUFS, true).unwrap();
    let taken = Socket::try_from(OwnedFd::from(first)).unwrap();
    assert!(taken.ancillary.load(Ordering::Relaxed) && taken.is_silent());
    taken.set(Switch::NO_ENOBUFS, false).unwrap();
    assert!(!taken.is_silent());
    let plain = Socket::try_from(OwnedFd::from(Socket::open(Protocol::ROUTE).unwrap())).unwrap();
    assert!(!plain.ancillary.load(Ordering::Relaxed) && !plain.is_silent());
}

#[test]
fn a_group_that_somebody_else_joined_is_told_too() {
    // S-X: an address has room for 32.
    let socket = Socket::try_from(raw(Protocol::ROUTE)).unwrap();
    let join =
        |group: u32| socket.set_option(libc::SOL_NETLINK, libc::NETLINK_ADD_MEMBERSHIP, &group, "join");
    for (group, told) in [(1, false), (33, true)] {
        join(group).unwrap();
        socket.tell_groups().unwrap();
        assert_eq!(socket.get(Switch::PACKET_INFO).unwrap(), told);
    }
}

#[test]
fn descriptors_are_closed_in_programs_that_are_started() {
    let mut socket = Socket::open(Protocol::ROUTE).unwrap();
    let stop = socket.stop_handle().unwrap();
    let flags = |fd, command| {
        // SAFETY: no pointers.
        unsafe { libc::fcntl(fd, command) }
    };
    for fd in [socket.as_raw_fd(), stop.0.as_raw_fd()] {
        assert_eq!(flags(fd, libc::F_GETFD) & libc::FD_CLOEXEC, libc::FD_CLOEXEC);
    }
    assert_eq!(flags(stop.0.as_raw_fd(), libc::F_GETFL) & libc::O_NONBLOCK, libc::O_NONBLOCK);
    // A handle that was stopped as often as its counter can hold does not wait for it.
    for _ in 0..3 {
        stop.stop();
    }
}

#[test]
fn what_found_no_room_is_counted() {
    let socket = Socket::open(Protocol::ROUTE).unwrap();
    socket.set(Switch::NO_ENOBUFS, true).unwrap();
    let room = socket.set_receive_buffer(0).unwrap();
    assert_eq!(socket.drops().unwrap(), 0);
    // Each is answered with an error.
    let mut request = [20u32.to_ne_bytes(), [0xff; 4], [7; 4], [0; 4], [0; 4]].concat();
    request[6..8].copy_from_slice(&1u16.to_ne_bytes());
    for _ in 0..50 {
        socket.send(&request).unwrap();
    }
    let drops = socket.drops().unwrap();
    assert!(drops > 0 && drops < 50, "{drops}");
    // SAFETY: no pointers.
    let may = unsafe { libc::geteuid() } == 0;
    assert_eq!(socket.widen_receive_buffer(room, 4096), may);
    assert_eq!(socket.receive_buffer().unwrap(), if may { room + 4096 } else { room });
}
