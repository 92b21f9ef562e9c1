//! A whole connection over a script: several senders in any order, losses and garbage, and a model of the
//! expected results.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use netlink_core::connection::Connection;
use netlink_core::message;
use netlink_core::testkit::{Scene, Script};
use netlink_core::{
    Dump, Errno, Error, MessageFlags, MessageHeader, MessageType, Messages, Notice, Sender, Writer, attrs,
    layout,
};

layout! {
    /// A header.
    pub struct Header: sample = 4 {
        /// A number.
        number: u32,
    }
}
attrs! {
    /// Attributes.
    pub struct SampleAttrs<'a> for SampleRequest<R> {
        /// A number.
        1 S_NUMBER number: u32,
    }
}
netlink_core::message! {
    /// Requests, answers and events.
    pub struct Sample<'a>(Header, SampleAttrs<'a>), SampleRequest {
        /// The only command.
        768 S_SAMPLE SAMPLE,
    }
}

type Reader = Sample<'static>;

/// The meaning of one message of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// An answer to the request at this position of the datagram.
    Answer(usize, Said),
    /// An event. Its number is chosen when the scene is made.
    Event,
    /// The answer to the previous request.
    Stale(Said),
    /// The answer to a request of another socket.
    Others(Said),
    Noop,
    /// `NLMSG_OVERRUN`.
    Lost,
    /// Not a message. It ends the datagram.
    Garbage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    /// An errno, or 0.
    Error(u8),
    Done(u8),
    Reply,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Kernel,
    Group,
    Process,
    /// To a group that the connection joined.
    ProcessGroup,
}

/// A scene before its request is known.
#[derive(Clone, Debug)]
enum Plan {
    Datagram(From, Vec<What>),
    /// An event larger than the buffer.
    Huge,
    Full,
    Pause,
}

/// The content of the script, for the model.
#[derive(Default)]
struct Told {
    /// The plans for each sent datagram.
    plans: VecDeque<Vec<Plan>>,
    port: u32,
    /// Events in order of arrival; `None` is a point where the receive buffer was full.
    events: Vec<Option<u32>>,
    /// The answers to the requests of the current operation, by their position in it.
    answers: Vec<(usize, Said, u32)>,
    /// Number of requests that were sent before the datagram.
    sent: usize,
    next: u32,
    /// How often `NLMSG_OVERRUN` arrived: it is reported by an error or among the events.
    losses: usize,
    /// What happened since the script was last read to its end.
    trouble: Trouble,
    takes_events: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Trouble {
    full: bool,
    garbage: bool,
    huge: bool,
    lost: bool,
}

impl Told {
    /// The scenes that answer a datagram.
    fn answer(&mut self, sent: &[u8]) -> Vec<Scene> {
        let requests: Vec<u32> =
            Messages::new(sent).flatten().map(|message| message.header.sequence).collect();
        let plans = self.plans.pop_front().unwrap_or_default();
        let scenes = plans.iter().map(|plan| self.scene(plan, &requests)).collect();
        self.sent += requests.len();
        scenes
    }

    fn scene(&mut self, plan: &Plan, requests: &[u32]) -> Scene {
        match plan {
            Plan::Pause => Scene::Pause,
            Plan::Full => {
                self.trouble.full = true;
                self.events.push(None);
                Scene::Failure(Errno::ENOBUFS)
            }
            Plan::Huge => {
                // Earlier messages may have made space for it, and then its zeros are not a message.
                (self.trouble.huge, self.trouble.garbage) = (true, true);
                Scene::Datagram(Sender::kernel_group(3), vec![0; 3 << 19])
            }
            Plan::Datagram(from, messages) => {
                let sender = match from {
                    From::Kernel => Sender::KERNEL,
                    From::Group => Sender::kernel_group(3),
                    From::Process => Sender::process(4242),
                    From::ProcessGroup => {
                        let mut sender = Sender::kernel_group(3);
                        sender.port = 4242;
                        sender
                    }
                };
                let mut out = Writer::new();
                for what in messages {
                    self.message(&mut out, *from, *what, requests);
                    if *what == What::Garbage {
                        break;
                    }
                }
                Scene::Datagram(sender, out.into_bytes())
            }
        }
    }

    fn message(&mut self, out: &mut Writer, from: From, what: What, requests: &[u32]) {
        self.next += 1;
        let number = self.next;
        let own = self.port;
        let is_kernel = matches!(from, From::Kernel | From::Group);
        let (said, sequence, port) = match what {
            What::Answer(place, said) => {
                let place = place % requests.len().max(1);
                let Some(sequence) = requests.get(place) else { return };
                if from == From::Kernel {
                    self.answers.push((self.sent + place, said, number));
                }
                (said, *sequence, own)
            }
            What::Event => (Said::Reply, 0, 0),
            What::Stale(said) => {
                (said, requests.first().map_or(7, |first| first.wrapping_sub(1).max(1)), own)
            }
            What::Others(said) => (said, requests.first().copied().unwrap_or(9), own ^ 0x5555_0000),
            What::Noop | What::Lost => {
                let kind = if what == What::Noop { MessageType::NOOP } else { MessageType::OVERRUN };
                if what == What::Lost && is_kernel {
                    self.trouble.lost = true;
                    self.losses += 1;
                }
                return message::write(out, MessageHeader::default().kind(kind).port(own), |_| {});
            }
            What::Garbage => {
                self.trouble.garbage |= is_kernel;
                return out.push(&[3; 16]);
            }
        };
        let header = MessageHeader::default().sequence(sequence).port(port);
        let (kind, body) = match said {
            Said::Error(errno) => (MessageType::ERROR, -i32::from(errno)),
            Said::Done(errno) => (MessageType::DONE, -i32::from(errno)),
            Said::Reply => (MessageType(Sample::SAMPLE.number), number.cast_signed()),
        };
        // Every message of the kernel to a group is an event, and so is one without a receiver.
        let is_event =
            said == Said::Reply && (from == From::Group || from == From::Kernel && what == What::Event);
        if is_event && self.takes_events {
            self.events.push(Some(number));
        }
        message::write(out, header.kind(kind), |out| {
            out.push(&body.to_ne_bytes());
            if said != Said::Reply {
                out.push(&[0; 16]);
            }
        });
    }
}

/// Choices made from the input.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn said(&mut self) -> Option<Said> {
        Some(match self.next()? {
            byte @ 0..0x60 => Said::Error(if byte < 0x30 { 0 } else { byte & 0x1f }),
            byte @ 0x60..0x90 => Said::Done(if byte < 0x80 { 0 } else { byte & 0x1f }),
            _ => Said::Reply,
        })
    }

    fn plan(&mut self) -> Option<Plan> {
        let byte = self.next()?;
        let from = match byte % 16 {
            0..8 => From::Kernel,
            8..11 => From::Group,
            11 => From::ProcessGroup,
            12 => From::Process,
            13 => return Some(Plan::Pause),
            14 => return Some(if byte == 0xfe { Plan::Huge } else { Plan::Full }),
            _ => return Some(Plan::Datagram(From::Group, vec![What::Event; usize::from(byte / 16)])),
        };
        let mut messages = Vec::new();
        for _ in 0..=byte / 64 {
            messages.push(match self.next()? {
                byte @ 0..0xa0 => What::Answer((byte % 8).into(), self.said()?),
                0xa0..0xc8 => What::Event,
                0xc8..0xdc => What::Stale(self.said()?),
                0xdc..0xe8 => What::Others(self.said()?),
                0xe8..0xf0 => What::Noop,
                0xf0..0xf8 if from == From::Kernel => What::Lost,
                _ => What::Garbage,
            });
        }
        Some(Plan::Datagram(from, messages))
    }

    /// Plans up to a byte that ends them.
    fn plans(&mut self) -> Vec<Plan> {
        let mut plans = Vec::new();
        while self.0.first().is_some_and(|byte| *byte != 0xff) {
            plans.extend(self.plan());
        }
        self.next();
        plans
    }
}

/// The model, and its connection.
struct Stage {
    nl: Connection,
    told: Arc<Mutex<Told>>,
    /// The returned events; `None` is an `Overrun`.
    got: Vec<Option<u32>>,
    takes_events: bool,
}

fn sample(number: u32) -> Header {
    Header::default().number(number)
}

impl Stage {
    fn told<R>(&self, what: impl FnOnce(&mut Told) -> R) -> R {
        what(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Number of remaining scenes.
    fn waiting(&self) -> usize {
        self.nl.socket().script().map_or(0, Script::waiting)
    }

    fn begin(&self, plans: Vec<Vec<Plan>>) {
        self.told(|told| {
            told.plans = plans.into();
            told.answers.clear();
            told.sent = 0;
        });
    }

    /// The first answer to the request at this position.
    fn first(&self, place: usize, counts: impl Fn(Said) -> bool) -> Option<(Said, u32)> {
        self.told(|told| {
            let mut answers = told.answers.iter().filter(|(of, said, _)| *of == place && counts(*said));
            answers.next().map(|(_, said, number)| (*said, *number))
        })
    }

    /// Whether the script explains an error that is not an answer.
    fn is_excused(&self, error: &Error, unanswered: bool) -> bool {
        let trouble = self.told(|told| told.trouble);
        match error {
            Error::Timeout(_) => unanswered,
            Error::Overrun => trouble.full || trouble.lost,
            Error::Truncated { .. } => trouble.huge,
            Error::Decode(_) => trouble.garbage,
            _ => false,
        }
    }

    fn is_troubled(&self) -> bool {
        let Trouble { full, garbage, huge, lost } = self.told(|told| told.trouble);
        full || garbage || huge || lost
    }

    fn acknowledged(&mut self, plans: Vec<Plan>) {
        self.begin(vec![plans]);
        let request = SampleRequest::<()>::new(&Sample::SAMPLE, MessageFlags::empty(), sample(0));
        let result = self.nl.call(request);
        let first = self.first(0, |said| said != Said::Reply);
        match (&result, first) {
            (Ok(()), Some((Said::Error(0) | Said::Done(0), _))) => {}
            (Err(Error::Kernel(error)), Some((Said::Error(errno) | Said::Done(errno), _)))
                if error.errno() == Errno(errno.into()) => {}
            (Err(error), first) if self.is_excused(error, first.is_none()) => {}
            _ => panic!("an acknowledgement: {result:?} of {first:?}"),
        }
    }

    fn replied(&mut self, plans: Vec<Plan>) {
        self.begin(vec![plans]);
        let request = SampleRequest::<Reader>::new(&Sample::SAMPLE, MessageFlags::empty(), sample(0));
        let result = self.nl.call(request).map(|sample| sample.header().number);
        let first = self.first(0, |_| true);
        match (&result, first) {
            (Ok(number), Some((Said::Reply, replied))) if *number == replied => {}
            (Err(Error::NoReply(_)), Some((Said::Error(0) | Said::Done(0), _))) => {}
            (Err(Error::Kernel(error)), Some((Said::Error(errno) | Said::Done(errno), _)))
                if error.errno() == Errno(errno.into()) => {}
            (Err(error), first) if self.is_excused(error, first.is_none()) => {}
            _ => panic!("a reply: {result:?} of {first:?}"),
        }
    }

    fn listed(&mut self, plans: Vec<Plan>) {
        self.begin(vec![plans]);
        let request = SampleRequest::<Dump<Reader>>::new(&Sample::SAMPLE, MessageFlags::DUMP, sample(0));
        let (items, error) = match self.nl.dump(request) {
            Ok(listing) => match listing.collect() {
                Ok(items) => (items, None),
                Err(partial) => (partial.items, Some(partial.error)),
            },
            Err(error) => (Vec::new(), Some(error)),
        };
        let items: Vec<u32> =
            items.iter().map(|item| item.view().expect("a sample").header().number).collect();
        let answers: Vec<(Said, u32)> =
            self.told(|told| told.answers.iter().map(|(_, said, number)| (*said, *number)).collect());
        let end = answers.iter().position(|(said, _)| *said != Said::Reply);
        let replies: Vec<u32> =
            answers.iter().take(end.unwrap_or(answers.len())).map(|(_, number)| *number).collect();
        match (&error, end.and_then(|end| answers.get(end))) {
            (None, Some((Said::Error(0) | Said::Done(0), _))) => {
                // The content of a garbled datagram is lost, and that was an error.
                assert_eq!(items, replies, "a list");
            }
            (Some(Error::Kernel(error)), Some((Said::Error(errno) | Said::Done(errno), _)))
                if error.errno() == Errno((*errno).into()) => {}
            (Some(error), end) if self.is_excused(error, end.is_none()) => {}
            (error, end) => panic!("a list: {error:?} of {end:?}"),
        }
        assert!(replies.starts_with(&items), "a list of {items:?}, told {replies:?}");
    }

    fn batched(&mut self, count: usize, plans: Vec<Vec<Plan>>) {
        self.begin(plans);
        let requests =
            (0..count).map(|_| SampleRequest::<()>::new(&Sample::SAMPLE, MessageFlags::empty(), sample(0)));
        let results = self.nl.batch(requests);
        assert_eq!(results.len(), count, "a result for each request");
        for (place, result) in results.iter().enumerate() {
            let first = self.first(place, |said| !matches!(said, Said::Reply));
            let refused = self.first(place, |said| matches!(said, Said::Error(1..) | Said::Done(1..)));
            match (result, refused) {
                (Ok(()), _) => {
                    // Either it was acknowledged itself, or a later request was answered and this one was not
                    // refused.
                    let later = (place..count).any(|later| self.first(later, |_| true).is_some());
                    assert!(later, "request {place} of {count} is done without an answer: {first:?}");
                    // The kernel answers in order, so an answer after that of a later request does not count.
                    let refused_in_order = self.told(|told| {
                        let mut ends =
                            told.answers.iter().filter(|(of, said, _)| *of >= place && *said != Said::Reply);
                        ends.next().is_some_and(|(of, said, _)| {
                            *of == place && matches!(said, Said::Error(1..) | Said::Done(1..))
                        })
                    });
                    if refused_in_order && !self.is_troubled() {
                        panic!("request {place} of {count} was refused, and is done");
                    }
                }
                (Err(Error::Kernel(error)), Some((Said::Error(errno) | Said::Done(errno), _))) => {
                    let refusals = self.told(|told| {
                        told.answers.iter().any(|(of, said, _)| {
                            *of == place && matches!(said, Said::Error(other) | Said::Done(other) if error.errno() == Errno((*other).into()))
                        })
                    });
                    assert!(refusals, "request {place}: {error:?}, told {errno}");
                }
                (Err(Error::Unanswered | Error::NotSent), _) => {
                    let failed = results.iter().any(|result| {
                        result.as_ref().is_err_and(|error| {
                            !matches!(error, Error::Unanswered | Error::NotSent | Error::Kernel(_))
                        })
                    });
                    assert!(failed, "request {place} failed without a reason");
                }
                // The connection decides which of them was the last in its datagram.
                (Err(error), _) if self.is_excused(error, true) => {}
                (result, refused) => panic!("request {place} of {count}: {result:?} of {refused:?}"),
            }
        }
    }

    /// Takes the available events.
    fn events(&mut self) {
        let most = self.waiting() + self.told(|told| told.events.len()) + 64;
        for _ in 0..2 * most {
            match self.nl.try_next_event::<Reader>() {
                Ok(Some(Notice::Event { event, .. })) => self.got.push(Some(event.header().number)),
                Ok(Some(Notice::Overrun)) => self.got.push(None),
                Ok(None) => {
                    if self.waiting() == 0 {
                        self.told(|told| told.trouble = Trouble::default());
                        return;
                    }
                }
                Err(error) => assert!(self.is_excused(&error, false), "an event: {error:?}"),
            }
        }
        panic!("events without an end");
    }

    /// Every event was returned once, in order, and every loss was reported after the events before it.
    fn conclude(&mut self) {
        self.events();
        let events = self.told(|told| std::mem::take(&mut told.events));
        let told: Vec<u32> = events.iter().copied().flatten().collect();
        let got: Vec<u32> = self.got.iter().copied().flatten().collect();
        assert_eq!(got, told, "events");
        let fulls = events.iter().filter(|event| event.is_none()).count();
        let notices = self.got.iter().filter(|event| event.is_none()).count();
        let losses = self.told(|told| told.losses);
        assert!(notices <= fulls + losses, "{notices} losses told of {fulls}: {:?} of {events:?}", self.got);
        // How many events came before each loss, in the script and from the connection.
        let before = |list: &[Option<u32>]| -> Vec<usize> {
            let mut count = 0;
            let mut places = Vec::new();
            for event in list {
                match event {
                    Some(_) => count += 1,
                    None => places.push(count),
                }
            }
            places
        };
        let (fulls, notices) = (before(&events), before(&self.got));
        for (number, notice) in notices.iter().enumerate().filter(|_| losses == 0) {
            let full = fulls.iter().filter(|full| *full <= notice).count();
            assert!(full > number, "a loss told before it was: {:?} of {events:?}", self.got);
        }
        if let Some(last) = fulls.last() {
            let told = notices.iter().any(|notice| notice >= last);
            assert!(told, "a loss not told: {:?} of {events:?}", self.got);
        }
    }
}

/// Operations, and the messages that arrive during each.
pub fn connection(bytes: &[u8]) {
    let mut choices = Choices(bytes);
    let Some(how) = choices.next() else { return };
    let told = Arc::new(Mutex::new(Told { takes_events: how % 4 != 0, ..Told::default() }));
    let answering = Arc::clone(&told);
    let script =
        Script::new([], move |sent| answering.lock().unwrap_or_else(PoisonError::into_inner).answer(sent));
    let Ok(nl) = Connection::scripted(script) else { return };
    told.lock().unwrap_or_else(PoisonError::into_inner).port = nl.socket().port();
    let mut stage = Stage { nl, told, got: Vec::new(), takes_events: how % 4 != 0 };
    match how % 4 {
        0 => {}
        1 => stage.nl.listen(),
        _ => stage.nl.subscribe(&[]).expect("no group"),
    }
    while let Some(operation) = choices.next() {
        match operation % 8 {
            0 | 1 => {
                let plans = choices.plans();
                stage.acknowledged(plans);
            }
            2 | 3 => {
                let plans = choices.plans();
                stage.replied(plans);
            }
            4 => {
                let plans = choices.plans();
                stage.listed(plans);
            }
            5 | 6 => {
                let count = usize::from(operation / 8) % 12 + 1;
                let plans = (0..3).map(|_| choices.plans()).collect();
                stage.batched(count, plans);
            }
            _ if stage.takes_events => stage.events(),
            _ => {}
        }
    }
    if stage.takes_events {
        stage.conclude();
    }
}

/// Seeds of each kind.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let orderly: &[&[u8]] = &[
        &[0, 0, 0, 0, 0xff],
        &[2, 2, 0, 0, 0xb0, 0xff, 7],
        &[2, 4, 0x40, 0, 0xb0, 0, 0xb0, 0, 0, 0x60, 0xff, 7],
        &[2, 0, 0x3f, 0x0e, 0x3f, 0x0d, 0xff, 0, 0, 0, 0, 0xff, 7],
        &[2, 0x2d, 0, 0, 0x31, 0, 2, 0x3f, 0xff, 0xff, 0xff, 7],
        &[1, 0, 0x0c, 0, 0, 8, 0xa0, 0, 0xf9, 0xff, 7, 2, 0, 0, 0xb0, 0xff],
        &[2, 0, 0, 0xf1, 0xff, 7],
    ];
    orderly.iter().map(|bytes| bytes.to_vec()).collect()
}
