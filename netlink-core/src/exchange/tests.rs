//! The rules of an exchange, from bytes.

use super::*;
use crate::attr::Writer;
use crate::message::{self, MessageHeader, Messages};

const PORT: u32 = 77;
const ACK: MessageFlags = MessageFlags::ACK;
const NONE: MessageFlags = MessageFlags::empty();

struct Bytes(Writer);

impl Bytes {
    fn new() -> Self {
        Self(Writer::new())
    }

    fn add(mut self, kind: u16, flags: MessageFlags, sequence: u32, body: &[u8]) -> Self {
        let header = MessageHeader::default().kind(MessageType(kind)).flags(flags).sequence(sequence);
        message::write(&mut self.0, header.port(PORT), |out| out.push(body));
        self
    }

    fn error(self, flags: MessageFlags, sequence: u32, errno: i32, rest: &[u8]) -> Self {
        let mut body = (-errno).to_ne_bytes().to_vec();
        body.extend(rest);
        self.add(2, flags, sequence, &body)
    }

    fn feed(&self, exchange: &mut Exchange) -> Vec<Meaning<'_>> {
        self.feed_from(Sender::KERNEL, exchange)
    }

    fn feed_from(&self, sender: Sender, exchange: &mut Exchange) -> Vec<Meaning<'_>> {
        Messages::new(self.0.as_slice()).map(|m| exchange.feed(sender, &m.unwrap())).collect()
    }
}

fn bare_header(length: u32) -> Vec<u8> {
    let mut header = length.to_ne_bytes().to_vec();
    header.extend([0; 12]);
    header
}

fn exchange(expect: Expect, flags: MessageFlags) -> Exchange {
    Exchange::new(expect, flags, 5, PORT)
}

#[test]
fn an_ack_ends_it() {
    let bytes = Bytes::new().error(NONE, 5, 0, &bare_header(20));
    let mut ex = exchange(Expect::Ack, ACK);
    assert_eq!(bytes.feed(&mut ex), [Meaning::Done(&[])]);
    assert!(ex.is_over());
}

#[test]
fn what_nobody_asked_for_is_an_event() {
    let packet = Bytes::new().add(0x300, NONE, 0, &[0; 4]).error(NONE, 0, 2, &bare_header(32));
    let mut ex = exchange(Expect::Ack, ACK);
    assert_eq!(packet.feed(&mut ex), [Meaning::Event, Meaning::Event]);
    assert!(!ex.is_over());
    let mut run = Run::new(Expect::Ack, 5, 2, PORT);
    for message in Messages::new(packet.0.as_slice()) {
        assert_eq!(run.feed(Sender::KERNEL, &message.unwrap()), (None, Meaning::Event));
    }
    assert_eq!(packet.feed_from(Sender::process(9), &mut ex), [Meaning::Stale, Meaning::Stale]);
    let mut none = Exchange::none();
    assert_eq!(packet.feed(&mut none), [Meaning::Event, Meaning::Event]);
}

#[test]
fn an_error_ends_it() {
    for expect in [Expect::Ack, Expect::Reply, Expect::Dump] {
        let bytes = Bytes::new().error(NONE, 5, 17, &bare_header(20));
        let mut ex = exchange(expect, NONE);
        assert_eq!(bytes.feed(&mut ex), [Meaning::Failed(Errno::EEXIST, &[])]);
        assert!(ex.is_over());
    }
}

#[test]
fn the_first_reply_ends_a_request_without_ack_even_when_flagged_multi() {
    let bytes = Bytes::new().add(16, MessageFlags::MULTI, 5, &[1; 4]);
    let mut ex = exchange(Expect::Reply, NONE);
    assert!(matches!(bytes.feed(&mut ex)[..], [Meaning::Reply(_)]));
    assert!(ex.is_over() && ex.has_reply());
}

#[test]
fn a_reply_and_its_ack_both_belong_to_the_exchange() {
    // ctnetlink: MULTI on the reply, an ACK, and never a DONE.
    let reply = Bytes::new().add(256, MessageFlags::MULTI, 5, &[1; 4]);
    let ack = Bytes::new().error(NONE, 5, 0, &bare_header(20));
    let mut ex = exchange(Expect::Reply, ACK);
    assert!(matches!(reply.feed(&mut ex)[..], [Meaning::Reply(_)]));
    assert!(!ex.is_over());
    assert_eq!(ack.feed(&mut ex), [Meaning::Done(&[])]);
    assert!(ex.is_over());
}

#[test]
fn done_ends_a_dump() {
    let multi = MessageFlags::MULTI;
    let bytes = Bytes::new().add(24, multi, 5, &[1; 4]).add(24, multi, 5, &[2; 4]).add(3, multi, 5, &[0; 4]);
    let mut ex = exchange(Expect::Dump, NONE);
    assert!(matches!(bytes.feed(&mut ex)[..], [Meaning::Reply(_), Meaning::Reply(_), Meaning::Done(&[])]));
}

#[test]
fn done_may_carry_an_errno_and_attributes_in_its_own_layout() {
    let mut body = (-22i32).to_ne_bytes().to_vec();
    body.extend([8, 0, 2, 0, 40, 0, 0, 0]);
    let bytes = Bytes::new().add(3, MessageFlags::MULTI | MessageFlags::ACK_TLVS, 5, &body);
    let mut ex = exchange(Expect::Dump, NONE);
    assert_eq!(bytes.feed(&mut ex), [Meaning::Failed(Errno::EINVAL, &[8, 0, 2, 0, 40, 0, 0, 0])]);
}

#[test]
fn attributes_follow_the_echoed_request_or_its_bare_header() {
    let attrs = [8, 0, 2, 0, 36, 0, 0, 0];
    let mut echoed = bare_header(22);
    echoed.extend([9; 6]);
    echoed.extend([0, 0]);
    echoed.extend(attrs);
    let mut capped = bare_header(22);
    capped.extend(attrs);
    for (flags, rest) in [(NONE, echoed), (MessageFlags::CAPPED, capped)] {
        let bytes = Bytes::new().error(flags | MessageFlags::ACK_TLVS, 5, 22, &rest);
        assert_eq!(bytes.feed(&mut exchange(Expect::Ack, ACK)), [Meaning::Failed(Errno::EINVAL, &attrs[..])]);
        // S-X: without the flag, what stands there are no attributes.
        let bytes = Bytes::new().error(flags, 5, 22, &rest);
        assert_eq!(bytes.feed(&mut exchange(Expect::Ack, ACK)), [Meaning::Failed(Errno::EINVAL, &[])]);
    }
}

#[test]
fn a_lying_echo_length_gives_no_attributes_and_no_panic() {
    for length in [0, 15, 4000, u32::MAX] {
        let bytes = Bytes::new().error(MessageFlags::ACK_TLVS, 5, 22, &bare_header(length));
        assert_eq!(bytes.feed(&mut exchange(Expect::Ack, ACK)), [Meaning::Failed(Errno::EINVAL, &[])]);
    }
}

#[test]
fn an_error_too_short_for_an_errno_is_a_failure() {
    let bytes = Bytes::new().add(2, NONE, 5, &[0, 0]);
    assert_eq!(bytes.feed(&mut exchange(Expect::Ack, ACK)), [Meaning::Failed(Errno::EBADMSG, &[])]);
}

#[test]
fn warnings_on_success_reach_the_caller() {
    let mut capped = bare_header(22);
    capped.extend([8, 0, 1, 0, b'h', b'm', 0, 0]);
    let flags = MessageFlags::ACK_TLVS | MessageFlags::CAPPED;
    let bytes = Bytes::new().error(flags, 5, 0, &capped);
    assert_eq!(bytes.feed(&mut exchange(Expect::Ack, ACK)), [Meaning::Done(&[8, 0, 1, 0, b'h', b'm', 0, 0])]);
}

#[test]
fn an_early_duplicate_ack_is_stale_for_the_next_exchange() {
    let twice = Bytes::new().error(NONE, 5, 0, &bare_header(20)).error(NONE, 5, 0, &bare_header(20));
    let mut ex = exchange(Expect::Ack, ACK);
    assert_eq!(twice.feed(&mut ex), [Meaning::Done(&[]), Meaning::Stale]);
    let mut next = Exchange::new(Expect::Ack, ACK, 6, PORT);
    assert_eq!(twice.feed(&mut next), [Meaning::Stale, Meaning::Stale]);
    assert!(!next.is_over());
}

#[test]
fn an_abandoned_dump_is_skipped() {
    let old = Bytes::new().add(24, MessageFlags::MULTI, 4, &[1; 4]).add(3, MessageFlags::MULTI, 4, &[0; 4]);
    let mut ex = exchange(Expect::Dump, NONE);
    assert_eq!(old.feed(&mut ex), [Meaning::Stale, Meaning::Stale]);
    assert!(!ex.is_over());
}

#[test]
fn replies_to_others_and_forged_ones_are_skipped() {
    let bytes = Bytes::new().error(NONE, 5, 0, &bare_header(20));
    let mut other_port = Exchange::new(Expect::Ack, ACK, 5, PORT + 1);
    assert_eq!(bytes.feed(&mut other_port), [Meaning::Stale]);
    let mut ex = exchange(Expect::Ack, ACK);
    assert_eq!(bytes.feed_from(Sender::process(4242), &mut ex), [Meaning::Stale]);
    assert!(!ex.is_over());
}

#[test]
fn a_reply_that_lacks_the_port_is_told_by_its_sequence() {
    let mut bytes = Bytes::new();
    for sequence in [5, 6, 0] {
        let header = MessageHeader::default().kind(MessageType(0xc00)).sequence(sequence);
        message::write(&mut bytes.0, header, |out| out.push(&[2; 4]));
    }
    let mut ex = exchange(Expect::Dump, NONE);
    let meanings = bytes.feed(&mut ex);
    assert!(matches!(meanings[..], [Meaning::Reply(_), Meaning::Stale, Meaning::Event]));
    // S-X: not even an echo comes to a group without it.
    for flags in [NONE, MessageFlags::ECHO] {
        let meanings = bytes.feed_from(Sender::kernel_group(1), &mut exchange(Expect::Dump, flags));
        assert_eq!(meanings, [Meaning::Event, Meaning::Event, Meaning::Event]);
    }
}

#[test]
fn the_multicast_copy_of_our_own_change_is_an_event() {
    // The kernel notifies with our port and our sequence; only the group tells it from the reply.
    let bytes = Bytes::new().add(16, NONE, 5, &[1; 4]);
    let mut ex = exchange(Expect::Reply, NONE);
    assert_eq!(bytes.feed_from(Sender::kernel_group(1), &mut ex), [Meaning::Event]);
    assert!(!ex.is_over() && !ex.has_reply());
}

#[test]
fn an_echo_is_a_reply_although_it_names_a_group() {
    let echo = Bytes::new().add(24, NONE, 5, &[1; 4]);
    let others = Bytes::new().add(24, NONE, 0, &[1; 4]);
    let mut ex = exchange(Expect::Reply, ACK | MessageFlags::ECHO);
    assert_eq!(others.feed_from(Sender::kernel_group(7), &mut ex), [Meaning::Event]);
    assert!(matches!(echo.feed_from(Sender::kernel_group(7), &mut ex)[..], [Meaning::Reply(_)]));
    assert!(!ex.is_over());
}

const DUMP: MessageFlags = MessageFlags::DUMP;
const MULTI: MessageFlags = MessageFlags::MULTI;

/// What a sequence of messages means, in short.
fn meanings(bytes: &Bytes, exchange: &mut Exchange) -> Vec<&'static str> {
    let names = bytes.feed(exchange).into_iter().map(|meaning| match meaning {
        Meaning::Stale => "stale",
        Meaning::Event => "event",
        Meaning::Reply(_) => "reply",
        Meaning::Done(_) => "done",
        Meaning::Failed(..) => "failed",
        Meaning::Overrun => "overrun",
    });
    names.collect()
}

#[test]
fn a_dump_ends_at_its_done_whatever_its_flags() {
    // P1: ethtool's lists of RSS contexts and time stamping have no MULTI.
    let bytes = Bytes::new().add(24, NONE, 5, &[1; 4]).add(24, NONE, 5, &[2; 4]).add(3, MULTI, 5, &[0; 4]);
    let mut ex = exchange(Expect::Dump, DUMP);
    assert_eq!(meanings(&bytes, &mut ex), ["reply", "reply", "done"]);
    assert!(ex.is_over());
}

#[test]
fn a_list_that_is_no_dump_ends_behind_its_done() {
    // P2: devlink and team answer a do with MULTI and a DONE of 16 bytes; the ACK comes behind it.
    let bytes = Bytes::new().add(24, MULTI, 5, &[1; 4]).add(24, MULTI, 5, &[2; 4]).add(3, MULTI, 5, &[]);
    let mut ex = exchange(Expect::Dump, NONE);
    assert_eq!(meanings(&bytes, &mut ex), ["reply", "reply", "done"]);
    let mut acked = exchange(Expect::Dump, ACK);
    assert_eq!(meanings(&bytes, &mut acked), ["reply", "reply", "stale"]);
    assert!(!acked.is_over());
    assert_eq!(meanings(&Bytes::new().error(NONE, 5, 0, &bare_header(20)), &mut acked), ["done"]);
    // A dump is not acknowledged, even if that was asked.
    let mut dump = exchange(Expect::Dump, DUMP | ACK);
    assert_eq!(meanings(&bytes, &mut dump), ["reply", "reply", "done"]);
}

#[test]
fn a_list_without_an_end_ends_at_its_acknowledgement() {
    // P3: HSR's list of nodes has neither MULTI nor DONE.
    let bytes = Bytes::new().add(24, NONE, 5, &[1; 4]).add(24, NONE, 5, &[2; 4]);
    let mut ex = exchange(Expect::Dump, ACK);
    assert_eq!(meanings(&bytes, &mut ex), ["reply", "reply"]);
    assert!(!ex.is_over());
    assert_eq!(meanings(&Bytes::new().error(NONE, 5, 0, &bare_header(20)), &mut ex), ["done"]);
    assert!(ex.is_over());
}

#[test]
fn data_without_port_and_sequence_is_that_of_the_list_that_says_so() {
    // P4: thermal zones and cooling devices; only the DONE is numbered.
    let mut data = Bytes::new();
    for (kind, sequence) in [(24, 0), (25, 0), (24, 9)] {
        let header = MessageHeader::default().kind(MessageType(kind)).sequence(sequence);
        message::write(&mut data.0, header, |out| out.push(&[1; 4]));
    }
    let data = data.add(3, MULTI, 5, &[0; 4]);
    for listens in [false, true] {
        let quirks = Quirks { unnumbered: true, ..Quirks::NONE };
        let mut ex = exchange(Expect::Dump, DUMP).with(quirks, MessageType(24)).listening(listens);
        let other = if listens { "event" } else { "stale" };
        assert_eq!(meanings(&data, &mut ex), ["reply", "event", other, "done"]);
        // Behind the end it is an event again.
        assert_eq!(meanings(&data, &mut ex), ["event", "event", other, "stale"]);
    }
    assert_eq!(meanings(&data, &mut exchange(Expect::Dump, DUMP)), ["event", "event", "stale", "done"]);
}

#[test]
fn an_answer_may_come_behind_the_acknowledgement() {
    // P6: auditing answers from a thread.
    let early = Bytes::new().error(NONE, 5, 0, &bare_header(20));
    let reply = Bytes::new().add(1000, NONE, 5, &[1; 4]);
    let late = |expect, flags| {
        exchange(expect, flags).with(Quirks { answer_after_ack: true, ..Quirks::NONE }, MessageType(1000))
    };
    let mut ex = late(Expect::Reply, ACK);
    assert_eq!(meanings(&early, &mut ex), ["stale"]);
    assert!(!ex.is_over());
    assert_eq!(meanings(&reply, &mut ex), ["reply"]);
    assert!(ex.is_over());
    // In the usual order, too.
    let mut ex = late(Expect::Reply, ACK);
    assert_eq!(meanings(&reply, &mut ex), ["reply"]);
    assert_eq!(meanings(&early, &mut ex), ["done"]);
    let mut list = late(Expect::Dump, ACK);
    assert_eq!(meanings(&early, &mut list), ["stale"]);
    let rest = Bytes::new().add(1013, MULTI, 5, &[1; 4]).add(3, MULTI, 5, &[0; 4]);
    assert_eq!(meanings(&rest, &mut list), ["reply", "done"]);
    // A refusal ends it, and without the declaration so does the acknowledgement.
    let refused = Bytes::new().error(NONE, 5, 1, &bare_header(20));
    let mut ex = late(Expect::Reply, ACK);
    assert_eq!(meanings(&refused, &mut ex), ["failed"]);
    assert!(ex.is_over());
    let mut ex = exchange(Expect::Reply, ACK);
    assert_eq!(meanings(&early, &mut ex), ["done"]);
    assert!(ex.is_over() && !ex.has_reply());
}

#[test]
fn what_is_positive_is_no_errno() {
    // P7: mac80211_hwsim answers with the id of a new radio, auditing with an old counter.
    let mut ex = exchange(Expect::Ack, ACK);
    assert_eq!(meanings(&Bytes::new().error(NONE, 5, -3, &bare_header(20)), &mut ex), ["done"]);
    assert_eq!((ex.is_over(), ex.acknowledgement()), (true, 3));
    let mut usual = exchange(Expect::Ack, ACK);
    assert_eq!(meanings(&Bytes::new().error(NONE, 5, 0, &bare_header(20)), &mut usual), ["done"]);
    assert_eq!(usual.acknowledgement(), 0);
}

#[test]
fn of_two_answers_to_one_request_the_first_decides() {
    // P8: HSR refuses a wrong link, and acknowledges it then.
    let twice = Bytes::new().error(NONE, 5, 22, &bare_header(20)).error(NONE, 5, 0, &bare_header(20));
    let mut ex = exchange(Expect::Ack, ACK);
    assert_eq!(meanings(&twice, &mut ex), ["failed", "stale"]);
    let mut next = Exchange::new(Expect::Ack, ACK, 6, PORT);
    assert_eq!(meanings(&twice, &mut next), ["stale", "stale"]);
    let mut run = Run::new(Expect::Ack, 5, 2, PORT);
    let thrice = twice.error(NONE, 5, 17, &bare_header(20)).error(NONE, 6, 0, &bare_header(20));
    for message in Messages::new(thrice.0.as_slice()) {
        run.feed(Sender::KERNEL, &message.unwrap());
    }
    assert_eq!(run.into_answers(), [Answer::Failed(Errno::EINVAL, Vec::new()), Answer::Done]);
}

#[test]
fn reports_of_progress_have_the_numbers_that_follow() {
    // P9: flashing a module over ethtool.
    let ack = Bytes::new().error(NONE, 5, 0, &bare_header(20));
    let reports = Bytes::new().add(24, NONE, 6, &[1; 4]).add(24, NONE, 7, &[2; 4]).add(24, NONE, 4, &[3; 4]);
    let mut ex = exchange(Expect::Dump, ACK).with(Quirks { progress: true, ..Quirks::NONE }, MessageType(24));
    assert_eq!(meanings(&ack, &mut ex), ["stale"]);
    assert_eq!(meanings(&reports, &mut ex), ["reply", "reply", "stale"]);
    assert!(!ex.is_over());
    // S-X: those of another port are somebody else's.
    let quirks = Quirks { progress: true, ..Quirks::NONE };
    let mut other = Exchange::new(Expect::Dump, ACK, 5, PORT + 1).with(quirks, MessageType(24));
    assert_eq!(meanings(&reports, &mut other), ["stale", "stale", "stale"]);
    let beyond = Bytes::new().add(24, NONE, 5 + Quirks::PROGRESS, &[1; 4]);
    assert_eq!(meanings(&beyond, &mut ex), ["stale"]);
    let refused = Bytes::new().error(NONE, 5, 16, &bare_header(20));
    let mut ex = exchange(Expect::Dump, ACK).with(Quirks { progress: true, ..Quirks::NONE }, MessageType(24));
    assert_eq!(meanings(&refused, &mut ex), ["failed"]);
    assert!(ex.is_over());
}

#[test]
fn the_group_says_what_is_an_event_and_not_the_numbers() {
    // P12: l2tp notifies with the asker's port and sequence, ethtool with a counter of the whole machine.
    let bytes = Bytes::new().add(24, NONE, 5, &[1; 4]).add(24, NONE, 6, &[1; 4]);
    let mut ex = exchange(Expect::Reply, ACK);
    assert_eq!(bytes.feed_from(Sender::kernel_group(9), &mut ex), [Meaning::Event, Meaning::Event]);
    assert!(!ex.has_reply());
}

#[test]
fn a_reply_is_known_by_its_number_and_not_by_its_type() {
    // P16: IPVS, HSR and GTP answer with another command than the one that was asked.
    let bytes = Bytes::new().add(99, NONE, 5, &[1; 4]);
    assert_eq!(meanings(&bytes, &mut exchange(Expect::Reply, NONE)), ["reply"]);
}

#[test]
fn an_interrupted_dump_is_flagged_wherever_the_flag_stands() {
    let torn = MessageFlags::MULTI | MessageFlags::DUMP_INTR;
    for (first, last) in [(torn, MessageFlags::MULTI), (MessageFlags::MULTI, torn)] {
        let bytes = Bytes::new().add(24, first, 5, &[1; 4]).add(3, last, 5, &[0; 4]);
        let mut ex = exchange(Expect::Dump, NONE);
        assert!(matches!(bytes.feed(&mut ex)[..], [Meaning::Reply(_), Meaning::Done(_)]));
        assert!(ex.is_interrupted());
    }
}

#[test]
fn overrun_ends_it_and_noop_is_nothing() {
    let bytes = Bytes::new().add(1, NONE, 5, &[]).add(4, NONE, 0, &[]);
    let mut ex = exchange(Expect::Ack, ACK);
    assert_eq!(bytes.feed(&mut ex), [Meaning::Stale, Meaning::Overrun]);
    assert!(ex.is_over());
}

#[test]
fn a_run_is_known_from_its_errors_and_its_last_ack() {
    let bytes = Bytes::new()
        .error(NONE, 12, 17, &bare_header(20))
        .error(NONE, 11, 0, &bare_header(20)) // asked for by nobody: a second round after autoload
        .error(NONE, 13, 0, &bare_header(20));
    let mut run = Run::new(Expect::Ack, 10, 4, PORT);
    for message in Messages::new(bytes.0.as_slice()) {
        assert!(!run.is_over());
        run.feed(Sender::KERNEL, &message.unwrap());
    }
    assert!(run.is_over());
    let answers = run.into_answers();
    assert_eq!(answers[0], Answer::Pending);
    assert_eq!(answers[1], Answer::Done);
    assert_eq!(answers[2], Answer::Failed(Errno::EEXIST, Vec::new()));
    assert_eq!(answers[3], Answer::Done);
}

fn enveloped(bytes: &Bytes) -> (bool, Vec<Answer>) {
    let mut run = Run::enveloped(10, 5, PORT);
    for message in Messages::new(bytes.0.as_slice()) {
        run.feed(Sender::KERNEL, &message.unwrap());
    }
    (run.is_over(), run.into_answers())
}

#[test]
fn an_envelope_ends_with_the_answer_to_its_last_content() {
    let done = Bytes::new().error(NONE, 13, 0, &bare_header(20));
    assert!(enveloped(&done).0);
    // Newer kernels acknowledge what opens and closes too, if asked; others acknowledge some twice.
    let noisy = Bytes::new()
        .error(NONE, 10, 0, &bare_header(20))
        .error(NONE, 11, 0, &bare_header(20))
        .error(NONE, 11, 0, &bare_header(20))
        .error(NONE, 12, 17, &bare_header(20));
    let (over, answers) = enveloped(&noisy);
    assert!(!over);
    assert_eq!(answers[2], Answer::Failed(Errno::EEXIST, Vec::new()));
    assert_eq!((&answers[1], &answers[3]), (&Answer::Done, &Answer::Pending));
    let closing = Bytes::new().error(NONE, 14, 0, &bare_header(20));
    assert!(!enveloped(&closing).0);
}

#[test]
fn an_envelope_that_is_refused_ends_at_once() {
    let refused = Bytes::new().error(NONE, 10, 85, &bare_header(20));
    assert!(enveloped(&refused).0);
    let forgotten = Bytes::new().error(NONE, 11, 12, &bare_header(20));
    assert!(enveloped(&forgotten).0);
    let first = Bytes::new().error(NONE, 11, 17, &bare_header(20));
    assert!(!enveloped(&first).0);
}

#[test]
fn a_reply_is_no_acknowledgement_in_a_run() {
    let bytes = Bytes::new().add(16, NONE, 6, &[1; 4]).error(NONE, 6, 17, &bare_header(20));
    for (expect, last) in
        [(Expect::Ack, Answer::Failed(Errno::EEXIST, Vec::new())), (Expect::Reply, Answer::Done)]
    {
        let mut run = Run::new(expect, 5, 2, PORT);
        let mut messages = Messages::new(bytes.0.as_slice());
        run.feed(Sender::KERNEL, &messages.next().unwrap().unwrap());
        assert_eq!(run.is_over(), expect == Expect::Reply);
        if expect == Expect::Ack {
            run.feed(Sender::KERNEL, &messages.next().unwrap().unwrap());
        }
        assert!(run.is_over());
        assert_eq!(run.into_answers(), [Answer::Pending, last]);
    }
}

#[test]
fn a_run_wraps_and_ignores_strangers() {
    let mut run = Run::new(Expect::Ack, u32::MAX, 2, PORT);
    let bytes = Bytes::new().error(NONE, 7, 1, &bare_header(20)).error(NONE, 0, 1, &bare_header(20));
    let met: Vec<_> =
        Messages::new(bytes.0.as_slice()).map(|m| run.feed(Sender::KERNEL, &m.unwrap())).collect();
    assert_eq!(met[0], (None, Meaning::Stale));
    assert_eq!(met[1].0, Some(1));
    assert!(run.is_over());
}
