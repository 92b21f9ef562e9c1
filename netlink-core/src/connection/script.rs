//! A socket whose datagrams are written down beforehand.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::channel::Channel;
use super::wait::{Block, Wait};
use super::{Connection, Result};
use crate::error::{Errno, Error};
use crate::message::{Protocol, Sender};
use crate::socket::{Deadline, Received, Socket};

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

/// What answers a datagram that was sent.
type Answers = Box<dyn FnMut(&[u8]) -> Vec<Scene> + Send>;

/// A socket that gives out what was written down for it, and keeps what is sent: the core of a connection without a
/// kernel. At the end of the script a wait is over at once, as a [`Error::Timeout`].
pub struct Script {
    /// Its options and its port are real.
    socket: Socket,
    state: Mutex<State>,
}

struct State {
    scenes: VecDeque<Scene>,
    sent: Vec<Vec<u8>>,
    answers: Answers,
}

impl Script {
    /// A script that begins with these scenes, and goes on behind them with what `answers` makes of each datagram sent.
    pub fn new(
        scenes: impl IntoIterator<Item = Scene>,
        answers: impl FnMut(&[u8]) -> Vec<Scene> + Send + 'static,
    ) -> Result<Self> {
        let scenes = scenes.into_iter().collect();
        Ok(Self {
            socket: Socket::open(Protocol::ROUTE)?,
            state: Mutex::new(State { scenes, sent: Vec::new(), answers: Box::new(answers) }),
        })
    }

    fn with<R>(&self, what: impl FnOnce(&mut State) -> R) -> R {
        what(&mut self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// More scenes, behind those that wait.
    pub fn add(&self, scenes: impl IntoIterator<Item = Scene>) {
        self.with(|state| state.scenes.extend(scenes));
    }

    /// The datagrams sent so far.
    pub fn sent(&self) -> Vec<Vec<u8>> {
        self.with(|state| state.sent.clone())
    }

    /// How many scenes still wait.
    pub fn waiting(&self) -> usize {
        self.with(|state| state.scenes.len())
    }

    fn play(&self, scene: Scene, buffer: &mut [u8]) -> Result<Received> {
        let errno = match scene {
            Scene::Datagram(sender, bytes) => {
                let length = bytes.len();
                for (to, from) in buffer.iter_mut().zip(bytes) {
                    *to = from;
                }
                return Ok(Received { length, sender });
            }
            Scene::Failure(errno) => errno,
            Scene::Pause => Errno::EAGAIN,
        };
        Err(Error::system("script", errno))
    }
}

impl AsRef<Socket> for Script {
    fn as_ref(&self) -> &Socket {
        &self.socket
    }
}

impl Wait for Script {
    fn try_receive(&self, buffer: &mut [u8]) -> Result<Received> {
        let scene = self.with(|state| state.scenes.pop_front());
        self.play(scene.unwrap_or(Scene::Pause), buffer)
    }

    fn receive_in_call(&self, buffer: &mut [u8], _: &mut Deadline) -> Option<Result<Received>> {
        loop {
            match self.with(|state| state.scenes.pop_front()) {
                Some(Scene::Pause) => {}
                Some(scene) => return Some(self.play(scene, buffer)),
                None => return Some(Err(Error::Timeout(std::time::Duration::ZERO))),
            }
        }
    }

    async fn receive(&self, buffer: &mut [u8], deadline: &mut Deadline) -> Result<Received> {
        self.receive_in_call(buffer, deadline).unwrap_or(Err(Error::Stopped))
    }

    fn try_send(&self, datagram: &[u8]) -> Result<()> {
        self.with(|state| {
            state.sent.push(datagram.to_vec());
            let answers = (state.answers)(datagram);
            state.scenes.extend(answers);
        });
        Ok(())
    }

    fn waiting(&self) -> Result<usize> {
        self.socket.receive_buffer()
    }

    async fn writable(&self) -> Result<()> {
        Ok(())
    }

    async fn turn() {}
}

impl Block for Script {}

impl Connection<Script> {
    /// A connection over a script.
    pub fn scripted(script: Script) -> Result<Self> {
        // What is written down may be of any protocol.
        let mut channel = Channel::new(script)?;
        channel.protocol = None;
        Ok(Self { channel })
    }

    /// The script.
    pub fn script(&self) -> &Script {
        &self.channel.socket
    }
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Script").field("waiting", &self.waiting()).finish_non_exhaustive()
    }
}
