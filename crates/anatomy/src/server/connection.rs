//! Limits the number of connections, and how long each may be idle, take to send a request's head, or refuse to read a
//! response.
//!
//! A listener for axum whose connections share a watch. Reading and writing check it: a connection without a request is
//! closed after [`Patience::idle`], one with an incomplete head after [`Patience::head`], one that reads nothing of its
//! response after [`Patience::write`]. At the limit of connections, the one idle for longest is closed for the next.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

/// Timeouts of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// Time without a request.
    pub(crate) idle: Duration,
    /// Time from the first byte of a request to the end of its head.
    pub(crate) head: Duration,
    /// Time without reading any of the response.
    pub(crate) write: Duration,
}

/// State of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Head,
    Busy,
    Closing,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// Time of the last transfer of bytes or change of phase.
    since: Instant,
    /// Whether a response is waiting for the client to read.
    stalled: bool,
    waker: Option<Waker>,
}

/// State shared between the connection's task, the middleware and the listener.
#[derive(Debug)]
pub(crate) struct Watch {
    state: Mutex<State>,
}

impl Watch {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a request's head is complete.
    pub(crate) fn busy(&self) {
        self.enter(Phase::Busy);
    }

    /// Notes that the response has been produced.
    pub(crate) fn answered(&self) {
        self.enter(Phase::Idle);
    }

    fn enter(&self, phase: Phase) {
        let mut state = self.lock();
        if state.phase != Phase::Closing {
            state.phase = phase;
            state.since = Instant::now();
        }
    }
}

/// All open connections by number.
#[derive(Debug, Default)]
pub(crate) struct Open {
    watches: Mutex<BTreeMap<u64, Arc<Watch>>>,
    next: AtomicU64,
}

impl Open {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Watch>>> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Number of open connections.
    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Closes the connection that has waited longest for a request or for the rest of a request's head.
    fn evict(&self) {
        let watches = self.lock();
        let oldest = watches
            .values()
            .filter_map(|watch| {
                let state = watch.lock();
                (matches!(state.phase, Phase::Idle | Phase::Head)).then_some((state.since, watch))
            })
            .min_by_key(|(since, _)| *since);
        if let Some((_, watch)) = oldest {
            let mut state = watch.lock();
            state.phase = Phase::Closing;
            if let Some(waker) = state.waker.take() {
                waker.wake();
            }
        }
    }
}

/// A listener with a limited number of connections.
pub(crate) struct Guarded {
    listener: TcpListener,
    room: Arc<Semaphore>,
    open: Arc<Open>,
    patience: Patience,
}

impl Guarded {
    pub(crate) fn new(listener: TcpListener, most: usize, patience: Patience, open: Arc<Open>) -> Self {
        let room = Arc::new(Semaphore::new(most.max(1)));
        Self {
            listener,
            room,
            open,
            patience,
        }
    }

    async fn room(&self) -> OwnedSemaphorePermit {
        loop {
            if let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() {
                return permit;
            }
            self.open.evict();
            let freed = Arc::clone(&self.room).acquire_owned();
            if let Ok(Ok(permit)) = tokio::time::timeout(Duration::from_millis(50), freed).await {
                return permit;
            }
        }
    }
}

impl Listener for Guarded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let permit = self.room().await;
        loop {
            if let Ok((stream, address)) = self.listener.accept().await {
                // Send small responses at once, without Nagle's algorithm.
                let _ = stream.set_nodelay(true);
                let connection = Connection::new(stream, permit, Arc::clone(&self.open), self.patience);
                return (connection, address);
            }
            // The client went away, or file handles ran out: free one and retry.
            self.open.evict();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection with timeouts.
pub(crate) struct Connection {
    stream: TcpStream,
    watch: Arc<Watch>,
    number: u64,
    open: Arc<Open>,
    patience: Patience,
    sleep: Pin<Box<Sleep>>,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    fn new(stream: TcpStream, permit: OwnedSemaphorePermit, open: Arc<Open>, patience: Patience) -> Self {
        let now = Instant::now();
        let watch = Arc::new(Watch {
            state: Mutex::new(State {
                phase: Phase::Idle,
                since: now,
                stalled: false,
                waker: None,
            }),
        });
        let number = open.next.fetch_add(1, Ordering::Relaxed);
        open.lock().insert(number, Arc::clone(&watch));
        Self {
            stream,
            watch,
            number,
            open,
            patience,
            sleep: Box::pin(tokio::time::sleep_until(now + patience.idle)),
            _permit: permit,
        }
    }

    /// Time at which the current phase times out; `None` while a request is processed.
    fn deadline(&self) -> Option<Instant> {
        let state = self.watch.lock();
        match state.phase {
            Phase::Closing => Some(state.since),
            _ if state.stalled => Some(state.since + self.patience.write),
            Phase::Idle => Some(state.since + self.patience.idle),
            Phase::Head => Some(state.since + self.patience.head),
            Phase::Busy => None,
        }
    }

    /// Whether the deadline has passed; otherwise schedules a wake-up at the deadline.
    fn overdue(&mut self, context: &mut Context<'_>) -> bool {
        while let Some(deadline) = self.deadline() {
            if deadline <= Instant::now() {
                return true;
            }
            if self.sleep.deadline() != deadline {
                self.sleep.as_mut().reset(deadline);
            }
            if self.sleep.as_mut().poll(context).is_pending() {
                break;
            }
        }
        false
    }

    fn wrote(&mut self, context: &mut Context<'_>, done: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        {
            let mut state = self.watch.lock();
            if done.is_ready() {
                state.since = Instant::now();
                state.stalled = false;
            } else if !state.stalled {
                state.since = Instant::now();
                state.stalled = true;
            }
        }
        if done.is_pending() && self.overdue(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        done
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.open.lock().remove(&self.number);
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let done = Pin::new(&mut self.stream).poll_read(context, buffer);
        if done.is_ready() {
            if buffer.filled().len() > before {
                let mut state = self.watch.lock();
                if state.phase == Phase::Idle {
                    state.phase = Phase::Head;
                    state.since = Instant::now();
                }
            }
            return done;
        }
        self.watch.lock().waker = Some(context.waker().clone());
        if self.overdue(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        done
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(context, done)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.wrote(context, done)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// The connection of a request, for handlers.
#[derive(Clone)]
pub(crate) struct Peer(pub(crate) Arc<Watch>);

impl Connected<IncomingStream<'_, Guarded>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Guarded>) -> Self {
        Self(Arc::clone(&stream.io().watch))
    }
}
