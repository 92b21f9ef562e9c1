//! The rules of a connection, from bytes.

use super::channel::Step;
use super::script::{Scene, Script};
use super::*;
use crate::attr::Writer;
use crate::error::Errno;
use crate::message::{Message, MessageFlags, MessageHeader, MessageType, Messages, Sender};
use crate::{Request, attrs, layout, message};

layout! {
    /// A header.
    struct Header: sample = 4 {
        /// A number.
        number: u32,
    }
}
attrs! {
    /// No attributes.
    struct SampleAttrs<'a> for SampleRequest<R> {
        /// A number.
        1 S_NUMBER number: u32,
        /// What makes it long.
        2 S_DATA data: crate::Bytes<'a>,
    }
}
message! {
    /// A packet and its verdict.
    struct Sample<'a>(Header, SampleAttrs<'a>), SampleRequest {
        /// A packet.
        768 S_PACKET PACKET,
        /// A verdict.
        769 S_VERDICT VERDICT,
    }
}

type Reader = Sample<'static>;

const NONE: MessageFlags = MessageFlags::empty();
const GROUP: Sender = Sender::kernel_group(3);

fn request(number: u32) -> SampleRequest<()> {
    SampleRequest::new(&Sample::PACKET, NONE, Header::default().number(number))
}

fn question(number: u32) -> SampleRequest<Reader> {
    SampleRequest::new(&Sample::PACKET, NONE, Header::default().number(number))
}

fn list() -> Request<Dump<Reader>> {
    let header = Header::default();
    SampleRequest::<Dump<Reader>>::new(&Sample::PACKET, MessageFlags::DUMP, header).into_request()
}

/// A message to this port, of this sequence.
fn bytes(port: u32, sequence: u32, kind: u16, flags: MessageFlags, body: &[u8]) -> Vec<u8> {
    let mut out = Writer::new();
    let header = MessageHeader::default().kind(MessageType(kind)).flags(flags).sequence(sequence);
    crate::message::write(&mut out, header.port(port), |out| out.push(body));
    out.into_bytes()
}

/// A number, and attributes that make it long.
fn long(number: u32, length: usize) -> Vec<u8> {
    let mut body = number.to_ne_bytes().to_vec();
    while body.len() < length {
        let bytes = (length - body.len()).clamp(4, 60_000);
        body.extend(u16::try_from(bytes).unwrap().to_ne_bytes());
        body.extend(9u16.to_ne_bytes());
        body.resize(body.len() + bytes - 4, 7);
    }
    body
}

fn packet(number: u32) -> Vec<u8> {
    bytes(0, 0, 768, NONE, &number.to_ne_bytes())
}

/// What the kernel answers the `asked` message with: an acknowledgement, or an error.
fn answer(asked: &[u8], errno: i32) -> Vec<u8> {
    let header = Messages::new(asked).next().unwrap().unwrap().header;
    let mut body = errno.wrapping_neg().to_ne_bytes().to_vec();
    body.extend(asked);
    // The port of a message that is sent is 0, and the kernel fills it in.
    bytes(PORT.get(), header.sequence, 2, NONE, &body)
}

/// A reply to the `asked` message.
fn reply(asked: &[u8], number: u32, flags: MessageFlags) -> Vec<u8> {
    let header = Messages::new(asked).next().unwrap().unwrap().header;
    bytes(PORT.get(), header.sequence, 768, flags, &number.to_ne_bytes())
}

fn end(asked: &[u8]) -> Vec<u8> {
    let header = Messages::new(asked).next().unwrap().unwrap().header;
    bytes(PORT.get(), header.sequence, 3, MessageFlags::MULTI, &0i32.to_ne_bytes())
}

fn kernel(bytes: Vec<u8>) -> Scene {
    Scene::Datagram(Sender::KERNEL, bytes)
}

fn event(number: u32) -> Scene {
    Scene::Datagram(GROUP, packet(number))
}

const FULL: Scene = Scene::Failure(Errno::ENOBUFS);

thread_local! {
    /// The port of the script that this test runs: the kernel chooses it.
    static PORT: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// A connection over a script.
fn connection(answers: impl FnMut(&[u8]) -> Vec<Scene> + Send + 'static) -> Connection {
    let connection: Connection = Connection::scripted(Script::new([], answers)).unwrap();
    PORT.set(connection.socket().port());
    connection
}

fn script(connection: &Connection) -> &Script {
    connection.socket().script().unwrap()
}

/// One that takes events, too.
fn subscribed(answers: impl FnMut(&[u8]) -> Vec<Scene> + Send + 'static) -> Connection {
    let mut connection = connection(answers);
    connection.subscribe(&[]).unwrap();
    connection
}

/// The numbers of the events that are there; `None` is a place where some were lost.
fn events(connection: &mut Connection) -> Vec<Option<u32>> {
    let mut found = Vec::new();
    while let Some(notice) = connection.try_next_event::<Reader>().unwrap() {
        found.push(match notice {
            Notice::Event { event, .. } => Some(event.header().number),
            Notice::Overrun => None,
        });
    }
    found
}

fn asked(connection: &Connection) -> usize {
    script(connection).sent().len()
}

#[test]
fn what_a_process_sends_is_dropped_unread() {
    // S-H3.
    let forged = || {
        let strangers = Sender::process(4242);
        let huge = Scene::Datagram(strangers, vec![0; 3 << 20]);
        vec![Scene::Datagram(strangers, vec![0; 16]), huge, Scene::Datagram(strangers, packet(66))]
    };
    let mut nl = subscribed(move |sent| {
        let mut scenes = forged();
        scenes.push(kernel(answer(sent, 0)));
        scenes.extend(forged());
        scenes
    });
    ready(nl.exchange(request(1))).unwrap();
    let results = ready(nl.exchange_all([request(2), request(3)]));
    assert!(results.iter().all(|result| result.is_err()), "one datagram, and only its first was answered");
    assert_eq!(events(&mut nl), []);
    assert_eq!(nl.channel.inbox.buffer.len(), inbox::BUFFER);
}

#[test]
fn an_answer_that_congestion_took_is_an_error_at_once() {
    // F2, S-H1: what was queued is read, and then nothing more can come.
    let mut nl = subscribed(|_| vec![event(1), FULL, event(2), Scene::Pause, event(3)]);
    assert!(matches!(ready(nl.exchange(request(1))), Err(Error::Overrun)));
    assert_eq!(events(&mut nl), [Some(1), Some(2), None, Some(3)]);
    let mut nl = subscribed(|_| vec![FULL, event(1), Scene::Pause]);
    // As many as go out at once also where the kernel's buffers are small, as on 32 bit.
    let results = ready(nl.exchange_all((0..2).map(request)));
    assert!(matches!(results[..], [Err(Error::Overrun), Err(Error::Unanswered)]), "{results:?}");
    assert_eq!(events(&mut nl), [Some(1), None]);
}

#[test]
fn an_answer_that_was_queued_before_the_loss_is_found() {
    // S-H1.
    let mut nl = subscribed(|sent| vec![FULL, event(1), kernel(answer(sent, 0)), event(2), Scene::Pause]);
    ready(nl.exchange(request(1))).unwrap();
    assert_eq!(events(&mut nl), [Some(1), Some(2), None]);
    // Without events a loss is none of the next exchange's business.
    let mut nl = connection(|sent| vec![FULL, kernel(answer(sent, 0)), Scene::Pause]);
    ready(nl.exchange(request(1))).unwrap();
    ready(nl.exchange(request(2))).unwrap();
    assert_eq!(events(&mut nl), []);
}

#[test]
fn a_second_loss_says_that_all_before_the_first_was_read() {
    // S-H1: under a flood the queue is filled again before a read finds it empty.
    let flood = || [FULL, event(1), FULL, event(2), FULL, event(3)];
    let mut nl = subscribed(move |_| flood().into());
    assert!(matches!(ready(nl.exchange(request(1))), Err(Error::Overrun)));
    assert_eq!(events(&mut nl), [Some(1), None, Some(2), None, Some(3), None]);
}

#[test]
fn a_flood_that_fills_the_buffer_once_ends_the_wait_for_an_answer() {
    // S-H1: more was read than can have waited when the loss was reported.
    let large = Scene::Datagram(GROUP, bytes(0, 0, 768, NONE, &long(1, 60_000)));
    let mut nl = subscribed(move |_| [vec![FULL], vec![large.clone(); 400]].concat());
    assert!(matches!(ready(nl.exchange(request(1))), Err(Error::Overrun)));
    assert!(script(&nl).waiting() > 200);
}

#[test]
fn a_dump_goes_on_through_a_loss() {
    // S-H1: what it has to say waits for room.
    let mut nl = subscribed(|sent| {
        let part = |number| kernel(reply(sent, number, MessageFlags::MULTI));
        vec![part(1), FULL, event(7), part(2), FULL, part(3), kernel(end(sent)), Scene::Pause]
    });
    let listed = ready(ready(nl.list(list())).unwrap().gather()).unwrap();
    assert_eq!(listed.len(), 3);
    assert_eq!(events(&mut nl), [Some(7), None, None]);
    // Where the queue is empty, nothing of it is left; the next one is free to go.
    let mut nl = connection(|sent| vec![FULL, kernel(reply(sent, 1, MessageFlags::MULTI)), Scene::Pause]);
    let partial = ready(ready(nl.list(list())).unwrap().gather()).unwrap_err();
    assert!(matches!((partial.items.len(), partial.error), (1, Error::Overrun)));
    assert!(nl.channel.inbox.dumping.is_none());
}

#[test]
fn reading_before_a_request_is_bounded() {
    // S-M7, N2.
    let mut nl = subscribed(|sent| vec![kernel(answer(sent, 0))]);
    let room = nl.socket().set_receive_buffer(4096).unwrap();
    script(&nl).add((0..10_000).map(event));
    let waited = script(&nl).waiting();
    assert!(ready(nl.channel.begin(&request(1), Expect::Ack)).is_ok());
    let read = waited + 1 - script(&nl).waiting();
    assert!(read > 1 && read <= room / 512 + 1, "{read} of a buffer of {room}");
    assert_eq!(nl.channel.events.len(), read);
}

#[test]
fn a_limit_holds_while_others_are_heard() {
    // S-H2: events and strangers are no progress.
    let mut nl = subscribed(|_| vec![]);
    nl.channel.set_timeout(Some(std::time::Duration::from_millis(30)));
    let mut exchange = ready(nl.channel.begin(&request(1), Expect::Ack)).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(40));
    script(&nl).add([event(1), Scene::Datagram(Sender::process(9), packet(2))]);
    ready(nl.channel.receive(Expect::Ack, None)).unwrap();
    assert!(matches!(nl.channel.step(&mut exchange, &Sample::PACKET), Ok(Step::Hungry)));
    assert!(matches!(nl.channel.deadline.check(), Err(Error::Timeout(_))));
}

#[test]
fn a_limit_counts_from_the_reading_before_a_request() {
    // S-M7: with a large buffer there is much to read, and nothing is sent when that takes too long.
    let mut nl = subscribed(|sent| vec![kernel(answer(sent, 0))]);
    script(&nl).add((0..500).map(event));
    nl.channel.set_timeout(Some(std::time::Duration::ZERO));
    assert!(matches!(ready(nl.exchange(request(1))), Err(Error::Timeout(_))));
    let results = ready(nl.exchange_all([request(1), request(2)]));
    assert!(matches!(results[..], [Err(Error::Timeout(_)), Err(Error::NotSent)]), "{results:?}");
    assert_eq!(asked(&nl), 0);
    nl.channel.set_timeout(None);
    ready(nl.exchange(request(1))).unwrap();
    assert_eq!(events(&mut nl).len(), 500);
}

#[test]
fn the_progress_of_a_dump_renews_its_limit() {
    let mut nl = connection(|sent| vec![kernel(reply(sent, 1, MessageFlags::MULTI))]);
    nl.channel.set_timeout(Some(std::time::Duration::from_millis(30)));
    let mut listing = ready(nl.list(list())).unwrap();
    listing.connection.channel.deadline.check().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(40));
    assert!(ready(listing.advance()).unwrap().is_some());
    listing.connection.channel.deadline.check().unwrap();
}

#[test]
fn packets_are_never_thrown_away() {
    // N1: more than the room for events, while a call waits for its answer.
    let mut nl = connection(|sent| {
        let flood = (0..80).map(|number| kernel(bytes(0, 0, 768, NONE, &long(number, 1_000_000))));
        flood.chain([kernel(answer(sent, 0))]).collect()
    });
    nl.listen();
    ready(nl.exchange(request(1))).unwrap();
    assert_eq!(events(&mut nl), (0..80).map(Some).collect::<Vec<_>>());
}

#[test]
fn events_that_find_no_room_are_reported() {
    // S-L7: what small events take is more than their bytes.
    let mut nl = subscribed(|sent| {
        let many = std::iter::repeat_with(|| packet(1)).take(3200).collect::<Vec<_>>().concat();
        let flood = (0..500).map(move |_| Scene::Datagram(GROUP, many.clone()));
        flood.chain([kernel(answer(sent, 0))]).collect()
    });
    ready(nl.exchange(request(1))).unwrap();
    let kept = nl.channel.events.len();
    assert!(kept > 100_000 && kept < (64 << 20) / 56, "{kept}");
    let found = events(&mut nl);
    assert_eq!((found.len(), found.last()), (kept, Some(&None)));
    assert_eq!(nl.channel.queued, 0);
}

#[test]
fn a_batch_begins_with_few_and_grows_with_what_its_answers_take() {
    // F9: replies and own events of an unknown size.
    let mut nl = connection(|sent| {
        let answers = Messages::new(sent).map(|message| {
            let header = message.unwrap().header;
            kernel(bytes(PORT.get(), header.sequence, 768, NONE, &long(1, 31_000)))
        });
        answers.collect()
    });
    nl.socket().set_receive_buffer(1 << 20).unwrap();
    let room = nl.socket().receive_buffer().unwrap();
    let results = ready(nl.exchange_all((0..128).map(question)));
    assert!(results.iter().all(Result::is_ok));
    for sent in script(&nl).sent() {
        assert!(Messages::new(&sent).count() * 31_000 < room / 2);
    }
    assert!(asked(&nl) > 1 && asked(&nl) < 40, "{}", asked(&nl));
}

#[test]
fn a_batch_of_changes_heeds_the_buffer_as_it_is() {
    // F9: sized when it is sent, not when the connection was opened.
    let answered = |sent: &[u8]| {
        let last = Messages::new(sent).last().unwrap().unwrap().header;
        vec![kernel(bytes(PORT.get(), last.sequence, 2, NONE, &[0; 20]))]
    };
    let mut nl = connection(answered);
    let room = nl.socket().set_receive_buffer(4096).unwrap();
    assert!(ready(nl.exchange_all((0..50).map(request))).iter().all(Result::is_ok));
    let most =
        |nl: &Connection| script(nl).sent().iter().map(|sent| Messages::new(sent).count()).max().unwrap();
    assert_eq!(most(&nl), (room / 1280).max(1));
    // F8: and the datagram the send buffer.
    let mut nl = connection(answered);
    let room = nl.socket().set_send_buffer(2048).unwrap();
    nl.socket().set_receive_buffer(1 << 20).unwrap();
    assert!(ready(nl.exchange_all((0..2000).map(request))).iter().all(Result::is_ok));
    let longest = script(&nl).sent().iter().map(Vec::len).max().unwrap();
    assert!(longest <= room - 32 && longest > room / 2, "{longest} of {room}");
}

#[test]
fn what_was_not_sent_is_reported_so() {
    // F8, S-M4.
    let mut nl = connection(|_| vec![Scene::Failure(Errno::EBADF)]);
    let results = ready(nl.exchange_all((0..3).map(request)));
    assert!(matches!(
        results[..],
        [Err(Error::System { .. }), Err(Error::Unanswered), Err(Error::Unanswered)]
    ));
    let script = Script::of([], |sent, port| {
        if sent.len() > 1000 {
            return Err(Error::system("send", Errno::EMSGSIZE));
        }
        let last = Messages::new(sent).last().unwrap().unwrap().header;
        Ok(vec![kernel(bytes(port, last.sequence, 2, NONE, &[0; 20]))])
    });
    let mut nl: Connection = Connection::scripted(script).unwrap();
    let larger = |length: usize| request(1).data(&vec![1u8; length][..]);
    // One that is too large alone does not stop those behind it.
    let results = ready(nl.exchange_all([
        larger(60_000).data(&[1; 60_000][..]).data(&[1; 60_000][..]),
        request(2),
        request(3),
    ]));
    assert!(
        matches!(&results[..], [Err(Error::System { errno: Errno::EMSGSIZE, .. }), Ok(()), Ok(())]),
        "{results:?}"
    );
    let results = ready(nl.exchange_all([larger(2000), larger(2000), request(3)]));
    assert!(matches!(
        &results[..],
        [Err(Error::System { errno: Errno::EMSGSIZE, .. }), Err(Error::NotSent), Err(Error::NotSent)]
    ));
}

#[test]
fn a_batch_reports_what_comes_after_a_loss() {
    // S-H1: a loss costs the run that met it, and no more.
    let mut runs = 0;
    let mut nl = subscribed(move |sent| {
        runs += 1;
        let last = Messages::new(sent).last().unwrap().unwrap().header;
        let done = kernel(bytes(PORT.get(), last.sequence, 2, NONE, &[0; 20]));
        if runs == 2 { vec![FULL, Scene::Pause] } else { vec![done] }
    });
    nl.socket().set_receive_buffer(4096).unwrap();
    let results = ready(nl.exchange_all((0..5).map(request)));
    assert!(matches!(results[..], [Ok(()), Err(Error::Overrun), Err(Error::Unanswered), Ok(()), Ok(())]));
}

#[test]
fn only_the_last_of_a_run_asks_for_an_acknowledgement() {
    // S-X: each would take room that the others' answers need.
    let mut nl = connection(|sent| {
        let last = Messages::new(sent).last().unwrap().unwrap().header;
        vec![kernel(bytes(PORT.get(), last.sequence, 2, NONE, &[0; 20]))]
    });
    let request = || SampleRequest::<()>::new(&Sample::PACKET, MessageFlags::ACK, Header::default());
    assert!(ready(nl.exchange_all([request(), request(), request()])).iter().all(Result::is_ok));
    let sent = script(&nl).sent().concat();
    let flags = Messages::new(&sent).map(|message| message.unwrap().header.flags);
    let asking: Vec<_> = flags.map(|flags| flags.contains(MessageFlags::ACK)).collect();
    assert_eq!(asking, [false, false, true]);
}

#[test]
fn of_two_replies_in_a_batch_the_first_is_the_result() {
    // S-X: behind a loop of the kernel over several objects, say.
    let mut nl = connection(|sent| {
        let mut sent = Messages::new(sent).map(|message| message.unwrap().header.sequence);
        let (first, second) = (sent.next().unwrap(), sent.next().unwrap());
        let data = |sequence, number: u32| bytes(PORT.get(), sequence, 768, NONE, &number.to_ne_bytes());
        vec![kernel([data(first, 7), data(first, 8), data(second, 9)].concat())]
    });
    let results = ready(nl.exchange_all((0..2).map(question)));
    let numbers: Vec<_> = results.into_iter().map(|reply| reply.unwrap().header().number).collect();
    assert_eq!(numbers, [7, 9]);
}

#[test]
fn a_refusal_behind_data_is_the_result_in_a_batch_too() {
    let answers = |sent: &[u8]| {
        let data = reply(sent, 7, NONE);
        let refusal = answer(sent, Errno::EBUSY.0);
        let last = Messages::new(sent).last().unwrap().unwrap().header;
        vec![kernel([data, refusal].concat()), kernel(bytes(PORT.get(), last.sequence, 2, NONE, &[0; 20]))]
    };
    let is_busy = |error: &Error| error.errno() == Some(Errno::EBUSY);
    let results = ready(connection(answers).exchange_all((0..2).map(request)));
    assert!(matches!(&results[..], [Err(error), Ok(())] if is_busy(error)), "{results:?}");
    let results = ready(connection(answers).exchange_all((0..2).map(question)));
    assert!(matches!(&results[..], [Err(error), Err(Error::NoReply(_))] if is_busy(error)), "{results:?}");
    // What was data alone was never acknowledged.
    let data = |sent: &[u8]| vec![kernel(reply(sent, 7, NONE))];
    assert!(matches!(ready(connection(data).exchange_all([request(0)]))[..], [Err(Error::Timeout(_))]));
}

#[test]
fn a_socket_that_is_taken_over_gives_no_answers_to_its_former_owner() {
    // F6.
    let mut nl = connection(|sent| vec![kernel(answer(sent, 0))]);
    let old = |kind, flags| kernel(bytes(PORT.get(), 1, kind, flags, &[0; 20]));
    script(&nl).add((0..3000).map(|_| old(768, MessageFlags::MULTI)));
    script(&nl).add([old(3, MessageFlags::MULTI), old(2, NONE), Scene::Pause]);
    ready(nl.channel.inherit());
    assert_eq!(script(&nl).waiting(), 0);
    let (one, other) = (connection(|_| vec![]).channel.sequence, connection(|_| vec![]).channel.sequence);
    assert_ne!(one, other);
}

#[test]
fn sequences_pass_over_zero() {
    let mut nl = connection(|sent| vec![kernel(answer(sent, 0))]);
    nl.channel.sequence = u32::MAX - 1;
    for expected in [u32::MAX, 1, 2] {
        ready(nl.exchange(request(1))).unwrap();
        assert_eq!(nl.channel.sequence, expected);
    }
    nl.channel.sequence = u32::MAX - 2;
    let mut nl = connection(|sent| {
        let last = Messages::new(sent).last().unwrap().unwrap().header;
        vec![kernel(bytes(PORT.get(), last.sequence, 2, NONE, &[0; 20]))]
    });
    nl.channel.sequence = u32::MAX - 3;
    assert!(ready(nl.exchange_all((0..9).map(request))).iter().all(Result::is_ok));
}

#[test]
fn a_dump_asked_for_as_one_reply_is_read_to_its_end() {
    // S-M5.
    let mut nl = connection(|sent| {
        let part = |number| kernel(reply(sent, number, MessageFlags::MULTI));
        vec![part(1), part(2), kernel(end(sent))]
    });
    for _ in 0..3 {
        assert_eq!(ready(nl.exchange(list().expecting::<Reader>())).unwrap().header().number, 1);
        assert!(nl.channel.inbox.dumping.is_some());
    }
    assert_eq!(ready(ready(nl.list(list())).unwrap().gather()).unwrap().len(), 2);
    assert!(nl.channel.inbox.dumping.is_none());
}

#[test]
fn what_a_filter_does_not_let_pass_is_not_listed() {
    // F4: also when the dump is repeated.
    let mut rounds = 0;
    let mut nl = connection(move |sent| {
        rounds += 1;
        let torn = if rounds < 2 { MessageFlags::DUMP_INTR } else { NONE };
        let part = |number| kernel(reply(sent, number, MessageFlags::MULTI | torn));
        vec![part(1), part(2), part(3), kernel(end(sent))]
    });
    const ODD: MessageInfo = Sample::PACKET.filtered(|asked| {
        assert_eq!(asked.body, 0u32.to_ne_bytes());
        Some(|asked, reply| asked.body[0] == 0 && u32::from_ne_bytes(reply.body.try_into().unwrap()) % 2 == 1)
    });
    let odd = SampleRequest::<Dump<Reader>>::new(&ODD, MessageFlags::DUMP, Header::default());
    let listed = ready(ready(nl.list(&odd)).unwrap().gather()).unwrap();
    let numbers: Vec<_> = listed.iter().map(|item| item.view().unwrap().header().number).collect();
    assert_eq!(numbers, [1, 3]);
    // Nor is it the answer, where a list is asked for as one.
    let mut nl = connection(|sent| vec![kernel(reply(sent, 2, MessageFlags::MULTI)), kernel(end(sent))]);
    assert!(matches!(ready(nl.exchange(odd.into_request().expecting::<Reader>())), Err(Error::NoReply(_))));
}

#[test]
fn what_is_listed_comes_as_values_of_its_own() {
    let listed = |second: &'static [u8]| {
        let mut nl = connection(move |asked| {
            let sequence = Messages::new(asked).next().unwrap().unwrap().header.sequence;
            let second = bytes(PORT.get(), sequence, 768, MessageFlags::MULTI, second);
            vec![kernel([reply(asked, 1, MessageFlags::MULTI), second, end(asked)].concat())]
        });
        nl.dump(list()).unwrap().to_vec()
    };
    let numbers: Vec<u32> = listed(&[5; 4]).unwrap().iter().map(|sample| sample.header().number).collect();
    assert_eq!(numbers, [1, 0x0505_0505]);
    // None is left out without a word.
    assert!(matches!(listed(&[5; 3]), Err(Error::Decode(_))));
}

#[test]
fn an_abandoned_dump_is_read_away_and_costs_no_wait() {
    let mut nl = connection(|sent| {
        let part = |number| kernel(reply(sent, number, MessageFlags::MULTI));
        vec![part(1), part(2), part(3), kernel(end(sent))]
    });
    let _ = ready(ready(nl.list(list())).unwrap().advance()).unwrap();
    assert_eq!(ready(ready(nl.list(list())).unwrap().gather()).unwrap().len(), 3);
    // Its end never comes: then the queue is empty.
    let mut nl = connection(|sent| vec![kernel(reply(sent, 1, MessageFlags::MULTI))]);
    let _ = ready(ready(nl.list(list())).unwrap().advance()).unwrap();
    ready(nl.channel.read_away()).unwrap();
    assert!(nl.channel.inbox.dumping.is_none());
}

#[test]
fn an_interrupted_dump_is_listed_anew_and_not_twice() {
    let mut rounds = 0;
    let mut nl = connection(move |sent| {
        rounds += 1;
        let torn = if rounds < 3 { MessageFlags::DUMP_INTR } else { NONE };
        let part = |number| kernel(reply(sent, number, MessageFlags::MULTI | torn));
        vec![part(1), part(2), kernel(end(sent))]
    });
    assert_eq!(ready(ready(nl.list(list())).unwrap().gather()).unwrap().len(), 2);
    assert_eq!(asked(&nl), 3);
    nl.set_dump_retries(1);
    let mut nl = connection(|sent| {
        vec![kernel(reply(sent, 1, MessageFlags::MULTI | MessageFlags::DUMP_INTR)), kernel(end(sent))]
    });
    nl.set_dump_retries(2);
    let partial = ready(ready(nl.list(list())).unwrap().gather()).unwrap_err();
    assert!(matches!((partial.items.len(), partial.error), (1, Error::Interrupted)));
    assert_eq!(asked(&nl), 3);
}

#[test]
fn what_was_truncated_is_reported_and_the_next_of_its_size_has_room() {
    let large = || bytes(0, 0, 768, NONE, &long(4, 1 << 20));
    let mut nl = subscribed(|_| vec![]);
    script(&nl).add([Scene::Datagram(GROUP, large()), Scene::Datagram(GROUP, large())]);
    let Err(Error::Truncated { length, room }) = nl.try_next_event::<Reader>().map(drop) else { panic!() };
    assert_eq!((length, room), ((1 << 20) + 16, 1 << 20));
    assert_eq!(events(&mut nl), [Some(4)]);
}

#[test]
fn an_echo_is_the_reply_and_others_changes_are_not() {
    // The event of somebody else's change has that one's sequence and port, whatever they are.
    let mut nl = subscribed(|sent| {
        let theirs = bytes(PORT.get() + 1, 1, 768, NONE, &7u32.to_ne_bytes());
        let own = reply(sent, 8, NONE);
        vec![Scene::Datagram(GROUP, theirs), Scene::Datagram(GROUP, own), kernel(answer(sent, 0))]
    });
    let request = SampleRequest::<Reader>::new(
        &Sample::PACKET,
        MessageFlags::ACK | MessageFlags::ECHO,
        Header::default().number(1),
    );
    assert_eq!(ready(nl.exchange(request)).unwrap().header().number, 8);
    assert_eq!(events(&mut nl), [Some(7)]);
}

#[test]
fn a_stream_survives_what_netlink_itself_sends_to_a_group() {
    // P13: team sends its changes with MULTI and a DONE. P15: a datagram may be empty.
    let mut nl = subscribed(|_| vec![]);
    let done = bytes(0, 0, 3, MessageFlags::MULTI, &0i32.to_ne_bytes());
    let part = bytes(0, 0, 768, MessageFlags::MULTI, &5u32.to_ne_bytes());
    let nothing = Scene::Datagram(GROUP, Vec::new());
    script(&nl).add([Scene::Datagram(GROUP, [part, done].concat()), nothing, event(6)]);
    assert_eq!(events(&mut nl), [Some(5), Some(6)]);
    // Nor does such a DONE end a dump.
    let mut nl = subscribed(|sent| {
        let header = Messages::new(sent).next().unwrap().unwrap().header;
        let done = bytes(PORT.get(), header.sequence, 3, MessageFlags::MULTI, &0i32.to_ne_bytes());
        let part = kernel(reply(sent, 1, MessageFlags::MULTI));
        vec![
            Scene::Datagram(GROUP, done),
            Scene::Datagram(Sender::KERNEL, Vec::new()),
            part,
            kernel(end(sent)),
        ]
    });
    assert_eq!(ready(ready(nl.list(list())).unwrap().gather()).unwrap().len(), 1);
}

#[test]
fn what_names_a_group_that_the_address_can_not_tell_is_an_event() {
    let mut nl = subscribed(|sent| {
        let copy = reply(sent, 9, NONE);
        vec![Scene::Datagram(Sender::kernel_group(40), copy), kernel(answer(sent, 0))]
    });
    ready(nl.exchange(request(1))).unwrap();
    let Ok(Some(Notice::Event { group, .. })) = nl.try_next_event::<Reader>() else { panic!() };
    assert_eq!(group, 40);
}

#[test]
fn forged_overruns_and_ends_are_nothing() {
    let stranger = Sender::process(77);
    let mut nl = subscribed(|_| vec![]);
    let overrun = bytes(0, 0, 4, NONE, &[]);
    script(&nl).add([Scene::Datagram(stranger, overrun.clone()), kernel(overrun), event(1)]);
    assert_eq!(events(&mut nl), [None, Some(1)]);
    let mut nl = connection(|sent| {
        vec![kernel(reply(sent, 1, MessageFlags::MULTI)), Scene::Datagram(Sender::process(77), end(sent))]
    });
    let _ = ready(ready(nl.list(list())).unwrap().advance()).unwrap();
    assert!(matches!(ready(nl.channel.read_away()), Ok(())));
    assert!(nl.channel.inbox.dumping.is_none());
    // S-X: what comes to a group ends no dump either, be it left unread by then or not.
    let mut nl = connection(|sent| vec![Scene::Datagram(GROUP, end(sent))]);
    drop(ready(nl.list(list())).unwrap());
    nl.channel.take(None).unwrap();
    nl.channel.discard().unwrap();
    assert!(nl.channel.inbox.dumping.is_some());
}

#[test]
fn the_number_of_an_acknowledgement_reaches_the_caller() {
    // P7: the id of a radio, from mac80211_hwsim.
    let mut nl = connection(|sent| vec![kernel(answer(sent, -5))]);
    ready(nl.exchange(request(1))).unwrap();
    assert_eq!(nl.acknowledgement(), 5);
    let mut nl = connection(|sent| vec![kernel(answer(sent, 5))]);
    assert!(matches!(ready(nl.exchange(request(1))), Err(Error::Kernel(_))));
}

#[test]
fn what_comes_unasked_is_kept_while_an_answer_is_awaited() {
    let mut nl = connection(|sent| {
        let unasked = |number| packet(number);
        vec![kernel([unasked(1), unasked(2), answer(sent, 0), unasked(3)].concat())]
    });
    nl.listen();
    ready(nl.exchange(request(0))).unwrap();
    assert_eq!(events(&mut nl), [Some(1), Some(2), Some(3)]);
}

#[test]
fn a_refusal_of_what_was_posted_ends_no_exchange_and_holds_its_request() {
    let mut nl = connection(|_| vec![]);
    nl.listen();
    let verdict = SampleRequest::<()>::new(&Sample::VERDICT, MessageFlags::ACK, Header::default().number(7))
        .into_request();
    nl.channel.prepare_post(&verdict).unwrap();
    let posted = nl.channel.send.as_slice().to_vec();
    assert_eq!(posted[6..8], MessageFlags::REQUEST.bits().to_ne_bytes());
    let mut exchange = ready(nl.channel.begin(&request(0), Expect::Ack)).unwrap();
    script(&nl).add([kernel(answer(&posted, 2))]);
    ready(nl.channel.receive(Expect::Ack, None)).unwrap();
    assert!(matches!(nl.channel.step(&mut exchange, &Sample::PACKET), Ok(Step::Hungry)));
    assert!(!exchange.is_over());
    let Err(Error::Kernel(error)) = nl.try_next_event::<Reader>() else { panic!() };
    assert_eq!((error.errno(), error.ext_ack().request_name()), (Errno::ENOENT, "S_VERDICT"));
    assert_eq!(error.ext_ack().request(), posted);
}

#[test]
fn what_names_no_port_is_unasked_whatever_its_sequence() {
    let mut nl = connection(|sent| {
        let numbered = Messages::new(sent).map(|message| {
            let sequence = message.unwrap().header.sequence;
            kernel(bytes(0, sequence, 768, NONE, &sequence.to_ne_bytes()))
        });
        let first = kernel(bytes(0, 9, 768, NONE, &9u32.to_ne_bytes()));
        std::iter::once(first).chain(numbered).collect()
    });
    nl.listen();
    assert!(matches!(ready(nl.exchange(question(0))), Err(Error::Timeout(_))));
    let sequence = nl.channel.sequence;
    assert_eq!(events(&mut nl), [Some(9), Some(sequence)]);
    let results = ready(nl.exchange_all([question(1)]));
    assert!(matches!(results[..], [Err(Error::Timeout(_))]));
    assert_eq!(events(&mut nl), [Some(9), Some(sequence + 1)]);
}

#[test]
fn without_listening_what_comes_unasked_is_skipped() {
    let mut nl = connection(|sent| vec![kernel(packet(2)), kernel(answer(sent, 0))]);
    script(&nl).add([kernel(packet(1))]);
    ready(nl.exchange(request(0))).unwrap();
    assert_eq!(events(&mut nl), []);
}

#[test]
fn a_late_answer_and_the_end_of_a_run_are_no_events() {
    let mut nl = connection(|_| vec![]);
    nl.listen();
    let late = bytes(PORT.get(), 1, 2, NONE, &[0; 20]);
    let done = bytes(0, 0, 3, NONE, &[0; 4]);
    script(&nl).add([kernel([late, done, packet(4)].concat())]);
    assert_eq!(events(&mut nl), [Some(4)]);
}

#[test]
fn a_trace_that_nobody_reads_harms_nobody() {
    // S-M6: standard error may be a pipe that was closed.
    const CHILD: &str = "NETLINK_TEST_TRACES";
    if std::env::var_os(CHILD).is_some() {
        let mut nl = connection(|sent| vec![kernel(answer(sent, 0))]);
        ready(nl.exchange(request(0))).unwrap();
        return;
    }
    let (read, write) = std::io::pipe().unwrap();
    drop(read);
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "connection::tests::a_trace_that_nobody_reads_harms_nobody"])
        .envs([(CHILD, "1"), ("NETLINK_TRACE", "1")])
        .stderr(write)
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    assert!(String::from_utf8_lossy(&child.stdout).contains("1 passed"));
}

/// A message of another protocol.
#[allow(dead_code)] // what connects
mod elsewhere {
    use super::{Header, SampleAttrs};
    use crate::{attrs, events, message, protocol, values};

    attrs! {
        /// No attributes.
        pub(super) struct NoAttrs<'a> for OtherRequest<R> {
            /// A number.
            1 O_NUMBER number: u32,
        }
    }
    message! {
        /// Something else under the number of a packet.
        pub(super) struct Other<'a>(Header, NoAttrs<'a>), OtherRequest {
            /// It comes.
            768 O_NEW NEW,
            /// It goes.
            769 O_DEL DEL,
        }
        on PROTOCOL
    }
    message! {
        /// The same type twice, and told apart by a look at it.
        pub(super) struct Plain<'a>(Header, SampleAttrs<'a>), PlainRequest {
            /// It comes.
            770 O_PLAIN NEW,
        }
        on PROTOCOL
    }
    impl Other<'_> {
        fn change(&self) -> crate::Change {
            crate::Change::of(self.message_type().0 == Other::DEL.number, self.number().is_some())
        }
    }
    values! {
        /// Groups.
        pub(super) struct Group: u32 {
            /// One.
            7 O_GROUP ONE "one",
        }
    }
    events! {
        /// What happens.
        pub(super) enum Event<'a> {
            /// Number 1.
            First(Plain) = NEW if is_first,
            /// Any other.
            Plain(Plain) = NEW,
            /// It came, changed or went.
            Thing(Other: Change) = NEW | DEL,
        }
    }
    fn is_first(message: &crate::Message<'_>) -> bool {
        message.body.starts_with(&1u32.to_ne_bytes())
    }
    protocol! {
        /// Elsewhere.
        pub(super) static PROTOCOL: XFRM "xfrm" { Other, Plain }
        events Group => Event<'static>
    }
}

#[test]
fn a_request_of_another_protocol_is_refused_before_it_is_sent() {
    use elsewhere::{Other, OtherRequest, PROTOCOL};

    let other = || OtherRequest::<()>::new(&Other::NEW, NONE, Header::default());
    let asked = OtherRequest::<Dump<Other<'static>>>::new(&Other::NEW, MessageFlags::DUMP, Header::default());
    let mut nl = crate::Connection::open(Protocol::ROUTE).unwrap();
    let text = nl.call(other()).unwrap_err().to_string();
    assert!(text.contains("this is a message of xfrm, and the connection is one of route"), "{text}");
    assert!(matches!(nl.dump(&asked), Err(Error::Request(_))));
    assert!(matches!(nl.post(other()), Err(Error::Request(_))));
    assert!(matches!(nl.batch([other()])[..], [Err(Error::Request(_))]));
    // Over its own it is sent; so is what nobody knows the protocol of.
    let mut own = crate::Connection::open(PROTOCOL.protocol).unwrap();
    assert!(matches!(own.call(other()), Err(Error::Kernel(_))));
    assert!(matches!(nl.call(request(0)), Err(Error::Kernel(_))));
}

#[test]
fn what_only_the_kernel_sends_is_refused_before_it_is_sent() {
    const REPORT: crate::MessageInfo = crate::MessageInfo {
        quirks: crate::Quirks { received: true, ..crate::Quirks::NONE },
        ..Sample::PACKET
    };

    let report = || SampleRequest::<()>::new(&REPORT, NONE, Header::default());
    assert!(report().to_bytes().is_ok());
    let mut nl = crate::Connection::open(Protocol::ROUTE).unwrap();
    let text = nl.call(report()).unwrap_err().to_string();
    assert!(text.contains("a message that only the kernel sends"), "{text}");
    assert!(matches!(nl.post(report()), Err(Error::Request(_))));
    assert!(matches!(nl.batch([report()])[..], [Err(Error::Request(_))]));
}

#[test]
fn events_are_known_by_type_and_by_a_look_at_them() {
    use crate::Change;
    use elsewhere::{Event, Other, OtherRequest, Plain, PlainRequest};

    let event =
        |bytes: Vec<u8>| Event::own(Event::view(&Messages::new(&bytes).next().unwrap().unwrap()).unwrap());
    let plain = |number| {
        let request = PlainRequest::<()>::new(&Plain::NEW, NONE, Header::default().number(number));
        event(request.to_bytes().unwrap())
    };
    assert!(matches!(plain(1), Event::First(_)) && matches!(plain(2), Event::Plain(_)));
    let thing = |info, number: Option<u32>| {
        let request = OtherRequest::<()>::new(info, NONE, Header::default());
        let request = match number {
            Some(number) => request.number(number),
            None => request,
        };
        match event(request.to_bytes().unwrap()) {
            Event::Thing(change, _) => change,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(thing(&Other::NEW, Some(1)), Change::New);
    assert_eq!(thing(&Other::NEW, None), Change::Changed);
    assert_eq!(thing(&Other::DEL, Some(1)), Change::Deleted);
    // A type that no row is about, and a message that can't be read.
    let unknown = Message { header: MessageHeader::default().kind(MessageType(800)), body: &[1, 2] };
    assert_eq!(
        Event::own(Event::view(&unknown).unwrap()).into_owned(),
        Event::Other(crate::AnyEvent::new(&unknown))
    );
    assert_eq!(crate::AnyEvent::new(&unknown).message(), unknown);
    assert!(
        Event::view(&Message { header: MessageHeader::default().kind(MessageType(768)), body: &[1] })
            .is_err()
    );
}

/// P14: what a connector sends is of the type that ends a list; uevents have no header, and records of auditing a length
/// without it.
#[test]
fn events_of_other_framings_come_whole_also_when_they_were_kept() {
    use crate::AnyEvent;
    use crate::message::Framing;

    let mut record = bytes(0, 0, 1300, NONE, b"audit(1:23):");
    record[..4].copy_from_slice(&12u32.to_ne_bytes());
    for (framing, datagram, kind, body) in [
        (Framing::DoneIsData, bytes(0, 5, 3, NONE, b"fork"), 16, &b"fork"[..]),
        (Framing::NoHeader, b"add@/devices/lo\0".to_vec(), 16, b"add@/devices/lo\0"),
        (Framing::OneMessage, record, 1300, b"audit(1:23):"),
    ] {
        let event = || Scene::Datagram(GROUP, datagram.clone());
        let mut nl = subscribed(|_| Vec::new());
        script(&nl).add([event()]);
        nl.channel.inbox.framing = framing;
        let next = |nl: &mut Connection| match nl.try_next_event::<AnyEvent<'static>>().unwrap() {
            Some(Notice::Event { event, group, .. }) => {
                assert_eq!((event.message().header.kind.0, event.message().body, group), (kind, body, 3));
            }
            other => panic!("{framing:?}: {other:?}"),
        };
        next(&mut nl);
        // Before a request, what waits is read and kept.
        script(&nl).add([event(), Scene::Pause]);
        ready(nl.channel.make_room()).unwrap();
        assert_eq!(nl.channel.events.len(), 1);
        next(&mut nl);
    }
}
