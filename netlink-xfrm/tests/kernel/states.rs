//! States: the values that were set are read back.

use netlink_core::Dump;
use netlink_testing::{Result, is_since, kernel, module, suite};
use netlink_xfrm::algo::{Aead, Algo, Auth};
use netlink_xfrm::state::{
    self, AsyncEventFlags, Encap, ExtraFlags, Lifetime, ListRequest, Mark, Mode, Offload, Proto, Replay,
    ReplayEsn, SecurityContext, Selector, State, StateFlags, StateRequest, Usage,
};
use netlink_xfrm::{Connection, Errno, Error, Prefix, connect};

use crate::{ESP4, ESP6, KEY, ip, states};

suite! {
    a_state_is_added_read_and_deleted: ESP4, ESP6;
    an_ipv6_address_that_ends_in_zeros_stays_one: ESP6;
    every_kind_of_algorithm_reads_back: ESP4, module("ah4"), module("ipcomp");
    every_attribute_reads_back: ESP4;
    lifetimes_of_zero_are_not_sent_by_default: ESP4;
    replay_windows_of_any_size_read_back: ESP4;
    an_spi_is_allocated_within_its_range_and_completed: ESP4;
    limits_are_updated: ESP4;
    lists_are_filtered_by_the_kernel: ESP4, ESP6, module("ah4");
    a_flush_deletes_one_protocol: ESP4, module("ah4");
    counters_are_queried_and_set: ESP4;
    a_mark_distinguishes_states: ESP4;
    bad_algorithms_are_named: ESP4;
    other_errors_name_no_algorithm: ESP4;
    a_copy_equals_the_original: ESP4;
    bad_values_are_errors: ESP4;
    mobile_ip_states_have_no_spi: module("mip6");
    a_direction_reads_back: ESP4, kernel(6, 10);
    a_keepalive_reads_back: ESP4, kernel(6, 11);
    states_per_cpu_read_back: ESP4, kernel(6, 13);
    iptfs_reads_back: ESP4, kernel(6, 14), module("xfrm_iptfs");
    one_state_moves: ESP4, kernel(7, 2);
}

fn aead() -> Aead<'static> {
    Aead::rfc4106_gcm_aes(&KEY, 128)
}

/// An ESP state between two IPv4 hosts.
fn esp(spi: u32) -> StateRequest<()> {
    state::add(ip("10.0.0.1"), ip("10.0.0.2"), Proto::ESP, spi).alg_aead(aead())
}

/// Makes a state and reads it.
fn made(nl: &mut Connection, request: StateRequest<()>) -> Result<State<'static>> {
    nl.call(&request)?;
    let mut header = state::StateInfo::default();
    drop(request.header(|made| header = *made));
    Ok(nl.call(state::get(header.id.daddr.ip().unwrap(), header.id.proto, header.id.spi.0))?)
}

/// vishvananda 39: TestXfrmStateAddGetDel, of both families and of one in the other.
fn a_state_is_added_read_and_deleted() -> Result {
    let mut nl = connect()?;
    let (v4, v6) = (["10.0.0.1", "10.0.0.2"], ["2001:db8::1", "2001:db8::2"]);
    for (outer, inner) in [(v4, v4), (v6, v6), (v6, v4), (v4, v6)] {
        let ([source, destination], [from, to]) = (outer.map(ip), inner.map(ip));
        let selector = Selector::new(from, to);
        let request = state::add(source, destination, Proto::ESP, 0xc001)
            .mode(Mode::TUNNEL)
            .reqid(7)
            .selector(selector)
            .alg_crypt(Algo::cbc_aes(&[7; 16]))
            .alg_auth_trunc(Auth::hmac_sha256(&[8; 32], 128));
        let state = made(&mut nl, request.clone())?;
        assert_eq!((state.source(), state.destination()), (Some(source), Some(destination)));
        let info = state.header();
        assert_eq!(
            (info.id.proto, info.id.spi.0, info.reqid, info.mode),
            (Proto::ESP, 0xc001, 7, Mode::TUNNEL)
        );
        assert_eq!((info.sel, info.lft), (selector, Lifetime::UNLIMITED));
        assert_eq!((info.sel.source(), info.sel.destination()), (Some(from.into()), Some(to.into())));
        assert_eq!(state.alg_crypt(), Some(Algo::cbc_aes(&[7; 16])));
        assert_eq!(state.alg_auth_trunc(), Some(Auth::hmac_sha256(&[8; 32], 128)));
        assert_eq!(states(&mut nl)?, std::slice::from_ref(&state));
        assert!(nl.call(&request).unwrap_err().is_exists());
        nl.call(state::delete(destination, Proto::ESP, 0xc001))?;
        let gone = nl.call(state::get(destination, Proto::ESP, 0xc001)).unwrap_err();
        assert_eq!(gone.errno(), Some(Errno::ESRCH));
        assert!(nl.call(state::delete(destination, Proto::ESP, 0xc001)).unwrap_err().is_not_found());
        assert!(states(&mut nl)?.is_empty());
        // Printed text does not show the keys.
        let text = format!("{state} {state:?} {}", serde_json::to_string(&state)?);
        assert!(text.contains("<16 bytes>") && !text.contains("0707") && !text.contains("0808"), "{text}");
    }
    Ok(())
}

fn an_ipv6_address_that_ends_in_zeros_stays_one() -> Result {
    let mut nl = connect()?;
    let (source, destination) = (ip("2001:db8::"), ip("fc00::"));
    let selector = Selector::new(ip("2001:db8:1::"), ip("2001:db8:2::"));
    let request = state::add(source, destination, Proto::ESP, 1).alg_aead(aead()).selector(selector);
    let state = made(&mut nl, request)?;
    assert_eq!((state.source(), state.destination()), (Some(source), Some(destination)));
    assert_eq!(state.header().sel, selector);
    assert_eq!(state.header().sel.source().unwrap().to_string(), "2001:db8:1::/128");
    Ok(())
}

fn every_kind_of_algorithm_reads_back() -> Result {
    let mut nl = connect()?;
    let (here, there) = (ip("10.0.0.1"), ip("10.0.0.2"));
    let esp = |spi| state::add(here, there, Proto::ESP, spi);
    let plain = Algo::new("hmac(sha1)", &[3; 20]);
    let state = made(&mut nl, esp(1).alg_crypt(Algo::null()).alg_auth(plain))?;
    // The kernel adds the usual truncation.
    assert_eq!((state.alg_crypt(), state.alg_auth()), (Some(Algo::null()), Some(plain)));
    assert_eq!(state.alg_auth_trunc(), Some(Auth::hmac_sha1(&[3; 20], 96)));

    for (spi, auth) in [
        (2, Auth::hmac_sha1(&[1; 20], 160)),
        (3, Auth::hmac_sha256(&[1; 32], 128)),
        (4, Auth::hmac_sha384(&[1; 48], 192)),
        (5, Auth::hmac_sha512(&[1; 64], 256)),
    ] {
        let state = made(&mut nl, esp(spi).alg_crypt(Algo::cbc_aes(&[2; 32])).alg_auth_trunc(auth))?;
        assert_eq!(state.alg_auth_trunc(), Some(auth));
        assert_eq!(state.alg_crypt().unwrap().key.expose(), [2; 32]);
    }
    let ctr = Algo::rfc3686_ctr_aes(&[4; 20]);
    let sha = Auth::hmac_sha256(&[1; 32], 128);
    assert_eq!(made(&mut nl, esp(6).alg_crypt(ctr).alg_auth_trunc(sha))?.alg_crypt(), Some(ctr));
    for (spi, aead) in [
        (7, Aead::rfc4106_gcm_aes(&[1; 36], 64)),
        (8, Aead::rfc4106_gcm_aes(&[1; 28], 96)),
        (9, Aead::rfc4309_ccm_aes(&[1; 19], 128)),
        (10, Aead::rfc4543_gcm_aes(&[1; 20])),
        (11, Aead::rfc7539esp_chacha20_poly1305(&[1; 36])),
    ] {
        assert_eq!(made(&mut nl, esp(spi).alg_aead(aead))?.alg_aead(), Some(aead));
    }
    let ah = state::add(here, there, Proto::AH, 12).alg_auth_trunc(sha);
    assert_eq!(made(&mut nl, ah)?.alg_auth_trunc(), Some(sha));
    let comp = state::add(here, there, Proto::COMP, 13).alg_comp(Algo::deflate());
    assert_eq!(made(&mut nl, comp)?.alg_comp(), Some(Algo::deflate()));
    assert_eq!(nl.call(state::info())?.count(), Some(13));
    assert!(nl.call(state::info())?.table().unwrap().sadhcnt > 0);
    Ok(())
}

fn every_attribute_reads_back() -> Result {
    let mut nl = connect()?;
    let selector = Selector::new("10.1.0.0/16".parse::<Prefix>()?, "10.2.0.0/16".parse::<Prefix>()?)
        .proto(17)
        .source_port(5000)
        .destination_port(53)
        .ifindex(1);
    let lifetime = Lifetime::UNLIMITED
        .soft_byte_limit(1 << 40)
        .hard_byte_limit(1 << 41)
        .soft_packet_limit(1000)
        .hard_packet_limit(2000)
        .soft_add_expires_seconds(3000)
        .hard_add_expires_seconds(3600)
        .soft_use_expires_seconds(1800)
        .hard_use_expires_seconds(1900);
    let flags = StateFlags::NOECN | StateFlags::DECAP_DSCP | StateFlags::NOPMTUDISC | StateFlags::ICMP;
    let request = esp(0xffff_fffe)
        .mode(Mode::TUNNEL)
        .reqid(u32::MAX)
        .seq(9)
        .selector(selector)
        .lifetime(lifetime)
        .flags(flags)
        .replay_window(32)
        .encap(Encap::udp(4500, 4501).oa(ip("192.0.2.9")))
        .tfcpad(128)
        .mark(Mark::new(0x10, 0xff))
        .set_mark(0x20)
        .set_mark_mask(0xf0)
        .if_id(77)
        .extra_flags(ExtraFlags::DONT_ENCAP_DSCP)
        .coaddr(ip("192.0.2.7"))
        .mtimer_thresh(11)
        .replay_thresh(5)
        .etimer_thresh(6);
    nl.call(&request)?;
    let key = state::get(ip("10.0.0.2"), Proto::ESP, 0xffff_fffe);
    let state = nl.call(key.mark(Mark::new(0x10, u32::MAX)))?;
    let info = state.header();
    assert_eq!((info.sel, info.lft, info.flags), (selector, lifetime, flags));
    assert_eq!((info.reqid, info.seq, info.replay_window), (u32::MAX, 9, 32));
    assert_eq!((info.curlft.bytes, info.curlft.use_time), (0, 0));
    assert!(info.curlft.add_time > 1_600_000_000);
    let encap = state.encap().unwrap();
    assert_eq!((encap.sport.0, encap.dport.0, encap.oa.ip()), (4500, 4501, Some(ip("192.0.2.9"))));
    assert_eq!((state.tfcpad(), state.if_id()), (Some(128), Some(77)));
    assert_eq!(state.mark(), Some(Mark::new(0x10, 0xff)));
    // vishvananda 39: TestXfrmStateWithOutputMarkAndMask.
    assert_eq!((state.set_mark(), state.set_mark_mask()), (Some(0x20), Some(0xf0)));
    assert_eq!(state.extra_flags(), Some(ExtraFlags::DONT_ENCAP_DSCP));
    assert_eq!(state.coaddr(), Some(ip("192.0.2.7")));
    assert_eq!(state.mtimer_thresh(), Some(11));
    assert_eq!(state.replay_val(), Some(Replay::default()));
    assert_eq!((state.unknown().count(), state.sec_ctx()), (0, None));
    // An output mark without a mask sets all of it.
    assert_eq!(made(&mut nl, esp(2).set_mark(0x11))?.set_mark_mask(), Some(u32::MAX));
    let flags = ExtraFlags::OSEQ_MAY_WRAP;
    assert_eq!(made(&mut nl, esp(3).extra_flags(flags))?.extra_flags(), Some(flags));
    Ok(())
}

fn lifetimes_of_zero_are_not_sent_by_default() -> Result {
    let mut nl = connect()?;
    assert_eq!(made(&mut nl, esp(1))?.header().lft, Lifetime::UNLIMITED);
    let none = Lifetime::default();
    assert_eq!(made(&mut nl, esp(2).lifetime(none))?.header().lft, none);
    Ok(())
}

fn replay_windows_of_any_size_read_back() -> Result {
    let mut nl = connect()?;
    for (spi, window) in [(1, 0), (2, 1), (3, 32), (4, 33), (5, 128), (6, 4096)] {
        let state = made(&mut nl, esp(spi).replay_window(window))?;
        assert_eq!(state.replay_window(), Some(window));
        assert_eq!(state.replay_esn_val().is_some(), window > 32);
        assert!(!state.header().flags.contains(StateFlags::ESN));
    }
    for (spi, window) in [(11, 1), (12, 32), (13, 1000), (14, 4096)] {
        let state = made(&mut nl, esp(spi).esn(window))?;
        assert_eq!(state.replay_window(), Some(window));
        assert!(state.header().flags.contains(StateFlags::ESN));
        assert_eq!(state.replay_esn_val().unwrap().bitmap.len(), window.div_ceil(32) as usize);
    }
    let replay = ReplayEsn::new(64).sent(0x1_0000_0005).received(0x2_0000_0006).bitmap(&[7, 8]);
    let state = made(&mut nl, esp(21).flags(StateFlags::ESN).replay_esn_val(replay))?;
    assert_eq!(state.replay_esn_val(), Some(replay));
    let refused = nl.call(esp(22).esn(4097)).unwrap_err().to_string();
    assert!(refused.contains("4096") && refused.contains("XFRMA_REPLAY_ESN_VAL"), "{refused}");
    Ok(())
}

/// vishvananda 39: TestXfrmStateAllocSpi, here with a range.
fn an_spi_is_allocated_within_its_range_and_completed() -> Result {
    let mut nl = connect()?;
    let (here, there) = (ip("10.0.0.1"), ip("10.0.0.2"));
    let ask = |range| state::allocate_spi(here, there, Proto::ESP, range).mode(Mode::TUNNEL).reqid(3);
    let larval = nl.call(ask(0x1000..=0x1003))?;
    let spi = larval.header().id.spi.0;
    assert!((0x1000..=0x1003).contains(&spi), "{spi:#x}");
    assert_eq!((larval.source(), larval.destination()), (Some(here), Some(there)));
    assert_eq!((larval.header().reqid, larval.alg_aead()), (3, None));
    let only = nl.call(ask(0x2000..=0x2000).reqid(4))?.header().id.spi.0;
    assert_eq!(only, 0x2000);
    let taken = nl.call(ask(0x2000..=0x2000).reqid(5)).unwrap_err();
    assert!(matches!(taken.errno(), Some(Errno::ENOENT | Errno::ENOSPC)), "{taken}");
    #[allow(clippy::reversed_empty_ranges)]
    let empty = nl.call(ask(9..=8)).unwrap_err();
    assert_eq!(empty.errno(), Some(Errno::EINVAL));

    nl.call(state::update(here, there, Proto::ESP, spi).mode(Mode::TUNNEL).reqid(3).alg_aead(aead()))?;
    assert_eq!(nl.call(state::get(there, Proto::ESP, spi))?.alg_aead(), Some(aead()));
    let missing = state::update(here, there, Proto::ESP, 0x99).alg_aead(aead());
    assert_eq!(nl.call(missing).unwrap_err().errno(), Some(Errno::ESRCH));
    Ok(())
}

/// vishvananda 39: TestXfrmStateUpdateLimits.
fn limits_are_updated() -> Result {
    let mut nl = connect()?;
    let limits =
        |seconds| Lifetime::UNLIMITED.soft_add_expires_seconds(seconds).hard_add_expires_seconds(2 * seconds);
    assert_eq!(made(&mut nl, esp(1).lifetime(limits(600)))?.header().lft, limits(600));
    let update = state::update(ip("10.0.0.1"), ip("10.0.0.2"), Proto::ESP, 1).alg_aead(aead());
    nl.call(update.lifetime(limits(1200)))?;
    assert_eq!(nl.call(state::get(ip("10.0.0.2"), Proto::ESP, 1))?.header().lft, limits(1200));
    Ok(())
}

fn lists_are_filtered_by_the_kernel() -> Result {
    let mut nl = connect()?;
    let auth = Auth::hmac_sha256(&[1; 32], 128);
    nl.call(esp(1))?;
    nl.call(state::add(ip("10.0.1.1"), ip("10.0.1.2"), Proto::ESP, 2).alg_aead(aead()))?;
    nl.call(state::add(ip("10.0.0.1"), ip("10.0.0.2"), Proto::AH, 3).alg_auth_trunc(auth))?;
    nl.call(state::add(ip("2001:db8::1"), ip("2001:db8::2"), Proto::ESP, 4).alg_aead(aead()))?;
    let mut spis = |request: ListRequest<Dump<State<'static>>>| -> Result<Vec<u32>> {
        let items = nl.dump(request)?.collect()?;
        let mut spis: Vec<u32> = items.iter().map(|item| item.view().unwrap().header().id.spi.0).collect();
        spis.sort_unstable();
        Ok(spis)
    };
    assert_eq!(spis(state::list())?, [1, 2, 3, 4]);
    assert_eq!(spis(state::list().proto(Proto::AH))?, [3]);
    assert_eq!(spis(state::list().proto(Proto::ESP))?, [1, 2, 4]);
    let between = |source: &str, destination: &str| {
        let prefix = |text: &str| text.parse::<Prefix>().unwrap();
        state::list().between(prefix(source), prefix(destination))
    };
    let near = || between("10.0.0.0/24", "10.0.0.0/24");
    assert_eq!(spis(near())?, [1, 3]);
    assert_eq!(spis(near().proto(Proto::ESP))?, [1]);
    assert_eq!(spis(between("0.0.0.0/0", "10.0.1.2/32"))?, [2]);
    assert_eq!(spis(between("2001:db8::/32", "::/0"))?, [4]);
    assert!(spis(between("192.0.2.0/24", "0.0.0.0/0"))?.is_empty());
    Ok(())
}

fn a_flush_deletes_one_protocol() -> Result {
    let mut nl = connect()?;
    let ah = state::add(ip("10.0.0.1"), ip("10.0.0.2"), Proto::AH, 9);
    nl.call(ah.alg_auth_trunc(Auth::hmac_sha256(&[1; 32], 128)))?;
    assert!(nl.batch((1..100).map(esp)).iter().all(Result::is_ok));
    nl.call(state::flush(Proto::ESP))?;
    let left = states(&mut nl)?;
    assert_eq!((left.len(), left[0].header().id.proto), (1, Proto::AH));
    nl.call(esp(1))?;
    nl.call(state::flush(Proto::IPSEC))?;
    assert!(states(&mut nl)?.is_empty());
    nl.call(state::flush(Proto::IPSEC))?; // nothing there is no error
    Ok(())
}

fn counters_are_queried_and_set() -> Result {
    let mut nl = connect()?;
    let (there, both) =
        (ip("10.0.0.2"), AsyncEventFlags::REPLAY_THRESHOLD | AsyncEventFlags::TIMER_THRESHOLD);
    nl.call(esp(1).reqid(5).replay_thresh(3).etimer_thresh(6000))?;
    let event = nl.call(state::async_event(there, Proto::ESP, 1, both))?;
    let header = event.header();
    assert_eq!((header.sa_id.daddr.ip(), header.sa_id.spi.0, header.reqid), (Some(there), 1, 5));
    assert_eq!((header.saddr.ip(), header.flags), (Some(ip("10.0.0.1")), both));
    assert_eq!(event.replay_thresh(), Some(3));
    // Ticks (100 to 1000 per second) are reported as tenths of a second.
    assert!([600, 240, 200, 60].map(Some).contains(&event.etimer_thresh()), "{event:?}");
    assert_eq!(event.replay_val(), Some(Replay::default()));
    assert_eq!(event.ltime_val().unwrap().bytes, 0);

    let replay = Replay::default().oseq(1000).seq(2000).bitmap(1);
    let usage = Usage::default().bytes(5).packets(6).add_time(7).use_time(8);
    nl.call(state::set_async_event(there, Proto::ESP, 1).replay_val(replay).ltime_val(usage))?;
    let event = nl.call(state::async_event(there, Proto::ESP, 1, AsyncEventFlags::empty()))?;
    assert_eq!((event.replay_val(), event.ltime_val()), (Some(replay), Some(usage)));
    assert_eq!((event.replay_thresh(), event.etimer_thresh()), (None, None));
    let nothing = nl.call(state::set_async_event(there, Proto::ESP, 1)).unwrap_err();
    assert_eq!(nothing.errno(), Some(Errno::EINVAL));

    nl.call(esp(2).esn(64))?;
    let replay = ReplayEsn::new(64).sent(1 << 33).received(1 << 34).bitmap(&[3, 4]);
    nl.call(state::set_async_event(there, Proto::ESP, 2).replay_esn_val(replay))?;
    let event = nl.call(state::async_event(there, Proto::ESP, 2, AsyncEventFlags::empty()))?;
    assert_eq!(event.replay_esn_val(), Some(replay));
    Ok(())
}

fn a_mark_distinguishes_states() -> Result {
    let mut nl = connect()?;
    nl.call(esp(1).reqid(1).mark(Mark::new(1, u32::MAX)))?;
    nl.call(esp(1).reqid(2).mark(Mark::new(2, u32::MAX)))?;
    let mut reqid = |mark| -> Result<u32> {
        let key = state::get(ip("10.0.0.2"), Proto::ESP, 1).mark(Mark::new(mark, u32::MAX));
        Ok(nl.call(key)?.header().reqid)
    };
    assert_eq!((reqid(1)?, reqid(2)?), (1, 2));
    assert!(reqid(3).is_err());
    nl.call(state::delete(ip("10.0.0.2"), Proto::ESP, 1).mark(Mark::new(1, u32::MAX)))?;
    assert_eq!(states(&mut nl)?.len(), 1);
    Ok(())
}

fn bad_algorithms_are_named() -> Result {
    let mut nl = connect()?;
    let state = || state::add(ip("10.0.0.1"), ip("10.0.0.2"), Proto::ESP, 1);
    let error = nl.call(state().alg_aead(Aead::new("rfc4106(gcm(pes))", &KEY, 128))).unwrap_err();
    let text = error.to_string();
    assert_eq!(error.errno(), Some(Errno::ENOSYS));
    // With the kernel's text, or before Linux 6.1 without it.
    let named = |text: &str, algorithm: &str| {
        ["=", ""].iter().any(|sign| {
            text.contains(format!("XFRMA_ALG_AEAD {sign} {algorithm}").replace("  ", " ").as_str())
        })
    };
    assert!(named(&text, "rfc4106(gcm(pes)) <20 bytes> 128"), "{text}");

    let error = nl.call(state().alg_aead(Aead::rfc4106_gcm_aes(&[1; 19], 128))).unwrap_err();
    let text = error.to_string();
    assert_eq!(error.errno(), Some(Errno::EINVAL));
    assert!(named(&text, "rfc4106(gcm(aes)) <19 bytes> 128"), "{text}");

    let crypt = state().alg_crypt(Algo::new("cbc(pes)", &[1; 16]));
    let error = nl.call(crypt.alg_auth_trunc(Auth::new("hmac(sha3)", &[1; 32], 128))).unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(text.contains("cbc(pes) <16 bytes>") && text.contains("hmac(sha3) <32 bytes> 128"), "{text}");
    assert!(!text.contains("0101") && !text.contains("1, 1, 1"), "{text}");

    let long = "x".repeat(64);
    let error = nl.call(state().alg_crypt(Algo::new(long.as_str(), &[]))).unwrap_err().to_string();
    assert!(error.contains("64 bytes where at most 63") && error.contains("XFRMA_ALG_CRYPT"), "{error}");
    assert!(states(&mut nl)?.is_empty());
    Ok(())
}

/// NA4
fn other_errors_name_no_algorithm() -> Result {
    let mut nl = connect()?;
    nl.call(esp(1))?;
    let exists = nl.call(esp(1)).unwrap_err();
    assert!(exists.is_exists() && !exists.to_string().contains("; with XFRMA_ALG"), "{exists}");
    // A direction without a window must have no window with 64-bit numbers.
    let window = nl.call(esp(2).flags(StateFlags::ESN)).unwrap_err();
    assert!(window.errno() == Some(Errno::EINVAL), "{window}");
    match window {
        Error::Kernel(refused) if refused.ext_ack().message().is_some() => {
            assert!(!refused.to_string().contains("; with XFRMA_ALG"), "{refused}");
        }
        other => assert!(!is_since(6, 12), "{other}"),
    }
    Ok(())
}

/// NA3
fn a_copy_equals_the_original() -> Result {
    let mut nl = connect()?;
    let replay = ReplayEsn::new(64).sent(0x1_0000_0005).received(0x2_0000_0006).bitmap(&[7, 8]);
    let first = esp(1)
        .mode(Mode::TUNNEL)
        .reqid(7)
        .selector(Selector::new(ip("10.0.0.1"), ip("10.0.0.2")))
        .lifetime(Lifetime::UNLIMITED.hard_add_expires_seconds(1000))
        .flags(StateFlags::ESN | StateFlags::NOECN)
        .replay_esn_val(replay)
        .encap(Encap::udp(4500, 4501))
        .mark(Mark::new(0x10, 0xff))
        .set_mark(0x20)
        .if_id(77)
        .extra_flags(ExtraFlags::DONT_ENCAP_DSCP);
    let second = state::add(ip("10.0.0.1"), ip("10.0.0.2"), Proto::ESP, 2)
        .replay_window(16)
        .replay_val(Replay::default().oseq(9))
        .alg_crypt(Algo::cbc_aes(&[7; 16]))
        .alg_auth_trunc(Auth::hmac_sha256(&[8; 32], 128));
    for request in [first, second] {
        nl.call(request)?;
        let [old] = &states(&mut nl)?[..] else { panic!("one state") };
        nl.call(state::flush(Proto::ANY))?;
        nl.call(state::copy_of(old))?;
        let [new] = &states(&mut nl)?[..] else { panic!("one state") };
        let times = |state: &State<'static>| {
            let mut request = state::copy_of(state);
            request = request.header(|header| header.curlft = Usage::default());
            format!("{request:?}")
        };
        assert_eq!(times(new), times(old));
        assert_eq!((new.alg_aead(), new.alg_crypt()), (old.alg_aead(), old.alg_crypt()));
        nl.call(state::flush(Proto::ANY))?;

        nl.call(state::copy_of(old).between(ip("10.0.0.1"), ip("10.0.0.3")).spi(9))?;
        let [moved] = &states(&mut nl)?[..] else { panic!("one state") };
        assert_eq!((moved.destination(), moved.header().id.spi.0), (Some(ip("10.0.0.3")), 9));
        assert_eq!((moved.replay_esn_val(), moved.replay_val()), (old.replay_esn_val(), old.replay_val()));
        assert!(state::copy_of(old).between(ip("10.0.0.1"), ip("::1")).to_bytes().is_err());
        nl.call(state::flush(Proto::ANY))?;
    }
    Ok(())
}

fn bad_values_are_errors() -> Result {
    let mut nl = connect()?;
    let mixed = state::add(ip("10.0.0.1"), ip("2001:db8::1"), Proto::ESP, 1).alg_aead(aead());
    assert!(nl.call(mixed).unwrap_err().to_string().contains("an IPv4 and an IPv6 address"));
    let selector = Selector::new(ip("10.0.0.1"), ip("2001:db8::1"));
    assert!(nl.call(esp(1).selector(selector)).is_err());
    let none = state::add(ip("10.0.0.1"), ip("10.0.0.2"), Proto::ESP, 1);
    assert_eq!(nl.call(none).unwrap_err().errno(), Some(Errno::EINVAL));
    assert_eq!(nl.call(esp(1).tfcpad(9)).unwrap_err().errno(), Some(Errno::EINVAL)); // only in tunnels
    // A device that does not support it refuses, or the kernel does the work; then no device is reported.
    match made(&mut nl, esp(1).offload_dev(Offload::default().ifindex(1))) {
        Ok(state) => assert_eq!(state.offload_dev(), None),
        Err(_) => assert!(states(&mut nl)?.is_empty()),
    }
    // Without SELinux no label is accepted; with it this one is refused.
    match made(&mut nl, esp(2).sec_ctx(SecurityContext::selinux(c"a:b:c"))) {
        Ok(state) => assert_eq!(state.sec_ctx(), None),
        Err(error) => assert!(error.to_string().contains("Invalid argument"), "{error}"),
    }
    Ok(())
}

fn mobile_ip_states_have_no_spi() -> Result {
    let mut nl = connect()?;
    let [source, destination, care_of] = ["2001:db8::1", "2001:db8::2", "2001:db8::"].map(ip);
    let state = state::add(source, destination, Proto::ROUTE2, 0).mode(Mode::ROUTE_OPTIMIZATION);
    nl.call(state.flags(StateFlags::WILDRECV).coaddr(care_of))?;
    let read = nl.call(state::get(destination, Proto::ROUTE2, 0).srcaddr(source))?;
    assert_eq!((read.coaddr(), read.source()), (Some(care_of), Some(source)));
    let unnamed = nl.call(state::get(destination, Proto::ROUTE2, 0)).unwrap_err();
    assert_eq!(unnamed.errno(), Some(Errno::EINVAL));
    nl.call(state::delete(destination, Proto::ROUTE2, 0).srcaddr(source))?;
    assert!(states(&mut nl)?.is_empty());
    Ok(())
}

fn a_direction_reads_back() -> Result {
    let mut nl = connect()?;
    let state = made(&mut nl, esp(1).sa_dir(state::Direction::IN).replay_window(8))?;
    assert_eq!(state.sa_dir(), Some(state::Direction::IN));
    let state = made(&mut nl, esp(2).sa_dir(state::Direction::OUT))?;
    assert_eq!(state.sa_dir(), Some(state::Direction::OUT));
    // A state for sending has no replay window.
    let both = esp(3).sa_dir(state::Direction::OUT).replay_window(8);
    assert_eq!(nl.call(both).unwrap_err().errno(), Some(Errno::EINVAL));
    Ok(())
}

fn a_keepalive_reads_back() -> Result {
    let mut nl = connect()?;
    let out = || esp(1).sa_dir(state::Direction::OUT).nat_keepalive_interval(20);
    assert_eq!(nl.call(out()).unwrap_err().errno(), Some(Errno::EINVAL)); // without an encapsulation
    let state = made(&mut nl, out().encap(Encap::udp(4500, 4500)))?;
    assert_eq!(state.nat_keepalive_interval(), Some(20));
    Ok(())
}

/// vishvananda 39: TestXfrmStateWithPcpunum, and without.
fn states_per_cpu_read_back() -> Result {
    let mut nl = connect()?;
    let state = made(&mut nl, esp(1).sa_dir(state::Direction::OUT).sa_pcpu(0))?;
    assert_eq!(state.sa_pcpu(), Some(0));
    assert_eq!(made(&mut nl, esp(2).sa_dir(state::Direction::OUT))?.sa_pcpu(), None);
    assert!(nl.call(esp(3).sa_dir(state::Direction::OUT).sa_pcpu(1 << 20)).is_err());
    Ok(())
}

fn iptfs_reads_back() -> Result {
    let mut nl = connect()?;
    let tunnel = |spi, direction| esp(spi).mode(Mode::IPTFS).sa_dir(direction);
    let out = tunnel(1, state::Direction::OUT)
        .iptfs_dont_frag(netlink_core::Flag)
        .iptfs_init_delay(50)
        .iptfs_max_qsize(1 << 20)
        .iptfs_pkt_size(1200);
    let state = made(&mut nl, out)?;
    assert_eq!((state.header().mode, state.iptfs_dont_frag().is_some()), (Mode::IPTFS, true));
    assert_eq!((state.iptfs_init_delay(), state.iptfs_max_qsize()), (Some(50), Some(1 << 20)));
    assert_eq!(state.iptfs_pkt_size(), Some(1200));
    let input = tunnel(2, state::Direction::IN).iptfs_drop_time(70).iptfs_reorder_window(9);
    let state = made(&mut nl, input)?;
    assert_eq!((state.iptfs_drop_time(), state.iptfs_reorder_window()), (Some(70), Some(9)));
    Ok(())
}

fn one_state_moves() -> Result {
    let mut nl = connect()?;
    nl.call(esp(1).reqid(4))?;
    let (here, elsewhere) = (ip("10.0.0.1"), ip("10.0.0.3"));
    let key = state::StateKey::of(ip("10.0.0.2"), Proto::ESP, 1);
    match nl.call(state::migrate(key, here, elsewhere, 5)) {
        Err(error) if error.errno() == Some(Errno::ENOPROTOOPT) => {
            netlink_testing::skip("a kernel without CONFIG_XFRM_MIGRATE")
        }
        moved => moved?,
    }
    let state = nl.call(state::get(elsewhere, Proto::ESP, 1))?;
    assert_eq!((state.header().reqid, state.alg_aead()), (5, Some(aead())));
    assert!(nl.call(state::get(ip("10.0.0.2"), Proto::ESP, 1)).is_err());
    Ok(())
}
