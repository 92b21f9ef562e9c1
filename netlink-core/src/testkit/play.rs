//! Connections and streams of events that go as was recorded, and the recorder.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Line, Recording};
use crate::Tracer;
use crate::connection::{Connection, Events, Scene, Script, Wait};
use crate::error::{Errno, Error};
use crate::layout::Field as _;
use crate::message::{HEADER_LEN, Message, MessageFlags, Messages, Sender};

impl Recording {
    /// A connection that is answered as was recorded, blocking or on tokio as its type says: to hand to the code under
    /// test. No kernel is involved but for the socket's options.
    ///
    /// The requests must be those of the recording, in its order; only sequence, port and the flag `NLM_F_ACK` may differ.
    /// Another one fails with `EPROTO` and is not sent; [`Script::unsent`] says whether all were.
    ///
    /// ```
    /// # use netlink_core::{MessageFlags, attrs, layout, message};
    /// # layout! { /// H.
    /// #     pub struct Header: rtgenmsg = 1 { /// F.
    /// #         family: u8, } }
    /// # attrs! { /// A.
    /// #     pub struct NsidAttrs<'a> for NsidRequest<R> { /// I.
    /// #         1 NETNSA_NSID nsid: i32, } }
    /// # message! { /// M.
    /// #     pub struct Nsid<'a>(Header, NsidAttrs<'a>), NsidRequest { /// N.
    /// #         88 RTM_NEWNSID NEW, /// G.
    /// #         90 RTM_GETNSID GET, } }
    /// # fn get() -> NsidRequest<Nsid<'static>> {
    /// #     NsidRequest::new(&Nsid::GET, MessageFlags::empty(), Header::default())
    /// # }
    /// # fn new(id: i32) -> NsidRequest<()> {
    /// #     NsidRequest::new(&Nsid::NEW, MessageFlags::empty(), Header::default()).nsid(id)
    /// # }
    /// use netlink_core::testkit::{Recording, Replies};
    /// use netlink_core::{Connection, Error, Events, Notice};
    ///
    /// fn my_function(nl: &mut Connection) -> Result<Option<i32>, Error> {
    ///     Ok(nl.call(get())?.nsid())
    /// }
    ///
    /// let mut nl = Recording::new().exchange(&get(), &Replies::new().message(&new(7))).connection()?;
    /// assert_eq!(my_function(&mut nl)?, Some(7));
    /// assert_eq!(nl.socket().script().unwrap().unsent(), 0);
    /// // Nothing more was recorded.
    /// assert!(my_function(&mut nl).is_err());
    ///
    /// let text = "*28 1c0000005800000000000000000000000000000008000100feffffff\n!";
    /// # let text = &text.replace("1c0000005800000000000000000000000000000008000100feffffff", &{
    /// #     use std::fmt::Write as _;
    /// #     let told = new(-2).to_bytes()?;
    /// #     told.iter().fold(String::new(), |mut text, byte| { write!(text, "{byte:02x}").unwrap(); text })
    /// # });
    /// let mut events: Events<Nsid<'_>> = Recording::parse(text).unwrap().events()?;
    /// let Notice::Event { event, group: 28, .. } = events.next()? else { panic!("no event") };
    /// assert_eq!(event.nsid(), Some(-2));
    /// assert!(matches!(events.next()?, Notice::Overrun));
    /// assert!(matches!(events.next(), Err(Error::Timeout(_))));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn connection<S: Wait>(self) -> Result<Connection<S>, Error> {
        Connection::scripted(self.script())
    }

    /// A stream of events that brings those of the recording, and the places where some were lost; behind its end a
    /// [`Error::Timeout`] at once. An event that was recorded without its group (`<`) is one if it has neither port nor
    /// sequence.
    pub fn events<E, S: Wait>(self) -> Result<Events<E, S>, Error> {
        Events::scripted(self.script())
    }

    /// The rest of it, which [`call`](Self::call) and [`dump`](Self::dump) have not played.
    fn script(self) -> Script {
        let mut lines = VecDeque::new();
        for line in self.lines.into_iter().skip(self.at) {
            match line {
                // As they are sent one by one, or as many at a time as there is room for.
                Line::Sent(datagram) => lines.extend(split(&datagram).map(|one| Line::Sent(one.into()))),
                line => lines.push_back(line),
            }
        }
        let unsent = lines.iter().filter(|line| matches!(line, Line::Sent(_))).count();
        let mut play = Play { lines, sequences: Vec::new() };
        let first = play.scenes(0);
        Script::of(first, move |sent, port| play.answer(sent, port)).expecting(unsent)
    }
}

/// What is left of a recording.
struct Play {
    /// With one message in each that is sent.
    lines: VecDeque<Line>,
    /// Of requests, in the recording and as they were sent.
    sequences: Vec<(u32, u32)>,
}

impl Play {
    /// What comes before the next request.
    fn scenes(&mut self, port: u32) -> Vec<Scene> {
        let mut scenes = Vec::new();
        while let Some(line) = self.lines.front() {
            scenes.push(match line {
                Line::Sent(_) => break,
                Line::Received(0, datagram) => {
                    Scene::Datagram(Sender::KERNEL, self.addressed(datagram, port))
                }
                Line::Received(group, datagram) => {
                    Scene::Datagram(Sender::kernel_group(*group), datagram.clone())
                }
                Line::Overrun => Scene::Failure(Errno::ENOBUFS),
            });
            self.lines.pop_front();
        }
        scenes
    }

    /// What comes after requests, if they are the next ones.
    fn answer(&mut self, sent: &[u8], port: u32) -> Result<Vec<Scene>, Error> {
        let mut scenes = Vec::new();
        for request in split(sent) {
            scenes.extend(self.scenes(port));
            match self.lines.front() {
                Some(Line::Sent(recorded)) if is_same(recorded, request) => {
                    self.sequences.extend(sequence(recorded).zip(sequence(request)));
                    self.lines.pop_front();
                }
                Some(_) => return Err(Error::system("another request than the recorded one", Errno::EPROTO)),
                None => {
                    return Err(Error::system("a request behind the end of the recording", Errno::EPROTO));
                }
            }
        }
        scenes.extend(self.scenes(port));
        Ok(scenes)
    }

    /// A datagram of answers, with the sequences and the port that they are waited for with.
    fn addressed(&self, datagram: &[u8], port: u32) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(datagram.len());
        for message in split(datagram) {
            let at = bytes.len();
            bytes.extend_from_slice(message);
            let recorded = sequence(message).and_then(|recorded| {
                self.sequences.iter().rev().find(|(asked, _)| *asked == recorded && recorded != 0)
            });
            if let Some((_, sent)) = recorded {
                sent.store(&mut bytes, at + AT_SEQUENCE);
                port.store(&mut bytes, at + AT_PORT);
            }
        }
        bytes
    }
}

/// Places in `struct nlmsghdr`.
const AT_SEQUENCE: usize = 8;
const AT_PORT: usize = 12;

/// The messages of a datagram with what is between them; what is none is left as it is.
fn split(datagram: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut messages = Messages::new(datagram);
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let read = messages.next()?;
        let left = if read.is_ok() { messages.rest().len() } else { 0 };
        let (message, behind) = rest.split_at_checked(rest.len() - left)?;
        rest = behind;
        Some(message)
    })
}

fn first(bytes: &[u8]) -> Option<Message<'_>> {
    Messages::new(bytes).next()?.ok()
}

fn sequence(message: &[u8]) -> Option<u32> {
    Some(first(message)?.header.sequence)
}

/// Whether one request asks what the other does.
fn is_same(recorded: &[u8], sent: &[u8]) -> bool {
    let asks = |message: Message<'_>| (message.header.kind, message.header.flags - MessageFlags::ACK);
    first(recorded).map(asks) == first(sent).map(asks) && recorded.get(HEADER_LEN..) == sent.get(HEADER_LEN..)
}

/// Records what connections and streams of events send and receive.
///
/// ```no_run
/// use netlink_core::testkit::Recorder;
/// use netlink_core::{Connection, Protocol};
///
/// let mut nl = Connection::open(Protocol::ROUTE)?;
/// let recorder = Recorder::new();
/// nl.set_tracer(Some(recorder.tracer()));
/// // Ask what the test shall ask.
/// println!("{}", recorder.recording().to_text());
/// # Ok::<(), netlink_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Mutex<Recording>>);

impl Recorder {
    /// One that has recorded nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// What a connection or a stream calls with each datagram; see [`Connection::set_tracer`].
    pub fn tracer(&self) -> Tracer {
        let recording = Arc::clone(&self.0);
        Box::new(move |traffic| recording.lock().unwrap_or_else(PoisonError::into_inner).record(traffic))
    }

    /// What was recorded so far.
    pub fn recording(&self) -> Recording {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::Replies;
    use crate::testkit::tests::{Sample, list, new};
    use crate::{Notice, Owned};

    type Reader = Sample<'static>;

    fn question(number: u32) -> crate::Request<Reader> {
        new(number).into_request().expecting()
    }

    fn recorded() -> Recording {
        Recording::new()
            .exchange(&new(1), &Replies::new().ack())
            .exchange(&list(), &Replies::new().part(&new(2)).part(&new(3)).done(0))
            .exchange(&question(4), &Replies::new().message(&new(5)))
            .exchange(&new(6), &Replies::new().error(1, &[]))
    }

    fn unsent(nl: &Connection) -> usize {
        nl.socket().script().unwrap().unsent()
    }

    #[test]
    fn a_connection_goes_as_was_recorded() {
        let mut nl: Connection = recorded().connection().unwrap();
        assert_eq!(unsent(&nl), 4);
        nl.call(new(1)).unwrap();
        let numbers: Vec<_> =
            nl.dump(list()).unwrap().to_vec().unwrap().iter().map(|one| one.number()).collect();
        assert_eq!(numbers, [Some(2), Some(3)]);
        assert_eq!(nl.call(question(4)).unwrap().number(), Some(5));
        assert_eq!(unsent(&nl), 1);
        // Another request is not sent, and what was recorded waits.
        let other = nl.call(new(7)).unwrap_err();
        assert_eq!(other.to_string(), "another request than the recorded one: Protocol error (EPROTO)");
        assert_eq!((unsent(&nl), nl.socket().script().unwrap().sent().len()), (1, 3));
        assert!(nl.call(new(6)).unwrap_err().is_permission());
        assert_eq!(unsent(&nl), 0);
        let more = nl.call(new(6)).unwrap_err();
        assert_eq!(more.to_string(), "a request behind the end of the recording: Protocol error (EPROTO)");
    }

    #[test]
    fn requests_of_a_batch_were_recorded_one_by_one() {
        let refused = Replies::new().error(2, &[]);
        let recording = Recording::new()
            .exchange(&new(1), &Replies::new())
            .exchange(&new(2), &refused)
            .exchange(&new(3), &Replies::new().ack());
        let mut nl: Connection = recording.connection().unwrap();
        let results = nl.batch((1..4).map(new));
        assert!(matches!(&results[..], [Ok(()), Err(error), Ok(())] if error.is_not_found()), "{results:?}");
        assert_eq!(unsent(&nl), 0);
    }

    #[test]
    fn events_come_with_their_losses() {
        let event = |number| Replies::new().message(&new(number));
        let recording = Recording::new().events_of(3, &event(1)).overrun().events_of(7, &event(2));
        let mut events: Events<Reader> = recording.clone().events().unwrap();
        let of = |notice: Notice<Sample<'_>>| match notice {
            Notice::Event { event, group, .. } => Some((event.number(), group)),
            Notice::Overrun => None,
        };
        assert_eq!(of(events.next().unwrap()), Some((Some(1), 3)));
        // The loss is reported when what waited before it has been read.
        assert_eq!(of(events.next().unwrap()), Some((Some(2), 7)));
        assert_eq!(of(events.next().unwrap()), None);
        assert!(matches!(events.next(), Err(Error::Timeout(_))));

        // An event while an answer is awaited.
        let answered = Replies::new().ack();
        let mut nl: Connection =
            recording.exchange(&new(9), &answered).events_of(3, &event(4)).connection().unwrap();
        nl.subscribe(&[]).unwrap();
        nl.call(new(9)).unwrap();
        let mut found = Vec::new();
        while let Some(notice) = nl.try_next_event::<Reader>().unwrap() {
            found.push(of(notice));
        }
        assert_eq!(found, [Some((Some(1), 3)), Some((Some(2), 7)), None, Some((Some(4), 3))]);
    }

    #[test]
    fn what_is_recorded_is_played_again() {
        let first = recorded().events_of(7, &Replies::new().message(&new(1))).overrun();
        let text = first.to_text();
        assert_eq!(text.lines().skip(8).map(|line| &line[..1]).collect::<String>(), "*!");
        assert_eq!(Recording::parse(&text), Some(first.clone()));
        for wrong in ["! 00", "*", "*7", "*x 00", "*7 0"] {
            assert_eq!(Recording::parse(wrong), None, "{wrong}");
        }
        let mut nl: Connection = first.connection().unwrap();
        let recorder = Recorder::new();
        nl.set_tracer(Some(recorder.tracer()));
        nl.subscribe(&[]).unwrap();
        let everything = |nl: &mut Connection| {
            nl.call(new(1)).unwrap();
            let listed: Vec<Owned<Reader>> = nl.dump(list()).unwrap().collect().unwrap();
            assert_eq!(listed.len(), 2);
            assert_eq!(nl.call(question(4)).unwrap().number(), Some(5));
            assert!(nl.call(new(6)).unwrap_err().is_permission());
            let event = nl.next_event::<Reader>().unwrap();
            assert!(matches!(event, Notice::Event { group: 7, .. }));
        };
        everything(&mut nl);
        let mut again: Connection = recorder.recording().connection().unwrap();
        again.subscribe(&[]).unwrap();
        everything(&mut again);
    }

    #[cfg(feature = "tokio")]
    #[test]
    fn the_same_on_a_reactor() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut nl: crate::tokio::Connection = recorded().connection().unwrap();
            nl.call(new(1)).await.unwrap();
            assert_eq!(nl.dump(list()).await.unwrap().to_vec().await.unwrap().len(), 2);
            assert_eq!(nl.call(question(4)).await.unwrap().number(), Some(5));
            assert!(nl.call(new(6)).await.unwrap_err().is_permission());
            let recording = Recording::new().events_of(3, &Replies::new().message(&new(1))).overrun();
            let mut events: crate::tokio::Events<Reader> = recording.events().unwrap();
            assert!(matches!(events.next().await, Ok(Notice::Event { group: 3, .. })));
            assert!(matches!(events.next().await, Ok(Notice::Overrun)));
            assert!(matches!(events.next().await, Err(Error::Timeout(_))));
        });
    }
}
