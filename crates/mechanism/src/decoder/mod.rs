//! The decoder: one block for all families, forwards and backwards, in `f32` on the processor.
//!
//! Activations of many texts lie one after the other as rows, without padding; only attention knows where one text ends.

pub mod attention;
mod backward;
pub mod block;
pub mod block_gradient;
mod buffers;
pub mod elementwise;
pub mod feed_forward;
pub mod gradient;
pub mod layer;
pub mod linear;
pub mod linear_gradient;
pub mod matmul;
pub mod mixture;
pub mod norm;
pub mod rope;
mod wide;

pub use crate::segment::Segment;
pub use layer::Layer;
