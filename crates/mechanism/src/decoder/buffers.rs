//! Reusable scratch memory: allocating fresh pages costs more than computing what is written to them.

use std::sync::Mutex;

/// Buffers that are not in use.
pub(super) struct Buffers<T>(Mutex<Vec<Vec<T>>>);

impl<T: Copy> Buffers<T> {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Lends `work` a slice of `len` elements of unspecified content; newly allocated elements are `fill`.
    pub(super) fn lend<R>(&self, len: usize, fill: T, work: impl FnOnce(&mut [T]) -> R) -> R {
        let kept = self.0.lock().ok().and_then(|mut buffers| buffers.pop());
        let mut buffer = kept.unwrap_or_default();
        if buffer.len() < len {
            buffer.resize(len, fill);
        }
        let result = work(&mut buffer[..len]);
        if let Ok(mut buffers) = self.0.lock() {
            buffers.push(buffer);
        }
        result
    }
}
