//! A matrix that several tasks write concurrently.

/// A row-major matrix: pointer to its first element and distance between rows. Each task writes different elements.
#[derive(Clone, Copy)]
pub(super) struct Target(pub(super) *mut f32, pub(super) usize);

#[expect(
    unsafe_code,
    reason = "tasks write disjoint parts of one matrix, which slices cannot say"
)]
// SAFETY: whoever creates one borrows the matrix mutably for all its tasks, and these write disjoint rows or columns.
unsafe impl Send for Target {}

#[expect(
    unsafe_code,
    reason = "tasks write disjoint parts of one matrix, which slices cannot say"
)]
// SAFETY: as above.
unsafe impl Sync for Target {}
