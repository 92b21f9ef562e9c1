//! How a connection waits.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::error::Error;
use crate::socket::{Deadline, Received, Socket};

type Result<T> = std::result::Result<T, Error>;

/// A socket that waits for datagrams: in the system call, or on a reactor.
///
/// Whatever waits is written once, as a future. In the system call it is complete at the first poll, so that
/// polling it makes a plain call. What can be done without a wait is a plain function, as futures inside of futures
/// cost more than a short call.
pub trait Wait: AsRef<Socket> + Sized {
    /// A socket that waits this way.
    fn over(socket: Socket) -> Result<Self>;

    /// Waits for a datagram in the system call and receives it. `None`: a future has to.
    fn receive_in_call(&self, buffer: &mut [u8], deadline: &mut Deadline) -> Option<Result<Received>>;

    /// Waits for a datagram, having let others of the thread go on, and receives it.
    fn receive(
        &self,
        buffer: &mut [u8],
        deadline: &mut Deadline,
    ) -> impl Future<Output = Result<Received>> + Send;

    /// Waits for room to send.
    fn writable(&self) -> impl Future<Output = Result<()>> + Send;

    /// Lets others of the thread go on.
    fn turn() -> impl Future<Output = ()> + Send;
}

/// A socket that waits in the system call, whose calls are plain functions.
pub trait Block: Wait {}

impl Block for Socket {}

impl AsRef<Self> for Socket {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl Wait for Socket {
    fn over(socket: Socket) -> Result<Self> {
        Ok(socket)
    }

    #[inline]
    fn receive_in_call(&self, buffer: &mut [u8], deadline: &mut Deadline) -> Option<Result<Received>> {
        Some(self.receive_before(buffer, deadline))
    }

    async fn receive(&self, buffer: &mut [u8], deadline: &mut Deadline) -> Result<Received> {
        self.receive_before(buffer, deadline)
    }

    async fn writable(&self) -> Result<()> {
        Ok(())
    }

    async fn turn() {}
}

/// The result of a future over a socket that waits in the system call.
#[inline]
pub(crate) fn ready<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}
