//! The decoder: one block for all families, forward and backward, in `f32`, on CPU or GPU.
//!
//! The activations of many texts are concatenated as rows, without padding; only attention distinguishes texts.

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
