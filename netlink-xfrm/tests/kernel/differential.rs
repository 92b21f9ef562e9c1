//! This crate compared with `ip xfrm`.

use netlink_testing::{Result, kernel, module, program, suite};
use netlink_xfrm::algo::{Aead, Algo, Auth};
use netlink_xfrm::policy::{
    self, Action, DefaultAction, Direction, HashThresholds, PolicyFlags, Selector, Template,
};
use netlink_xfrm::state::{self, Encap, ExtraFlags, Lifetime, Mark, Mode, Proto, StateFlags, StateRequest};
use netlink_xfrm::{Connection, Prefix, connect};

use crate::{ANY, ESP4, ESP6, KEY, ip, policies, run_ip, states};

suite! {
    ip_prints_the_states_made_here: ESP4, ESP6, program("ip"), module("ipcomp");
    states_made_by_ip_are_those_made_here: ESP4, ESP6, program("ip"), module("ah4"), module("ipcomp");
    ip_prints_the_policies_made_here: program("ip");
    policies_made_by_ip_are_those_made_here: program("ip");
    ip_prints_the_defaults_set_here: program("ip"), kernel(5, 15);
}

/// Every text must be in the output of `ip`, in order.
fn prints(words: &str, texts: &[&str]) -> Result {
    let all = run_ip(words)?;
    let flat = all.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut rest = flat.as_str();
    for text in texts {
        let at = rest.find(text).unwrap_or_else(|| panic!("{text:?} is missing in {rest:?} of {all}"));
        rest = &rest[at + text.len()..];
    }
    Ok(())
}

fn ip_prints_the_states_made_here() -> Result {
    let mut nl = connect()?;
    let (here, there) = (ip("10.0.0.1"), ip("10.0.0.2"));
    let aead = Aead::rfc4106_gcm_aes(&KEY, 128);
    let lifetime = Lifetime::UNLIMITED
        .soft_byte_limit(1000)
        .hard_byte_limit(2000)
        .soft_packet_limit(10)
        .hard_packet_limit(20)
        .soft_add_expires_seconds(300)
        .hard_add_expires_seconds(400);
    nl.call(
        state::add(here, there, Proto::ESP, 0x1234)
            .mode(Mode::TUNNEL)
            .reqid(7)
            .flags(StateFlags::NOECN | StateFlags::ICMP)
            .alg_aead(aead)
            .esn(128)
            .mark(Mark::new(0x11, 0xff))
            .set_mark(0x22)
            .set_mark_mask(0xf0)
            .if_id(0x55)
            .encap(Encap::udp(4500, 4501))
            .tfcpad(64)
            .extra_flags(ExtraFlags::DONT_ENCAP_DSCP)
            .lifetime(lifetime)
            .selector(Selector::new(ip("10.1.0.1"), ip("10.2.0.1")).proto(17).destination_port(53)),
    )?;
    prints(
        "-s -d xfrm state",
        &[
            "src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x00001234(4660) reqid 7",
            "mode tunnel replay-window 0",
            "noecn icmp",
            "esn",
            "extra_flag dont-encap-dscp",
            "mark 0x11/0xff",
            "output-mark 0x22/0xf0",
            "aead rfc4106(gcm(aes)) 0x5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a (160 bits) 128",
            "encap type espinudp sport 4500 dport 4501",
            "replay_window 128",
            "if_id 0x55",
            "sel src 10.1.0.1/32 dst 10.2.0.1/32 proto udp dport 53",
            "limit: soft 1000(bytes), hard 2000(bytes) limit: soft 10(packets), hard 20(packets)",
            "expire add: soft 300(sec), hard 400(sec)",
        ],
    )?;
    nl.call(state::flush(Proto::ANY))?;

    let sha = Auth::hmac_sha256(&[0xab; 32], 128);
    let six = state::add(ip("2001:db8::"), ip("2001:db8::2"), Proto::ESP, 0x77).replay_window(32);
    nl.call(six.alg_crypt(Algo::cbc_aes(&[0xcd; 16])).alg_auth_trunc(sha))?;
    prints(
        "-s -d xfrm state",
        &[
            "src 2001:db8:: dst 2001:db8::2 proto esp spi 0x00000077",
            "mode transport replay-window 32",
            "auth-trunc hmac(sha256) 0xabab",
            "(256 bits) 128",
            "enc cbc(aes) 0xcdcd",
            "(128 bits)",
            "limit: soft (INF)(bytes), hard (INF)(bytes)",
        ],
    )?;
    nl.call(state::flush(Proto::ANY))?;
    nl.call(state::add(here, there, Proto::COMP, 9).alg_comp(Algo::deflate()))?;
    prints("-s -d xfrm state", &["proto comp spi 0x00000009", "comp deflate"])
}

/// The result of these words of `ip` equals that of the request.
fn same_state(nl: &mut Connection, words: &str, ours: StateRequest<()>) -> Result {
    run_ip(&format!("xfrm state add {words}"))?;
    let theirs = states(nl)?.remove(0);
    nl.call(state::flush(Proto::ANY))?;
    nl.call(ours)?;
    let ours = states(nl)?.remove(0);
    nl.call(state::flush(Proto::ANY))?;
    let plain = |state: &state::State<'_>| {
        let mut info = state.header();
        info.curlft.add_time = 0;
        info
    };
    assert_eq!(plain(&ours), plain(&theirs), "{words}");
    assert_eq!(ours.attrs(), theirs.attrs(), "{words}");
    Ok(())
}

fn states_made_by_ip_are_those_made_here() -> Result {
    let mut nl = connect()?;
    let (v4, v6) = ([ip("10.0.0.1"), ip("10.0.0.2")], [ip("2001:db8::"), ip("fc00::1")]);
    let esp = |[from, to]: [_; 2], spi| state::add(from, to, Proto::ESP, spi);
    let aead = || Aead::rfc4106_gcm_aes(&KEY, 128);
    let key = "0x".to_owned() + &"5a".repeat(20);
    let gcm = format!("aead rfc4106(gcm(aes)) {key} 128");
    let tunnel = |spi| esp(v4, spi).mode(Mode::TUNNEL).alg_aead(aead());
    let words = |rest: &str| format!("src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x10 {rest}");
    same_state(&mut nl, &words(&gcm), esp(v4, 16).alg_aead(aead()))?;
    let six = format!("src 2001:db8:: dst fc00::1 proto esp spi 0x11 {gcm}");
    same_state(&mut nl, &six, esp(v6, 17).alg_aead(aead()))?;
    same_state(&mut nl, &words(&format!("mode tunnel reqid 9 {gcm}")), tunnel(16).reqid(9))?;
    let flags = "flag noecn decap-dscp nopmtudisc icmp align4 af-unspec";
    let all = StateFlags::NOECN
        | StateFlags::DECAP_DSCP
        | StateFlags::NOPMTUDISC
        | StateFlags::ICMP
        | StateFlags::ALIGN4
        | StateFlags::AF_UNSPEC;
    same_state(&mut nl, &words(&format!("mode tunnel {flags} {gcm}")), tunnel(16).flags(all))?;
    same_state(
        &mut nl,
        &words(&format!("replay-window 32 {gcm}")),
        esp(v4, 16).alg_aead(aead()).replay_window(32),
    )?;
    same_state(
        &mut nl,
        &words(&format!("replay-window 128 flag esn {gcm}")),
        esp(v4, 16).alg_aead(aead()).esn(128),
    )?;
    same_state(
        &mut nl,
        &words(&format!("replay-window 256 {gcm}")),
        esp(v4, 16).alg_aead(aead()).replay_window(256),
    )?;
    same_state(
        &mut nl,
        &words(
            "enc cbc(aes) 0x00112233445566778899aabbccddeeff auth-trunc hmac(sha256) 0x0102030405060708 128",
        ),
        esp(v4, 16)
            .alg_crypt(Algo::cbc_aes(&0x0011_2233_4455_6677_8899_aabb_ccdd_eeffu128.to_be_bytes()))
            .alg_auth_trunc(Auth::hmac_sha256(&[1, 2, 3, 4, 5, 6, 7, 8], 128)),
    )?;
    let ah = "src 10.0.0.1 dst 10.0.0.2 proto ah spi 0x12 auth hmac(sha1) 0x0102030405060708090a0b0c0d0e0f1011121314";
    let auth: Vec<u8> = (1..=20).collect();
    let plain = Algo::new("hmac(sha1)", auth.as_slice());
    same_state(&mut nl, ah, state::add(v4[0], v4[1], Proto::AH, 18).alg_auth(plain))?;
    let comp = "src 10.0.0.1 dst 10.0.0.2 proto comp spi 0x13 comp deflate";
    same_state(&mut nl, comp, state::add(v4[0], v4[1], Proto::COMP, 19).alg_comp(Algo::deflate()))?;
    same_state(
        &mut nl,
        &words(&format!("{gcm} encap espinudp 4500 4501 192.0.2.9")),
        esp(v4, 16).alg_aead(aead()).encap(Encap::udp(4500, 4501).oa(ip("192.0.2.9"))),
    )?;
    same_state(
        &mut nl,
        &words(&format!("{gcm} mark 0x3 mask 0xf output-mark 0x4 mask 0xff if_id 0x20")),
        esp(v4, 16).alg_aead(aead()).mark(Mark::new(3, 15)).set_mark(4).set_mark_mask(255).if_id(32),
    )?;
    let extra = "extra-flag dont-encap-dscp oseq-may-wrap";
    same_state(
        &mut nl,
        &words(&format!("{gcm} {extra}")),
        esp(v4, 16).alg_aead(aead()).extra_flags(ExtraFlags::all() & ExtraFlags::from_bits_retain(3)),
    )?;
    same_state(
        &mut nl,
        &words(&format!(
            "{gcm} sel src 10.1.0.0/16 dst 10.2.0.0/16 proto tcp sport 80 dport 90 limit byte-soft 5 limit byte-hard \
             6 limit packet-soft 7 limit packet-hard 8 limit time-soft 90 limit time-hard 100 limit time-use-soft 110 \
             limit time-use-hard 120"
        )),
        esp(v4, 16)
            .alg_aead(aead())
            .selector(
                Selector::new("10.1.0.0/16".parse::<Prefix>()?, "10.2.0.0/16".parse::<Prefix>()?)
                    .proto(6)
                    .source_port(80)
                    .destination_port(90),
            )
            .lifetime(
                Lifetime::default()
                    .soft_byte_limit(5)
                    .hard_byte_limit(6)
                    .soft_packet_limit(7)
                    .hard_packet_limit(8)
                    .soft_add_expires_seconds(90)
                    .hard_add_expires_seconds(100)
                    .soft_use_expires_seconds(110)
                    .hard_use_expires_seconds(120),
            ),
    )?;
    // An SPI allocated by ip.
    run_ip(
        "xfrm state allocspi src 10.0.0.1 dst 10.0.0.2 proto esp mode tunnel reqid 4 min 0x500 max 0x5ff",
    )?;
    let larval = states(&mut nl)?.remove(0).header();
    assert!((0x500..=0x5ff).contains(&larval.id.spi.0) && larval.reqid == 4 && larval.mode == Mode::TUNNEL);
    Ok(())
}

fn nets() -> Result<Selector> {
    Ok(Selector::new("10.1.0.0/16".parse::<Prefix>()?, "10.2.0.0/16".parse::<Prefix>()?))
}

fn ip_prints_the_policies_made_here() -> Result {
    let mut nl = connect()?;
    let (here, there) = (ip("192.0.2.1"), ip("192.0.2.2"));
    let templates = [
        Template::tunnel(here, there, Proto::COMP).reqid(5).optional(1),
        Template::transport(Proto::ESP).reqid(6).spi(0x99),
    ];
    let selector = nets()?.proto(17).source_port(500).destination_port(4500);
    let request = policy::add(selector, Direction::FWD).templates(&templates).priority(1234);
    let request = request.flags(PolicyFlags::LOCALOK | PolicyFlags::ICMP).mark(Mark::new(1, 3)).if_id(0x21);
    nl.call(request.lifetime(Lifetime::UNLIMITED.hard_add_expires_seconds(5000)))?;
    prints(
        "-s -d xfrm policy",
        &[
            "src 10.1.0.0/16 dst 10.2.0.0/16 proto udp sport 500 dport 4500",
            "dir fwd action allow index",
            "priority 1234",
            "flag localok icmp",
            "limit: soft (INF)(bytes), hard (INF)(bytes)",
            "expire add: soft 0(sec), hard 5000(sec)",
            "mark 0x1/0x3",
            "tmpl src 192.0.2.1 dst 192.0.2.2 proto comp",
            "reqid 5",
            "mode tunnel level use",
            "tmpl src 0.0.0.0 dst 0.0.0.0 proto esp spi 0x00000099",
            "reqid 6",
            "mode transport level required",
            "if_id 0x21",
        ],
    )?;
    nl.call(policy::flush(policy::PolicyType::MAIN))?;
    let six = Selector::new("2001:db8::/32".parse::<Prefix>()?, Prefix::DEFAULT_V6);
    nl.call(policy::add(six, Direction::IN).action(Action::BLOCK))?;
    prints("-s -d xfrm policy", &["src 2001:db8::/32 dst ::/0", "dir in action block"])
}

fn policies_made_by_ip_are_those_made_here() -> Result {
    let mut nl = connect()?;
    let (here, there) = (ip("192.0.2.1"), ip("192.0.2.2"));
    let tunnel = || Template::tunnel(here, there, Proto::ESP);
    // Without an address, ip's template in transport mode has the family of the selector.
    let transport = |proto| Template::transport(proto).between(ANY, ANY);
    let add = |direction| Ok::<_, Box<dyn std::error::Error>>(policy::add(nets()?, direction));
    let base = "src 10.1.0.0/16 dst 10.2.0.0/16";
    let cases = [
        (format!("{base} dir out"), add(Direction::OUT)?),
        (
            format!("{base} dir in priority 77 action block"),
            add(Direction::IN)?.priority(77).action(Action::BLOCK),
        ),
        (
            format!("{base} dir fwd tmpl src 192.0.2.1 dst 192.0.2.2 proto esp mode tunnel reqid 3"),
            add(Direction::FWD)?.templates(&[tunnel().reqid(3)]),
        ),
        (
            format!(
                "{base} dir in tmpl src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x44 mode tunnel level use tmpl proto \
                 ah mode transport"
            ),
            add(Direction::IN)?.templates(&[tunnel().spi(0x44).optional(1), transport(Proto::AH)]),
        ),
        (
            format!("{base} dir out mark 0x7 mask 0xf if_id 0x9 flag localok icmp index 0x2001"),
            add(Direction::OUT)?
                .mark(Mark::new(7, 15))
                .if_id(9)
                .flags(PolicyFlags::LOCALOK | PolicyFlags::ICMP)
                .index(0x2001),
        ),
        (
            "src 2001:db8::/32 dst fc00::/7 dir in tmpl src 2001:db8:: dst fc00::1 proto esp mode tunnel"
                .to_owned(),
            policy::add(
                Selector::new("2001:db8::/32".parse::<Prefix>()?, "fc00::/7".parse::<Prefix>()?),
                Direction::IN,
            )
            .templates(&[Template::tunnel(ip("2001:db8::"), ip("fc00::1"), Proto::ESP)]),
        ),
        (
            format!("{base} dir out limit packet-soft 5 limit time-hard 600"),
            add(Direction::OUT)?
                .lifetime(Lifetime::UNLIMITED.soft_packet_limit(5).hard_add_expires_seconds(600)),
        ),
    ];
    for (words, ours) in cases {
        run_ip(&format!("xfrm policy add {words}"))?;
        let theirs = policies(&mut nl)?.remove(0);
        nl.call(policy::flush(policy::PolicyType::MAIN))?;
        nl.call(ours)?;
        let ours = policies(&mut nl)?.remove(0);
        nl.call(policy::flush(policy::PolicyType::MAIN))?;
        let plain = |policy: &policy::Policy<'_>| {
            let mut info = policy.header();
            info.curlft.add_time = 0;
            // The kernel increments them.
            info.index &= if words.contains("index") { u32::MAX } else { 7 };
            info
        };
        assert_eq!(plain(&ours), plain(&theirs), "{words}");
        assert_eq!(ours.attrs(), theirs.attrs(), "{words}");
    }
    Ok(())
}

fn ip_prints_the_defaults_set_here() -> Result {
    let mut nl = connect()?;
    let (accept, block) = (DefaultAction::ACCEPT, DefaultAction::BLOCK);
    nl.call(policy::set_default_action(block, accept, block))?;
    prints("xfrm policy getdefault", &["in: block", "fwd: accept", "out: block"])?;
    run_ip("xfrm policy setdefault in accept fwd block out accept")?;
    let header = nl.call(policy::default_action())?.header();
    assert_eq!((header.input, header.forward, header.output), (accept, block, accept));
    let bits = HashThresholds::default().lbits(24).rbits(8);
    nl.call(policy::set_hash_thresholds().ipv4_thresholds(bits))?;
    prints("-s -s xfrm policy count", &["SPD IPv4 thresholds: local 24 remote 8"])?;
    run_ip("xfrm policy set hthresh6 64 56")?;
    let six = nl.call(policy::info())?.ipv6_thresholds();
    assert_eq!(six, Some(HashThresholds::default().lbits(64).rbits(56)));
    Ok(())
}
