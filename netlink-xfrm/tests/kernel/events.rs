//! Events of the kernel, and requests that cause them.

use std::net::UdpSocket;
use std::time::Duration;

use netlink_testing::{Result, kind, machine, program, seconds, suite};
use netlink_xfrm::algo::Aead;
use netlink_xfrm::event::{Event, Group};
use netlink_xfrm::policy::{self, DefaultAction, Direction, Migration, PolicyType, Selector, Template};
use netlink_xfrm::state::{self, AsyncEventFlags, Lifetime, Mode, Proto, Replay, StateRequest};
use netlink_xfrm::{Connection, Errno, Events, Notice, Prefix, connect, subscribe};

use crate::{ESP4, ESP6, KEY, ip, run_ip};

suite! {
    states_are_added_changed_and_removed: ESP4, ESP6;
    policies_are_added_changed_and_removed;
    a_policy_expires_when_asked_and_by_itself: seconds(120);
    a_state_expires_softly_then_hard: ESP4, seconds(120);
    a_state_expires_when_asked: ESP4;
    a_packet_wants_a_state: ESP4, kind("veth"), program("ip");
    counters_that_are_set_are_reported: ESP4;
    states_move_with_their_policy: ESP4;
    // Linux 6.18.15 sends it in the initial namespace, regardless of the state's namespace.
    a_move_is_reported: ESP4, machine();
    groups_receive_only_their_own: ESP4;
    traces_of_events_hide_keys: ESP4;
}

type Stream = Events<Event<'static>>;

fn listen(groups: &[Group]) -> Result<Stream> {
    let mut events = subscribe(groups)?;
    events.set_timeout(Some(Duration::from_secs(100)))?;
    Ok(events)
}

/// A copy of the next event.
fn next(events: &mut Stream) -> Result<Event<'static>> {
    use netlink_core::Reply as _;
    match events.next()? {
        Notice::Event { event, .. } => Ok(Event::own(event)),
        Notice::Overrun => Err("events were lost".into()),
    }
}

/// The next event must be of this kind.
macro_rules! expect {
    ($events:expr, $variant:ident) => {
        match next($events)? {
            Event::$variant(message) => message,
            other => panic!("{other:?}"),
        }
    };
}

fn esp(spi: u32) -> StateRequest<()> {
    state::add(ip("10.0.0.1"), ip("10.0.0.2"), Proto::ESP, spi).alg_aead(Aead::rfc4106_gcm_aes(&KEY, 128))
}

fn nets() -> Result<Selector> {
    Ok(Selector::new("10.1.0.0/16".parse::<Prefix>()?, "10.2.0.0/16".parse::<Prefix>()?))
}

fn states_are_added_changed_and_removed() -> Result {
    let (mut nl, mut events) = (connect()?, listen(&[Group::STATE])?);
    nl.call(esp(1).reqid(8))?;
    let added = expect!(&mut events, StateAdded);
    assert_eq!(added, nl.call(state::get(ip("10.0.0.2"), Proto::ESP, 1))?);
    nl.call(
        state::update(ip("10.0.0.1"), ip("10.0.0.2"), Proto::ESP, 1).alg_aead(added.alg_aead().unwrap()),
    )?;
    assert_eq!(expect!(&mut events, StateUpdated).header().id.spi.0, 1);
    nl.call(state::delete(ip("10.0.0.2"), Proto::ESP, 1))?;
    let deleted = expect!(&mut events, StateDeleted);
    assert_eq!((deleted.header().daddr.ip(), deleted.header().spi.0), (Some(ip("10.0.0.2")), 1));
    let info = deleted.sa().unwrap();
    assert_eq!((info.reqid, info.id), (8, added.header().id));
    assert_eq!((deleted.source(), deleted.destination()), (added.source(), added.destination()));
    assert_eq!(deleted.key(), added.key());
    assert_eq!(deleted.alg_aead(), added.alg_aead());

    let zeros = [ip("2001:db8::"), ip("fc00::")];
    let six = state::add(zeros[0], zeros[1], Proto::ESP, 2).alg_aead(added.alg_aead().unwrap());
    nl.call(six)?;
    let added = expect!(&mut events, StateAdded);
    assert_eq!([added.source(), added.destination()], zeros.map(Some));
    nl.call(state::flush(Proto::IPSEC))?;
    assert_eq!(expect!(&mut events, StatesFlushed).header().proto, Proto::IPSEC);
    Ok(())
}

fn policies_are_added_changed_and_removed() -> Result {
    let (mut nl, mut events) = (connect()?, listen(&[Group::POLICY])?);
    let template = [Template::tunnel(ip("192.0.2.1"), ip("192.0.2.2"), Proto::ESP)];
    nl.call(policy::add(nets()?, Direction::OUT).templates(&template))?;
    let added = expect!(&mut events, PolicyAdded);
    assert_eq!(added, nl.call(policy::get(nets()?, Direction::OUT))?);
    nl.call(policy::update(nets()?, Direction::OUT).priority(4))?;
    assert_eq!(expect!(&mut events, PolicyUpdated).header().priority, 4);
    nl.call(policy::delete(nets()?, Direction::OUT))?;
    let deleted = expect!(&mut events, PolicyDeleted);
    assert_eq!((deleted.header().sel, deleted.header().dir), (nets()?, Direction::OUT));
    assert_eq!(deleted.policy().unwrap().priority, 4);
    assert_eq!(deleted.key(), added.key());
    nl.call(policy::add(nets()?, Direction::IN))?;
    let added = expect!(&mut events, PolicyAdded);
    assert_ne!(deleted.key(), added.key());
    let index = added.header().index;
    nl.call(policy::delete_by_index(index, Direction::IN))?;
    let deleted = expect!(&mut events, PolicyDeleted);
    assert_eq!((deleted.header().index, deleted.key()), (index, added.key()));
    nl.call(policy::add(nets()?, Direction::IN))?;
    expect!(&mut events, PolicyAdded);
    nl.call(policy::flush(PolicyType::MAIN))?;
    let flushed = expect!(&mut events, PoliciesFlushed);
    assert!(flushed.policy_type().is_none_or(|kind| kind.kind == PolicyType::MAIN));

    match nl.call(policy::set_default_action(
        DefaultAction::BLOCK,
        DefaultAction::UNSPEC,
        DefaultAction::BLOCK,
    )) {
        Ok(()) => assert_eq!(expect!(&mut events, Default).header().input, DefaultAction::BLOCK),
        Err(error) => assert_eq!(error.errno(), Some(Errno::EINVAL)), // before 5.15
    }
    Ok(())
}

fn a_policy_expires_when_asked_and_by_itself() -> Result {
    let (mut nl, mut events) = (connect()?, listen(&[Group::EXPIRE])?);
    nl.call(policy::add(nets()?, Direction::OUT))?;
    for hard in [false, true] {
        nl.call(policy::expire(nets()?, Direction::OUT, hard))?;
        let expired = expect!(&mut events, PolicyExpired);
        assert_eq!((expired.header().policy.sel, expired.header().hard), (nets()?, u8::from(hard)));
    }
    assert!(nl.call(policy::get(nets()?, Direction::OUT)).unwrap_err().is_not_found());
    softly_then_hard(|limits| {
        nl.call(policy::add(nets()?, Direction::OUT).lifetime(limits))?;
        let first = expect!(&mut events, PolicyExpired).header().hard;
        Ok(if first == 0 { [0, expect!(&mut events, PolicyExpired).header().hard] } else { [first; 2] })
    })
}

/// A limit of one second and a later one. A kernel that checks too late reports only the second; it gets more time.
fn softly_then_hard(mut expire: impl FnMut(Lifetime) -> Result<[u8; 2]>) -> Result {
    for hard in [3, 10, 40] {
        let limits = Lifetime::UNLIMITED.soft_add_expires_seconds(1).hard_add_expires_seconds(hard);
        if expire(limits)? == [0, 1] {
            return Ok(());
        }
    }
    Err("no soft limit was told".into())
}

/// vishvananda 39: TestXfrmMonitorExpire.
fn a_state_expires_softly_then_hard() -> Result {
    let (mut nl, mut events) = (connect()?, listen(&[Group::EXPIRE])?);
    softly_then_hard(|limits| {
        nl.call(esp(1).lifetime(limits).reqid(6))?;
        let first = expect!(&mut events, StateExpired);
        let state = first.header().state;
        assert_eq!((state.id.spi.0, state.reqid, state.lft), (1, 6, limits));
        assert_eq!(first.destination(), Some(ip("10.0.0.2")));
        let first = first.header().hard;
        Ok(if first == 0 { [0, expect!(&mut events, StateExpired).header().hard] } else { [first; 2] })
    })?;
    assert!(nl.call(state::get(ip("10.0.0.2"), Proto::ESP, 1)).unwrap_err().is_not_found());
    Ok(())
}

fn a_state_expires_when_asked() -> Result {
    let (mut nl, mut events) = (connect()?, listen(&[Group::EXPIRE])?);
    nl.call(esp(1))?;
    for hard in [false, true] {
        nl.call(state::expire(ip("10.0.0.2"), Proto::ESP, 1, hard))?;
        assert_eq!(expect!(&mut events, StateExpired).header().hard, u8::from(hard));
    }
    assert!(nl.call(state::expire(ip("10.0.0.2"), Proto::ESP, 1, true)).unwrap_err().is_not_found());
    Ok(())
}

fn a_packet_wants_a_state() -> Result {
    let (mut nl, mut events) = (connect()?, listen(&[Group::ACQUIRE])?);
    run_ip("link add v0 type veth peer name v1")?;
    run_ip("addr add 10.1.0.1/16 dev v0")?;
    run_ip("link set v0 up")?;
    run_ip("link set v1 up")?;
    run_ip("route add 10.2.0.0/16 dev v0")?;
    let template = Template::tunnel(ip("10.1.0.1"), ip("192.0.2.2"), Proto::ESP).reqid(12);
    nl.call(policy::add(nets()?, Direction::OUT).templates(&[template]).priority(5))?;
    let socket = UdpSocket::bind("10.1.0.1:4000")?;
    // The packet waits for the state, or is dropped; in both cases the kernel sends an acquire.
    let _ = socket.send_to(b"x", "10.2.0.1:53");
    let wanted = expect!(&mut events, Acquire);
    assert_eq!((wanted.source(), wanted.destination()), (Some(ip("10.1.0.1")), Some(ip("192.0.2.2"))));
    let header = wanted.header();
    assert_eq!((header.id.proto, header.policy.priority), (Proto::ESP, 5));
    assert_eq!(header.sel.destination(), Some(ip("10.2.0.1").into()));
    assert_eq!((header.sel.sport.0, header.sel.dport.0, header.sel.proto), (4000, 53, 17));
    assert_eq!(wanted.tmpl().unwrap().get(0), Some(template));
    assert_ne!(header.seq, 0);

    // The answer: an SPI, then the state.
    let (here, there) = (ip("10.1.0.1"), ip("192.0.2.2"));
    let ask = state::allocate_spi(here, there, Proto::ESP, 0x100..=0x1ff).seq(header.seq);
    let spi = nl.call(ask.mode(Mode::TUNNEL).reqid(12))?.header().id.spi.0;
    let answer = state::update(here, there, Proto::ESP, spi).mode(Mode::TUNNEL).reqid(12).seq(header.seq);
    nl.call(answer.alg_aead(Aead::rfc4106_gcm_aes(&KEY, 128)))?;
    assert_eq!(nl.call(state::get(there, Proto::ESP, spi))?.header().seq, header.seq);
    Ok(())
}

fn counters_that_are_set_are_reported() -> Result {
    let (mut nl, mut events) = (connect()?, listen(&[Group::ASYNC_EVENT])?);
    nl.call(esp(1).reqid(2))?;
    let replay = Replay::default().oseq(77);
    nl.call(state::set_async_event(ip("10.0.0.2"), Proto::ESP, 1).replay_val(replay))?;
    let event = expect!(&mut events, AsyncEvent);
    assert!(event.header().flags.contains(AsyncEventFlags::BY_UPDATE));
    assert_eq!((event.replay_val(), event.header().reqid), (Some(replay), 2));
    assert_eq!(event.header().saddr.ip(), Some(ip("10.0.0.1")));
    Ok(())
}

fn states_move_with_their_policy() -> Result {
    moved(&mut connect()?)?;
    Ok(())
}

/// A policy and its state that expire as requested.
fn moved(nl: &mut Connection) -> Result<(Migration, policy::KmAddress)> {
    let [here, there, elsewhere] = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map(ip);
    nl.call(esp(1).mode(Mode::TUNNEL).reqid(3))?;
    let template = Template::tunnel(here, there, Proto::ESP).reqid(3);
    nl.call(policy::add(nets()?, Direction::OUT).templates(&[template]))?;
    let step = Migration::new((here, there), (here, elsewhere), Proto::ESP).reqid(3);
    let local = policy::KmAddress::new(here, elsewhere);
    match nl.call(policy::migrate(nets()?, Direction::OUT, &[step]).kmaddress(local)) {
        Err(error) if error.errno() == Some(Errno::ENOPROTOOPT) => {
            netlink_testing::skip("a kernel without CONFIG_XFRM_MIGRATE")
        }
        moved => moved?,
    }
    let state = nl.call(state::get(elsewhere, Proto::ESP, 1))?;
    assert_eq!((state.destination(), state.header().reqid), (Some(elsewhere), 3));
    assert!(nl.call(state::get(there, Proto::ESP, 1)).is_err());
    let policy = nl.call(policy::get(nets()?, Direction::OUT))?;
    assert_eq!(policy.tmpl().unwrap().get(0).unwrap().id.daddr.ip(), Some(elsewhere));
    Ok((step, local))
}

fn a_move_is_reported() -> Result {
    let (mut nl, mut events) = (connect()?, listen(&[Group::MIGRATE])?);
    let moved = moved(&mut nl);
    // No process does it for the initial namespace.
    nl.call(state::flush(Proto::ESP))?;
    nl.call(policy::flush(PolicyType::MAIN))?;
    let (step, local) = moved?;
    let told = expect!(&mut events, Migrate);
    assert_eq!((told.header().sel, told.kmaddress()), (nets()?, Some(local)));
    assert!(told.migrations().eq([step]));
    Ok(())
}

fn groups_receive_only_their_own() -> Result {
    let mut nl = connect()?;
    let (mut own, mut all) = (listen(&[Group::POLICY])?, listen(Group::ALL)?);
    nl.call(esp(1))?;
    nl.call(policy::add(nets()?, Direction::OUT))?;
    expect!(&mut own, PolicyAdded);
    expect!(&mut all, StateAdded);
    expect!(&mut all, PolicyAdded);
    Ok(())
}

fn traces_of_events_hide_keys() -> Result {
    let (mut nl, mut events) = (connect()?, listen(&[Group::STATE])?);
    let (sender, lines) = std::sync::mpsc::channel();
    let other = sender.clone();
    events.set_tracer(Some(Box::new(move |traffic| sender.send(traffic.to_string()).unwrap())));
    nl.set_tracer(Some(Box::new(move |traffic| other.send(traffic.to_string()).unwrap())));
    nl.call(esp(1))?;
    nl.call(state::get(ip("10.0.0.2"), Proto::ESP, 1))?;
    crate::states(&mut nl)?;
    nl.call(state::delete(ip("10.0.0.2"), Proto::ESP, 1))?;
    expect!(&mut events, StateAdded);
    expect!(&mut events, StateDeleted);
    drop((events, nl));
    let text: String = lines.iter().collect();
    assert!(!text.contains("5a5a"), "{text}");
    let shown = text.matches("XFRMA_ALG_AEAD rfc4106(gcm(aes)) <20 bytes> 128").count();
    assert_eq!(shown, 5, "{text}"); // sent, read, listed, told twice
    Ok(())
}
