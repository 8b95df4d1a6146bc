//! The device that a checkpoint runs on.

/// The device that computes.
#[derive(Debug, Clone, Default)]
pub enum Device {
    /// The CPU.
    #[default]
    Cpu,
    /// An NVIDIA GPU.
    #[cfg(feature = "cuda")]
    Card(std::sync::Arc<super::cuda::Cuda>),
}

/// Evaluates an expression with `$machine` bound to the machine of a [`Device`].
macro_rules! on {
    ($device:expr, $machine:ident => $work:expr) => {
        match $device {
            $crate::decoder::Device::Cpu => {
                let $machine = &$crate::decoder::Cpu;
                $work
            }
            #[cfg(feature = "cuda")]
            $crate::decoder::Device::Card(card) => {
                let $machine = &**card;
                $work
            }
        }
    };
}
pub(crate) use on;

impl Device {
    /// Whether it is the CPU.
    pub fn is_processor(&self) -> bool {
        matches!(self, Self::Cpu)
    }
}
