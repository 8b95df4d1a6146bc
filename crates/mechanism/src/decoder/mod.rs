//! The decoder: one block for all families, forwards and backwards, in `f32`, on the processor or a card.
//!
//! Activations of many texts lie one after the other as rows, without padding; only attention knows where one text ends.

pub mod attention;
mod backward;
pub mod block;
pub mod block_gradient;
mod buffers;
mod cpu;
#[cfg(feature = "cuda")]
pub mod cuda;
pub(crate) mod device;
pub mod elementwise;
pub mod feed_forward;
mod few;
pub mod gradient;
pub mod laid;
pub mod layer;
pub mod linear;
pub mod linear_gradient;
pub mod machine;
pub mod matmul;
pub mod matrix;
pub mod mixture;
pub mod norm;
mod reference;
pub mod rope;
pub mod suite;

pub use crate::segment::Segment;
pub use cpu::cosine;
pub use device::Device;
pub use laid::Laid;
pub use layer::Layer;
pub use linear::Form;
pub use machine::{Cpu, Machine};
