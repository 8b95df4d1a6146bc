//! A matrix that many tasks write.

/// A row-major matrix, its first number and how far rows are apart, of which every task writes other elements.
#[derive(Clone, Copy)]
pub(super) struct Target(pub(super) *mut f32, pub(super) usize);

#[expect(
    unsafe_code,
    reason = "tasks write disjoint parts of one matrix, which slices cannot say"
)]
// SAFETY: whoever makes one borrows the matrix mutably for all its tasks, and these write disjoint rows or columns.
unsafe impl Send for Target {}

#[expect(
    unsafe_code,
    reason = "tasks write disjoint parts of one matrix, which slices cannot say"
)]
// SAFETY: as above.
unsafe impl Sync for Target {}
