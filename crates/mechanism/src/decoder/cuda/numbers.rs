//! Products, norms, rotations, gates and copies on a CUDA device: each checks shapes, then launches a kernel.

use cudarc::driver::CudaSlice;

use super::cublas::{Cublas, Shape};
use super::launch::{Arg, room, said};
use super::{CardMatrix, Cuda, Rows, Terms, Turns, Vector, brought, fits};
use crate::config::{Activation, NormKind};
use crate::decoder::machine::{Product, Visit};
use crate::decoder::norm::{Norm, NormGradient};
use crate::error::Result;

/// Rows and columns of the result that one block of the product kernel computes.
const TILE: usize = 64;
/// Maximum number of blocks of an elementwise kernel.
const BLOCKS: usize = 4096;

/// Grid of an elementwise kernel for `n` elements.
pub(super) fn over(n: usize) -> (usize, usize) {
    (n.div_ceil(super::THREADS as usize).min(BLOCKS), 1)
}

pub(super) fn kind(activation: Activation) -> Arg<'static> {
    Arg::Integer(match activation {
        Activation::Silu => 0,
        Activation::GeluTanh => 1,
        Activation::Gelu => 2,
        Activation::Relu => 3,
    })
}

pub(super) fn yes(condition: bool) -> Arg<'static> {
    Arg::Integer(i32::from(condition))
}

pub(super) fn whole(n: usize) -> Arg<'static> {
    Arg::Integer(n as i32)
}

/// Rows rounded to one bf16 term, as input for a library.
pub(super) struct Rounded<'a> {
    library: &'a Cublas,
    x: CudaSlice<u16>,
}

impl<'a> Rounded<'a> {
    pub(super) fn new(card: &Cuda, library: &'a Cublas, x: &Rows) -> Result<Self> {
        let mut rounded = room(&card.work, x.len)?;
        if x.len > 0 {
            let parameters = vec![
                Arg::Read(x.held()?),
                Arg::HalvesOut(&mut rounded),
                Arg::Count(x.len as u64),
            ];
            card.launch("round_rows", over(x.len), parameters)?;
        }
        Ok(Self { library, x: rounded })
    }
}

impl Cuda {
    /// Rounds rows for the library; `None` if the kernel computes products.
    pub(super) fn rounded(&self, x: &Rows) -> Result<Option<Rounded<'_>>> {
        let library = self.library.as_ref();
        library.map(|library| Rounded::new(self, library, x)).transpose()
    }

    pub(super) fn times(
        &self,
        x: &Rows,
        rounded: Option<&Rounded<'_>>,
        product: &mut Product<'_, '_, Self>,
    ) -> Result<()> {
        let CardMatrix {
            planes,
            terms,
            n_out,
            n_in,
        } = product.matrix;
        let m = x.len / n_in;
        fits(x.len == m * n_in, "a product")?;
        fits(
            product.base.is_none_or(|base| base.len == m * n_out)
                && product.bias.is_none_or(|bias| bias.len == *n_out),
            "what a product is added to",
        )?;
        let out = self.resize(product.out, m * n_out)?;
        if m == 0 {
            return Ok(());
        }
        let x = x.held()?;
        let base = product.base.map_or(Ok(x), Rows::held)?;
        let bias = product.bias.map_or(x, |bias| &*bias.values);
        if let Some(Rounded { library, x }) = rounded {
            let added = product.base.is_some() || product.bias.is_some();
            if added {
                let parameters = vec![
                    Arg::Read(base),
                    Arg::Read(bias),
                    Arg::Write(&mut *out),
                    Arg::Count((m * n_out) as u64),
                    whole(*n_out),
                    yes(product.base.is_some()),
                    yes(product.bias.is_some()),
                ];
                self.launch("begin_rows", over(m * n_out), parameters)?;
            }
            let shape = Shape {
                m,
                n: *n_out,
                k: *n_in,
                transposed: true,
            };
            return library.multiply(shape, x, planes, out, added);
        }
        self.launch(
            "product",
            (n_out.div_ceil(TILE), m.div_ceil(TILE)),
            vec![
                Arg::Read(x),
                Arg::Halves(planes),
                Arg::Read(base),
                Arg::Read(bias),
                Arg::Write(out),
                whole(m),
                whole(*n_out),
                whole(*n_in),
                Arg::Count(1),
                Arg::Count(*n_in as u64),
                Arg::Count((n_out * n_in) as u64),
                self.x_terms(),
                whole(*terms),
                yes(product.base.is_some()),
                yes(product.bias.is_some()),
            ],
        )
    }

    pub(super) fn x_terms(&self) -> Arg<'static> {
        whole(if self.terms == Terms::Exact { 3 } else { 1 })
    }

    /// Column sums of `x`, `(rows, width)`.
    pub(super) fn column_sums(&self, x: &Rows, width: usize) -> Result<Vec<f32>> {
        let mut sums = Rows::default();
        let out = self.resize(&mut sums, width)?;
        let parameters = vec![
            Arg::Read(x.held()?),
            Arg::Write(out),
            whole(x.len / width),
            whole(width),
        ];
        self.launch("column_sums", over(width), parameters)?;
        self.down(&sums)
    }

    pub(super) fn integers(&self, values: impl Iterator<Item = usize>) -> Result<CudaSlice<i32>> {
        let values: Vec<i32> = values.map(|value| value as i32).collect();
        brought(&self.work, &values)
    }

    pub(super) fn doubles(&self, held: &CudaSlice<f64>, n: usize) -> Result<Vec<f64>> {
        let mut values = vec![0.0; n];
        self.work
            .memcpy_dtoh(&held.slice(0..n), &mut values)
            .and_then(|()| self.work.synchronize())
            .map_err(|error| said("taking numbers back", error))?;
        Ok(values)
    }

    /// Copies `len` elements of `x` from index `from` to index `at` of `out`.
    pub(super) fn paste(&self, x: &Rows, from: usize, len: usize, at: usize, out: &mut Rows) -> Result<()> {
        fits(from + len <= x.len && at + len <= out.len, "a copy")?;
        if len == 0 {
            return Ok(());
        }
        let to = &mut out.held_mut()?.slice_mut(at..at + len);
        self.work
            .memcpy_dtod(&x.held()?.slice(from..from + len), to)
            .map_err(|error| said("copying", error))
    }

    pub(super) fn times_back(
        &self,
        library: Option<&Cublas>,
        dy: &Rows,
        matrix: &CardMatrix,
        dx: &mut Rows,
    ) -> Result<()> {
        let CardMatrix {
            planes,
            terms,
            n_out,
            n_in,
        } = matrix;
        let m = dy.len / n_out;
        fits(dy.len == m * n_out && dx.len == m * n_in, "a product backwards")?;
        if m == 0 {
            return Ok(());
        }
        if let Some(library) = library {
            let rounded = Rounded::new(self, library, dy)?;
            let shape = Shape {
                m,
                n: *n_in,
                k: *n_out,
                transposed: false,
            };
            return library.multiply(shape, &rounded.x, planes, dx.held_mut()?, true);
        }
        let dy = dy.held()?;
        self.launch(
            "product",
            (n_in.div_ceil(TILE), m.div_ceil(TILE)),
            vec![
                Arg::Read(dy),
                Arg::Halves(planes),
                Arg::Read(dy),
                Arg::Read(dy),
                Arg::Write(dx.held_mut()?),
                whole(m),
                whole(*n_in),
                whole(*n_out),
                Arg::Count(*n_in as u64),
                Arg::Count(1),
                Arg::Count((n_out * n_in) as u64),
                self.x_terms(),
                whole(*terms),
                Arg::Integer(2),
                yes(false),
            ],
        )
    }

    pub(super) fn normed(&self, norm: &Norm<Vector>, x: &Rows, width: usize, out: &mut Rows) -> Result<()> {
        let rows = x.len / width;
        fits(
            x.len == rows * width
                && norm.weight.len.is_multiple_of(width)
                && norm.bias.as_ref().is_none_or(|bias| bias.len == norm.weight.len),
            "a norm",
        )?;
        let out = self.resize(out, x.len)?;
        if rows == 0 {
            return Ok(());
        }
        let weight = &*norm.weight.values;
        let bias = norm.bias.as_ref().map_or(weight, |bias| &*bias.values);
        self.launch(
            "norm_rows",
            (rows, 1),
            vec![
                Arg::Read(x.held()?),
                Arg::Read(weight),
                Arg::Read(bias),
                Arg::Write(out),
                whole(width),
                whole(norm.weight.len),
                Arg::Number(norm.epsilon),
                Arg::Number(f32::from(u8::from(norm.kind == NormKind::RmsPlusOne))),
                yes(norm.kind == NormKind::Layer),
                yes(norm.bias.is_some()),
            ],
        )
    }

    pub(super) fn norm_backwards(
        &self,
        norm: &Norm<Vector>,
        x: &Rows,
        dy: &Rows,
        width: usize,
        dx: &mut Rows,
        gradient: &mut NormGradient,
    ) -> Result<()> {
        let n = norm.weight.len;
        let mut of_weight = Rows::default();
        self.attempt(|| {
            fits(
                x.len == dy.len && x.len.is_multiple_of(n) && n.is_multiple_of(width) && x.len > 0,
                "a norm backwards",
            )?;
            self.launch(
                "norm_back",
                (x.len / width, 1),
                vec![
                    Arg::Read(x.held()?),
                    Arg::Read(dy.held()?),
                    Arg::Read(&norm.weight.values),
                    Arg::Write(self.resize(dx, x.len)?),
                    Arg::Write(self.resize(&mut of_weight, x.len)?),
                    whole(width),
                    whole(n),
                    Arg::Number(norm.epsilon),
                    Arg::Number(f32::from(u8::from(norm.kind == NormKind::RmsPlusOne))),
                    yes(norm.kind == NormKind::Layer),
                ],
            )
        });
        self.fine()?;
        let add = |rows: &Rows, to: &mut Vec<f32>| -> Result<()> {
            for (sum, more) in to.iter_mut().zip(self.column_sums(rows, n)?) {
                *sum += more;
            }
            Ok(())
        };
        add(&of_weight, &mut gradient.weight)?;
        gradient.bias.as_mut().map_or(Ok(()), |bias| add(dy, bias))
    }

    pub(super) fn turned(
        &self,
        angles: &Turns,
        x: &mut Rows,
        heads: usize,
        head_dim: usize,
        backwards: bool,
    ) -> Result<()> {
        let rows = x.len / (heads * head_dim);
        fits(rows <= angles.rows && 2 * angles.half <= head_dim, "a rotation")?;
        let n = rows * heads * angles.half;
        self.launch(
            "rotate",
            over(n),
            vec![
                Arg::Write(x.held_mut()?),
                Arg::Read(&angles.cos),
                Arg::Read(&angles.sin),
                whole(rows),
                whole(heads),
                whole(head_dim),
                whole(angles.half),
                Arg::Number(if backwards { -1.0 } else { 1.0 }),
            ],
        )
    }

    pub(super) fn gated(
        &self,
        activation: Activation,
        gate: Option<&Rows>,
        up: &Rows,
        out: &mut Rows,
    ) -> Result<()> {
        fits(gate.is_none_or(|gate| gate.len == up.len), "a gate")?;
        let held = up.held()?;
        self.launch(
            "gate",
            over(up.len),
            vec![
                Arg::Read(gate.map_or(Ok(held), Rows::held)?),
                Arg::Read(held),
                Arg::Write(self.resize(out, up.len)?),
                Arg::Count(up.len as u64),
                kind(activation),
                yes(gate.is_some()),
            ],
        )
    }

    pub(super) fn gate_backwards(
        &self,
        activation: Activation,
        gate: Option<&Rows>,
        up: &Rows,
        d: &mut Rows,
        d_gate: &mut Rows,
    ) -> Result<()> {
        fits(
            up.len == d.len && gate.is_none_or(|gate| gate.len == up.len),
            "a gate backwards",
        )?;
        let held = up.held()?;
        self.launch(
            "gate_back",
            over(up.len),
            vec![
                Arg::Read(gate.map_or(Ok(held), Rows::held)?),
                Arg::Read(held),
                Arg::Write(d.held_mut()?),
                Arg::Write(self.resize(d_gate, up.len)?),
                Arg::Count(up.len as u64),
                kind(activation),
                yes(gate.is_some()),
            ],
        )
    }

    pub(super) fn rows_taken(
        &self,
        x: &Rows,
        width: usize,
        rows: &mut dyn ExactSizeIterator<Item = usize>,
        out: &mut Rows,
    ) -> Result<()> {
        let rows: Vec<usize> = rows.collect();
        fits(rows.iter().all(|row| (row + 1) * width <= x.len), "rows taken")?;
        let n = rows.len();
        let out = self.resize(out, n * width)?;
        if n == 0 {
            return Ok(());
        }
        let places = self.integers(rows.into_iter())?;
        let parameters = vec![
            Arg::Read(x.held()?),
            Arg::Integers(&places, 0),
            Arg::Write(out),
            whole(n),
            whole(width),
        ];
        self.launch("take_rows", over(n * width), parameters)
    }

    pub(super) fn rows_given_back(
        &self,
        answers: &Rows,
        width: usize,
        visits: &[Visit],
        out: &mut Rows,
    ) -> Result<()> {
        let n = visits.len();
        fits(
            answers.len == n * width && visits.iter().all(|visit| (visit.row + 1) * width <= out.len),
            "rows given back",
        )?;
        if n == 0 {
            return Ok(());
        }
        let rows = self.integers(visits.iter().map(|visit| visit.row))?;
        let weights: Vec<f32> = visits.iter().map(|visit| visit.weight).collect();
        let weights = brought(&self.work, &weights)?;
        let parameters = vec![
            Arg::Read(answers.held()?),
            Arg::Integers(&rows, 0),
            Arg::Read(&weights),
            Arg::Write(out.held_mut()?),
            whole(n),
            whole(width),
        ];
        self.launch("spread_rows", over(n * width), parameters)
    }
}
