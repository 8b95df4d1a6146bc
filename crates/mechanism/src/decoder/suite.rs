//! Tests every operation of a machine against `f64`. It is run by the tests, when a GPU is opened, and by the command
//! `anatomy probe device --check`.

use super::attention::Heads;
use super::gradient::GradientMatrix;
use super::machine::{Machine, Product, Visit};
use super::matrix::Use;
use super::norm::{Norm, NormGradient};
use super::reference;
use super::rope::Angles;
use crate::config::{Activation, NormKind};
use crate::error::Result;
use crate::segment::Segment;

mod attention;
mod logits;

/// Size of the test shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// One shape per operation, quick enough for every start.
    Start,
    /// Odd shapes, widths of one, several blocks in each direction.
    Whole,
}

/// The deviation of one operation.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Description of the operation and its shape.
    pub what: String,
    /// Greatest absolute deviation, divided by the root mean square of the reference.
    pub error: f64,
    /// The allowed deviation.
    pub allowed: f64,
    /// Where the deviation is greatest: the machine's value, and the reference.
    pub worst: (f64, f64),
}

impl Measured {
    /// Whether the deviation is allowed.
    pub fn is_right(&self) -> bool {
        self.error <= self.allowed
    }
}

/// Pseudorandom numbers between −1 and 1.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn numbers(&mut self, n: usize) -> Vec<f32> {
        (0..n)
            .map(|_| {
                self.0 ^= self.0 << 13;
                self.0 ^= self.0 >> 7;
                self.0 ^= self.0 << 17;
                (self.0 >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
            })
            .collect()
    }
}

/// Compares values with the reference.
pub(crate) fn compared(what: String, got: &[f64], want: &[f64], allowed: f64) -> Measured {
    let square = want.iter().map(|v| v * v).sum::<f64>() / want.len().max(1) as f64;
    let unit = square.sqrt().max(1e-30);
    let mut measured = Measured {
        what,
        error: if got.len() == want.len() {
            0.0
        } else {
            f64::INFINITY
        },
        allowed,
        worst: (0.0, 0.0),
    };
    for (got, want) in got.iter().zip(want) {
        let error = (got - want).abs() / unit;
        if error.is_nan() || error > measured.error {
            measured.error = if error.is_nan() { f64::INFINITY } else { error };
            measured.worst = (*got, *want);
        }
    }
    measured
}

struct Suite<'a, M: Machine> {
    machine: &'a M,
    noise: Noise,
    /// Allowed deviation of products.
    of_products: f64,
    found: Vec<Measured>,
}

/// Runs the suite; products may deviate by `of_products`, relative to the root mean square of their results.
///
/// # Errors
/// Errors of the machine.
pub fn suite<M: Machine>(machine: &M, extent: Extent, of_products: f64) -> Result<Vec<Measured>> {
    let mut suite = Suite {
        machine,
        noise: Noise::new(1),
        of_products,
        found: Vec::new(),
    };
    let whole = extent == Extent::Whole;
    let shapes: &[(usize, usize, usize)] = if whole {
        &[(1, 1, 1), (3, 5, 7), (70, 130, 200), (5, 33, 513), (2, 96, 160)]
    } else {
        &[(5, 70, 150)]
    };
    for &(m, n, k) in shapes {
        for bits in [8, 11, 24] {
            suite.product(m, n, k, bits)?;
            suite.product_back(m, n, k, bits)?;
        }
        suite.gradient(m, n, k)?;
    }
    for kind in [NormKind::Rms, NormKind::RmsPlusOne, NormKind::Layer] {
        suite.norm(kind, 3, 200, 1)?;
        if whole {
            suite.norm(kind, 2, 1, 1)?;
            suite.norm(kind, 6, 5, 3)?;
        }
    }
    suite.rotation(if whole { 40 } else { 5 })?;
    for kind in [
        Activation::Silu,
        Activation::GeluTanh,
        Activation::Gelu,
        Activation::Relu,
    ] {
        suite.gate(kind, true)?;
        suite.gate(kind, false)?;
    }
    suite.single_rows()?;
    suite.logits(3, if whole { 1000 } else { 150 }, Some(30.0))?;
    suite.logits(2, 150, None)?;
    suite.logits(2, 1, None)?;
    let tree = reference::tree(whole);
    let texts = Segment::texts(if whole { &[1, 37, 16, 9] } else { &[9, 3] });
    let mut cases = vec![(2, 1, 6, Some(5), Some(2.0))];
    if whole {
        cases.extend([
            (3, 3, 1, None, None),
            (4, 2, 64, Some(16), None),
            (2, 2, 96, None, Some(30.0)),
            (2, 1, 256, None, None),
            (2, 1, 257, Some(11), Some(20.0)),
            (2, 2, 512, None, None),
            (1, 1, 530, Some(16), None),
        ]);
    }
    for (n_heads, n_kv_heads, head_dim, window, cap) in cases {
        let heads = Heads {
            n_heads,
            n_kv_heads,
            head_dim,
            scale: 1.5 / (head_dim as f32).sqrt(),
            cap,
            window,
        };
        suite.attention(&heads, &tree)?;
        suite.attention_back(&heads, &texts)?;
        suite.attention_kept(&heads, if whole { 21 } else { 6 })?;
    }
    Ok(suite.found)
}

impl<M: Machine> Suite<'_, M> {
    /// Compares values with the reference and records the result.
    fn see(&mut self, what: String, got: &[f32], want: &[f64], allowed: f64) {
        let got: Vec<f64> = got.iter().map(|v| f64::from(*v)).collect();
        self.see_exactly(what, &got, want, allowed);
    }

    fn see_exactly(&mut self, what: String, got: &[f64], want: &[f64], allowed: f64) {
        self.found.push(compared(what, got, want, allowed));
    }

    fn up(&self, values: &[f32]) -> Result<M::Rows> {
        self.machine.rows(values.to_vec())
    }

    /// Numbers whose significands have at most `bits` bits.
    fn weights(&mut self, n: usize, bits: u32) -> Vec<f32> {
        let mask = u32::MAX << (24 - bits);
        let numbers = self.noise.numbers(n);
        numbers
            .iter()
            .map(|v| f32::from_bits((v * 0.5).to_bits() & mask))
            .collect()
    }

    fn product(&mut self, m: usize, n: usize, k: usize, bits: u32) -> Result<()> {
        let (x, w) = (self.noise.numbers(m * k), self.weights(n * k, bits));
        let (base, bias) = (self.noise.numbers(m * n), self.noise.numbers(n));
        let machine = self.machine;
        let matrix = machine.matrix(w.clone(), n, k, Use::Layer)?;
        let table = machine.matrix(w.clone(), n, k, Use::Table)?;
        let on = self.up(&base)?;
        let bias_there = machine.vector(bias.clone())?;
        let (mut plain, mut added) = (M::Rows::default(), M::Rows::default());
        let products = [
            Product {
                matrix: &matrix,
                bias: None,
                base: None,
                out: &mut plain,
            },
            Product {
                matrix: &table,
                bias: Some(&bias_there),
                base: Some(&on),
                out: &mut added,
            },
        ];
        machine.product(&self.up(&x)?, products);
        let mut want = reference::product(&x, &w, m, n, k);
        let what = format!("product {m}x{n}x{k}, weights of {bits} bits");
        self.see(what.clone(), &machine.read(&plain)?, &want, self.of_products);
        for (i, want) in want.iter_mut().enumerate() {
            *want += f64::from(base[i]) + f64::from(bias[i % n]);
        }
        let got = machine.read(&added)?;
        self.see(format!("{what}, added"), &got, &want, self.of_products);
        Ok(())
    }

    fn product_back(&mut self, m: usize, n: usize, k: usize, bits: u32) -> Result<()> {
        let (dy, w) = (self.noise.numbers(m * n), self.weights(n * k, bits));
        let before = self.noise.numbers(m * k);
        let mut dx = self.up(&before)?;
        let matrix = self.machine.matrix(w.clone(), n, k, Use::Layer)?;
        self.machine.product_back(&self.up(&dy)?, &matrix, &mut dx);
        let want: Vec<f64> = (0..m * k)
            .map(|at| {
                let (i, j) = (at / k, at % k);
                let sum: f64 = (0..n)
                    .map(|o| f64::from(dy[i * n + o]) * f64::from(w[o * k + j]))
                    .sum();
                sum + f64::from(before[at])
            })
            .collect();
        let got = self.machine.read(&dx)?;
        let what = format!("product backwards {m}x{n}x{k}, weights of {bits} bits");
        self.see(what, &got, &want, self.of_products);
        Ok(())
    }

    fn gradient(&mut self, m: usize, n: usize, k: usize) -> Result<()> {
        let (dy, x) = (self.noise.numbers(m * n), self.noise.numbers(m * k));
        let (mut weight, mut bias) = (GradientMatrix::new(n, k), vec![0.0; n]);
        let (there, x_there) = (self.up(&dy)?, self.up(&x)?);
        self.machine
            .gradient(&there, &x_there, &mut weight, Some(&mut bias))?;
        let of_weight: Vec<f64> = (0..n * k)
            .map(|at| {
                let (o, j) = (at / k, at % k);
                (0..m)
                    .map(|i| f64::from(dy[i * n + o]) * f64::from(x[i * k + j]))
                    .sum()
            })
            .collect();
        let of_bias: Vec<f64> = (0..n)
            .map(|o| (0..m).map(|i| f64::from(dy[i * n + o])).sum())
            .collect();
        self.see(format!("gradient {m}x{n}x{k}"), &weight.dense(), &of_weight, 2e-5);
        self.see(format!("sums of columns {m}x{n}"), &bias, &of_bias, 1e-6);
        Ok(())
    }

    fn norm(&mut self, kind: NormKind, rows: usize, width: usize, turns: usize) -> Result<()> {
        let n = rows * width;
        let weight = self.noise.numbers(width * turns);
        let bias = (kind == NormKind::Layer).then(|| self.noise.numbers(width * turns));
        let (x, dy) = (self.noise.numbers(n), self.noise.numbers(n));
        let here = Norm {
            kind,
            epsilon: 1e-2,
            weight,
            bias,
        };
        let machine = self.machine;
        let there = Norm {
            kind,
            epsilon: here.epsilon,
            weight: machine.vector(here.weight.clone())?,
            bias: here.bias.clone().map(|bias| machine.vector(bias)).transpose()?,
        };
        let (x_there, dy_there) = (self.up(&x)?, self.up(&dy)?);
        let (mut out, mut dx) = (M::Rows::default(), M::Rows::default());
        machine.norm(&there, &x_there, width, &mut out);
        let what = format!("norm {kind:?} {rows}x{width}, weights of {turns}");
        let got = machine.read(&out)?;
        self.see(what.clone(), &got, &reference::norm(&here, &x, width), 2e-6);
        let mut gradient = NormGradient {
            weight: vec![0.0; width * turns],
            bias: here.bias.as_ref().map(|_| vec![0.0; width * turns]),
        };
        machine.norm_back(&there, &x_there, &dy_there, width, &mut dx, &mut gradient)?;
        let [want_x, want_w, want_b] = reference::norm_back(&here, &x, &dy, width);
        let got = machine.read(&dx)?;
        if width > 1 {
            self.see(format!("{what}, backwards"), &got, &want_x, 1e-5);
        }
        self.see(format!("{what}, of its weights"), &gradient.weight, &want_w, 1e-5);
        if let Some(bias) = gradient.bias {
            self.see(format!("{what}, of its bias"), &bias, &want_b, 1e-5);
        }
        Ok(())
    }

    fn rotation(&mut self, rows: usize) -> Result<()> {
        let (heads, head_dim) = (3, 10);
        let turns: Vec<f32> = self.noise.numbers(rows * 3).iter().map(|v| v * 3.0).collect();
        let angles = Angles::of(3, &turns);
        let x = self.noise.numbers(rows * heads * head_dim);
        let there = self.machine.angles(angles.clone())?;
        for backwards in [false, true] {
            let mut turned = self.up(&x)?;
            self.machine
                .rotate(&there, &mut turned, heads, head_dim, backwards);
            let want = reference::rotated(&angles, &x, heads, head_dim, backwards);
            let got = self.machine.read(&turned)?;
            self.see(
                format!("rotation of {rows} rows, backwards {backwards}"),
                &got,
                &want,
                1e-6,
            );
        }
        Ok(())
    }

    fn gate(&mut self, kind: Activation, gated: bool) -> Result<()> {
        let n = 301;
        let scaled = |noise: &mut Noise| -> Vec<f32> { noise.numbers(n).iter().map(|v| v * 6.0).collect() };
        let (g, u, d) = (
            scaled(&mut self.noise),
            scaled(&mut self.noise),
            self.noise.numbers(n),
        );
        let (there, up) = (self.up(&g)?, self.up(&u)?);
        let gate = gated.then_some(&there);
        let (mut out, mut d_up, mut d_gate) = (M::Rows::default(), self.up(&d)?, M::Rows::default());
        self.machine.gate(kind, gate, &up, &mut out);
        self.machine.gate_back(kind, gate, &up, &mut d_up, &mut d_gate);
        let act = |x: f32| reference::activated(kind, f64::from(x));
        let slope = |x: f32| reference::slope(kind, f64::from(x));
        let what = format!("{kind:?}, gated {gated}");
        let want = (0..n).map(|i| {
            if gated {
                act(g[i]) * f64::from(u[i])
            } else {
                act(u[i])
            }
        });
        let got = self.machine.read(&out)?;
        self.see(what.clone(), &got, &want.collect::<Vec<_>>(), 2e-6);
        let want = (0..n).map(|i| f64::from(d[i]) * if gated { act(g[i]) } else { slope(u[i]) });
        let got = self.machine.read(&d_up)?;
        self.see(
            format!("{what}, backwards"),
            &got,
            &want.collect::<Vec<_>>(),
            5e-6,
        );
        if gated {
            let want = (0..n).map(|i| f64::from(d[i]) * f64::from(u[i]) * slope(g[i]));
            let got = self.machine.read(&d_gate)?;
            let what = format!("{what}, backwards to the gate");
            self.see(what, &got, &want.collect::<Vec<_>>(), 5e-6);
        }
        Ok(())
    }

    fn single_rows(&mut self) -> Result<()> {
        let (rows, width, machine) = (9, 37, self.machine);
        let (x, y) = (self.noise.numbers(rows * width), self.noise.numbers(rows * width));
        let wide = |x: &[f32]| -> Vec<f64> { x.iter().map(|v| f64::from(*v)).collect() };
        let (there, mut sum, mut copy, mut zeros) =
            (self.up(&x)?, self.up(&y)?, M::Rows::default(), self.up(&y)?);
        machine.add(&mut sum, &there);
        let want: Vec<f64> = x
            .iter()
            .zip(&y)
            .map(|(a, b)| f64::from(*a) + f64::from(*b))
            .collect();
        self.see("sum".to_owned(), &machine.read(&sum)?, &want, 1e-6);
        machine.copy(&there, &mut copy);
        self.see("copy".to_owned(), &machine.read(&copy)?, &wide(&x), 0.0);
        machine.zeros(17, &mut zeros);
        self.see("zeros".to_owned(), &machine.read(&zeros)?, &[0.0; 17], 0.0);
        let order = [8, 0, 3, 3];
        let mut taken = M::Rows::default();
        machine.take(&there, width, &mut order.into_iter(), &mut taken);
        let want: Vec<f32> = order
            .iter()
            .flat_map(|row| &x[row * width..(row + 1) * width])
            .copied()
            .collect();
        self.see("rows taken".to_owned(), &machine.read(&taken)?, &wide(&want), 0.0);
        machine.put(&taken, 2 * width, &mut copy);
        let mut pasted = x.clone();
        pasted[2 * width..6 * width].copy_from_slice(&want);
        self.see("rows put".to_owned(), &machine.read(&copy)?, &wide(&pasted), 0.0);
        let visits = [(7, 0.5), (1, -2.0), (4, 0.25), (0, 1.0)].map(|(row, weight)| Visit { row, weight });
        let mut spread = self.up(&y)?;
        machine.spread(&taken, width, &visits, &mut spread);
        let mut to = wide(&y);
        for (i, visit) in visits.iter().enumerate() {
            for j in 0..width {
                to[visit.row * width + j] += f64::from(visit.weight) * f64::from(want[i * width + j]);
            }
        }
        self.see("rows given back".to_owned(), &machine.read(&spread)?, &to, 1e-6);
        let at = [rows * width - 1, 0, 5];
        let want: Vec<f64> = at.iter().map(|at| f64::from(x[*at])).collect();
        self.see(
            "single numbers".to_owned(),
            &machine.pick(&there, &at)?,
            &want,
            0.0,
        );
        let cosines = machine.cosines(&there, &sum, width)?;
        let sums = machine.read(&sum)?;
        let want: Vec<f64> = x
            .chunks_exact(width)
            .zip(sums.chunks_exact(width))
            .map(|(a, b)| super::cosine(a, b))
            .collect();
        self.see_exactly("cosines".to_owned(), &cosines, &want, 1e-12);
        let mut capped = self.up(&x)?;
        machine.soft_cap(&mut capped, 0.7);
        let want: Vec<f64> = x.iter().map(|v| 0.7 * (f64::from(*v) / 0.7).tanh()).collect();
        self.see("soft cap".to_owned(), &machine.read(&capped)?, &want, 2e-6);
        Ok(())
    }
}
