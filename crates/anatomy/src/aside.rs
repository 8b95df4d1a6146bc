//! Values that are freed beside what follows.

use std::ops::Deref;

/// A value that another thread frees once it goes out of scope: tables of a million texts take long to take apart, and a
/// program that ends before need not wait for it.
pub(crate) struct Aside<T: Send + 'static>(Option<T>);

impl<T: Send + 'static> Aside<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T: Send + 'static> Deref for Aside<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("only `drop` takes the value")
    }
}

impl<T: Send + 'static> Drop for Aside<T> {
    fn drop(&mut self) {
        let value = self.0.take();
        rayon::spawn(move || drop(value));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::Aside;

    #[test]
    fn a_value_is_read_and_then_freed_once() {
        struct Tells(mpsc::Sender<u32>);
        impl Drop for Tells {
            fn drop(&mut self) {
                self.0.send(7).expect("the test listens");
            }
        }
        let (sender, receiver) = mpsc::channel();
        let value = Aside::new((5, Tells(sender)));
        assert_eq!((*value).0, 5);
        assert!(receiver.try_recv().is_err());
        drop(value);
        assert_eq!(receiver.recv_timeout(Duration::from_secs(30)), Ok(7));
        assert!(
            receiver.recv_timeout(Duration::from_secs(30)).is_err(),
            "freed twice"
        );
    }
}
