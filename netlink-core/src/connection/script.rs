//! What a socket receives, and how it is answered, written down beforehand.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::channel::Channel;
use super::wait::Wait;
use super::{Connection, Events, Result};
use crate::error::{Errno, Error};
use crate::message::{Messages, Sender};
use crate::socket::{Received, Socket};

/// What a receive of a [`Script`] brings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums)]
pub enum Scene {
    /// A datagram.
    Datagram(Sender, Vec<u8>),
    /// The receive fails: `ENOBUFS` for a receive buffer that was full.
    Failure(Errno),
    /// Nothing has come yet: a receive that doesn't wait fails with `EAGAIN`, one that waits goes on.
    Pause,
}

/// What answers a datagram that was sent from a port, or why it is not sent.
type Answers = Box<dyn FnMut(&[u8], u32) -> Result<Vec<Scene>> + Send>;

/// What a socket gives out in place of the kernel's messages. What is sent is kept. At the end of the script a wait is over
/// at once, as a [`Error::Timeout`].
pub struct Script(Mutex<State>);

struct State {
    scenes: VecDeque<Scene>,
    sent: Vec<Vec<u8>>,
    /// Requests that are expected yet.
    unsent: usize,
    answers: Answers,
}

impl Script {
    /// A script that begins with these scenes, and goes on behind them with what `answers` makes of each datagram sent.
    pub fn new(
        scenes: impl IntoIterator<Item = Scene>,
        mut answers: impl FnMut(&[u8]) -> Vec<Scene> + Send + 'static,
    ) -> Self {
        Self::of(scenes, move |sent, _| Ok(answers(sent)))
    }

    /// The same, where a datagram may be refused, and answers depend on the port that it is sent from.
    pub(crate) fn of(
        scenes: impl IntoIterator<Item = Scene>,
        answers: impl FnMut(&[u8], u32) -> Result<Vec<Scene>> + Send + 'static,
    ) -> Self {
        let scenes = scenes.into_iter().collect();
        Self(Mutex::new(State { scenes, sent: Vec::new(), unsent: 0, answers: Box::new(answers) }))
    }

    /// Expects so many requests.
    #[cfg(feature = "testkit")]
    pub(crate) fn expecting(self, requests: usize) -> Self {
        self.with(|state| state.unsent = requests);
        self
    }

    fn with<R>(&self, what: impl FnOnce(&mut State) -> R) -> R {
        what(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// More scenes, behind those that wait.
    pub fn add(&self, scenes: impl IntoIterator<Item = Scene>) {
        self.with(|state| state.scenes.extend(scenes));
    }

    /// The datagrams sent so far.
    pub fn sent(&self) -> Vec<Vec<u8>> {
        self.with(|state| state.sent.clone())
    }

    /// How many requests of a [`Recording`](crate::testkit::Recording) were not sent yet.
    #[cfg(feature = "testkit")]
    pub fn unsent(&self) -> usize {
        self.with(|state| state.unsent)
    }

    /// How many scenes still wait.
    pub fn waiting(&self) -> usize {
        self.with(|state| state.scenes.len())
    }

    pub(crate) fn send(&self, datagram: &[u8], port: u32) -> Result<()> {
        self.with(|state| {
            let answers = (state.answers)(datagram, port)?;
            state.unsent = state.unsent.saturating_sub(Messages::new(datagram).count());
            state.sent.push(datagram.to_vec());
            state.scenes.extend(answers);
            Ok(())
        })
    }

    /// What is there without a wait.
    pub(crate) fn try_receive(&self, buffer: &mut [u8]) -> Result<Received> {
        play(self.with(|state| state.scenes.pop_front()).unwrap_or(Scene::Pause), buffer)
    }

    /// What comes after a wait.
    pub(crate) fn receive(&self, buffer: &mut [u8]) -> Result<Received> {
        loop {
            match self.with(|state| state.scenes.pop_front()) {
                Some(Scene::Pause) => {}
                Some(scene) => return play(scene, buffer),
                None => return Err(Error::Timeout(std::time::Duration::ZERO)),
            }
        }
    }
}

fn play(scene: Scene, buffer: &mut [u8]) -> Result<Received> {
    let errno = match scene {
        Scene::Datagram(sender, bytes) => {
            let length = bytes.len();
            // Memory is always read; what the buffer has no room for is lost, as the kernel does it.
            let _ = std::io::Read::read(&mut bytes.as_slice(), buffer);
            return Ok(Received { length, sender });
        }
        Scene::Failure(errno) => errno,
        Scene::Pause => Errno::EAGAIN,
    };
    Err(Error::system("script", errno))
}

impl<S: Wait> Connection<S> {
    /// A connection over a script. On tokio it must be called inside a runtime.
    pub fn scripted(script: Script) -> Result<Self> {
        Ok(Self { channel: Channel::new(S::over(Socket::scripted(script)?)?)? })
    }
}

impl<E, S: Wait> Events<E, S> {
    /// A stream of events over a script. On tokio it must be called inside a runtime.
    pub fn scripted(script: Script) -> Result<Self> {
        Self::on(S::over(Socket::scripted(script)?)?, &[])
    }
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Script").field("waiting", &self.waiting()).finish_non_exhaustive()
    }
}
