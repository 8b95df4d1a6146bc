//! `AdamW` (Loshchilov and Hutter 2019, <https://arxiv.org/abs/1711.05101>), as `torch.optim.AdamW` computes it.

/// Hyperparameters of the optimiser.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamW {
    /// Learning rate.
    pub learning_rate: f64,
    /// Decay rate of the running mean of gradients.
    pub beta1: f64,
    /// Decay rate of the running mean of squared gradients.
    pub beta2: f64,
    /// Added to the root of the mean square in the denominator.
    pub epsilon: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
}

impl AdamW {
    /// Defaults: `betas` 0.9 and 0.999, `eps` 1e-8, no weight decay.
    pub fn usual(learning_rate: f64) -> Self {
        Self {
            learning_rate,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
        }
    }

    /// Performs one step on `weights`; `step` counts from 1.
    pub fn update(&self, step: u64, weights: &mut [f32], gradient: &[f32], moments: &mut Moments) {
        let power = |beta: f64| 1.0 - beta.powf(step as f64);
        let size = (self.learning_rate / power(self.beta1)) as f32;
        let root = power(self.beta2).sqrt() as f32;
        let (b1, b2) = (self.beta1 as f32, self.beta2 as f32);
        let keep = (1.0 - self.learning_rate * self.weight_decay) as f32;
        let means = moments.mean.iter_mut().zip(&mut moments.square);
        for ((w, g), (m, v)) in weights.iter_mut().zip(gradient).zip(means) {
            *m = b1 * *m + (1.0 - b1) * g;
            *v = b2 * *v + (1.0 - b2) * g * g;
            *w = *w * keep - size * *m / (v.sqrt() / root + self.epsilon as f32);
        }
    }
}

/// Running means of a tensor's gradients and of their squares.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// Mean of gradients.
    pub mean: Vec<f32>,
    /// Mean of squared gradients.
    pub square: Vec<f32>,
}

impl Moments {
    pub(super) fn mean(&self) -> &[f32] {
        &self.mean
    }

    pub(super) fn square(&self) -> &[f32] {
        &self.square
    }

    /// Zero moments for `n` weights.
    pub fn zero(n: usize) -> Self {
        Self {
            mean: vec![0.0; n],
            square: vec![0.0; n],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AdamW, Moments};

    /// `torch.optim.AdamW([p], lr=0.1, weight_decay=0.01)` on `p = [1, -2]` with gradients `[0.5, -1]`, then `[-0.25, 0]`.
    #[test]
    fn two_steps_are_those_of_torch() {
        let settings = AdamW {
            weight_decay: 0.01,
            ..AdamW::usual(0.1)
        };
        let mut weights = [1.0, -2.0];
        let mut moments = Moments::zero(2);
        settings.update(1, &mut weights, &[0.5, -1.0], &mut moments);
        settings.update(2, &mut weights, &[-0.25, 0.0], &mut moments);
        for (ours, theirs) in weights.iter().zip([0.871_467_4_f32, -1.829_096_2]) {
            assert!((ours - theirs).abs() < 1e-6, "{weights:?}");
        }
    }
}
