//! Which machine a checkpoint runs on.

/// What computes.
#[derive(Debug, Clone, Default)]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// A card.
    #[cfg(feature = "cuda")]
    Card(std::sync::Arc<super::cuda::Cuda>),
}

/// Runs an expression with `$machine` the machine that a [`Device`] is.
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
    /// Whether it is the processor.
    pub fn is_processor(&self) -> bool {
        matches!(self, Self::Cpu)
    }
}
