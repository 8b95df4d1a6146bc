//! The operations of a machine on a card.

use cudarc::driver::CudaSlice;

use super::launch::{Arg, room, said};
use super::texts::{Texts, piece, task};
use super::{Cuda, Matrix, Rows, Terms, Turns, Vector, fits};
use crate::config::{Activation, DecoderConfig, NormKind};
use crate::decoder::attention::Heads;
use crate::decoder::gradient::GradientMatrix;
use crate::decoder::machine::{Machine, Product, Visit};
use crate::decoder::matrix::Use;
use crate::decoder::norm::{Norm, NormGradient};
use crate::decoder::rope::Angles;
use crate::error::{Error, Result};
use crate::segment::Segment;

/// Columns and rows of a block of a product.
const TILE: usize = 64;
/// Widest head; as in `kernels.cu`.
const WIDEST: usize = 256;
/// Most blocks of what goes over single numbers.
const BLOCKS: usize = 4096;

/// Keys and values of a text on a card, with room to grow.
#[derive(Debug, Default)]
pub struct Kept {
    k: Rows,
    v: Rows,
}

/// Blocks for `n` single numbers.
fn over(n: usize) -> (usize, usize) {
    (n.div_ceil(super::THREADS as usize).min(BLOCKS), 1)
}

fn kind(activation: Activation) -> Arg<'static> {
    Arg::Integer(match activation {
        Activation::Silu => 0,
        Activation::GeluTanh => 1,
        Activation::Gelu => 2,
        Activation::Relu => 3,
    })
}

fn yes(condition: bool) -> Arg<'static> {
    Arg::Integer(i32::from(condition))
}

fn whole(n: usize) -> Arg<'static> {
    Arg::Integer(n as i32)
}

fn attention_settings(heads: &Heads) -> [Arg<'static>; 6] {
    [
        whole(heads.n_heads),
        whole(heads.n_kv_heads),
        whole(heads.head_dim),
        whole(heads.window.unwrap_or(0)),
        Arg::Number(heads.scale),
        Arg::Number(heads.cap.unwrap_or(0.0)),
    ]
}

fn narrow(heads: &Heads) -> Result<()> {
    if heads.head_dim <= WIDEST {
        return Ok(());
    }
    Err(Error::Card(format!(
        "heads of {} numbers are wider than the {WIDEST} that it is given here: leave out --device cuda",
        heads.head_dim
    )))
}

impl Cuda {
    fn times(&self, x: &Rows, product: Product<'_, '_, Self>) -> Result<()> {
        let Matrix {
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

    fn x_terms(&self) -> Arg<'static> {
        whole(if self.terms == Terms::Exact { 3 } else { 1 })
    }

    /// Sums of the columns of `x`, `(rows, width)`.
    fn column_sums(&self, x: &Rows, width: usize) -> Result<Vec<f32>> {
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

    fn integers(&self, values: impl Iterator<Item = usize>) -> Result<CudaSlice<i32>> {
        let values: Vec<i32> = values.map(|value| value as i32).collect();
        self.up(&self.work, &values)
    }

    fn doubles(&self, held: &CudaSlice<f64>, n: usize) -> Result<Vec<f64>> {
        let mut values = vec![0.0; n];
        self.work
            .memcpy_dtoh(&held.slice(0..n), &mut values)
            .and_then(|()| self.work.synchronize())
            .map_err(|error| said("taking numbers back", error))?;
        Ok(values)
    }

    /// Copies `x` into `out` from its number `at` on.
    fn paste(&self, x: &Rows, from: usize, len: usize, at: usize, out: &mut Rows) -> Result<()> {
        fits(from + len <= x.len && at + len <= out.len, "a copy")?;
        if len == 0 {
            return Ok(());
        }
        let to = &mut out.held_mut()?.slice_mut(at..at + len);
        self.work
            .memcpy_dtod(&x.held()?.slice(from..from + len), to)
            .map_err(|error| said("copying", error))
    }

    /// Adds a row to what is kept.
    fn append(&self, x: &Rows, row: usize, width: usize, kept: &mut Rows) -> Result<()> {
        let len = kept.len;
        if kept.buffer.as_ref().is_none_or(|held| held.len() < len + width) {
            let mut larger = Rows::default();
            self.resize(&mut larger, 2 * len + width * 64)?;
            self.paste(kept, 0, len, 0, &mut larger)?;
            *kept = larger;
        }
        kept.len = len + width;
        self.paste(x, row * width, width, len, kept)
    }

    fn fits_heads(heads: &Heads, rows: usize, q: &Rows, k: &Rows, v: &Rows) -> Result<()> {
        narrow(heads)?;
        let kv = rows * heads.kv_width();
        fits(
            q.len == rows * heads.q_width() && k.len == kv && v.len == kv,
            "attention",
        )
    }
}

impl Machine for Cuda {
    type Rows = Rows;
    type Matrix = Matrix;
    type Vector = Vector;
    type Angles = Turns;
    type Texts = Texts;
    type Kept = Kept;

    fn rows_a_wave(&self, config: &DecoderConfig) -> Result<usize> {
        self.wave(config)
    }

    fn has_room(&self) -> bool {
        // A third of the memory stays for streams and what stands inside a block.
        self.context
            .mem_get_info()
            .is_ok_and(|(free, total)| free > total / 3)
    }

    fn reads_ahead(&self) -> bool {
        true
    }

    fn rows(&self, values: Vec<f32>) -> Result<Rows> {
        self.fine()?;
        Ok(Rows {
            len: values.len(),
            buffer: Some(self.up(&self.work, &values)?),
        })
    }

    fn read(&self, rows: &Rows) -> Result<Vec<f32>> {
        self.fine()?;
        self.down(rows)
    }

    fn edit(&self, rows: &mut Rows, change: &mut dyn FnMut(&mut [f32]) -> Result<()>) -> Result<()> {
        let mut values = self.read(rows)?;
        change(&mut values)?;
        *rows = self.rows(values)?;
        Ok(())
    }

    fn len(&self, rows: &Rows) -> usize {
        rows.len
    }

    fn matrix(&self, values: Vec<f32>, n_out: usize, n_in: usize, _: Use) -> Result<Matrix> {
        self.load_matrix(&values, n_out, n_in)
    }

    fn vector(&self, values: Vec<f32>) -> Result<Vector> {
        self.load_vector(&values)
    }

    fn vector_len(vector: &Vector) -> usize {
        vector.len
    }

    fn angles(&self, angles: Angles) -> Result<Turns> {
        self.load_angles(&angles)
    }

    fn texts(&self, segments: &[Segment]) -> Result<Texts> {
        Texts::new(self, segments)
    }

    fn product<const N: usize>(&self, x: &Rows, each: [Product<'_, '_, Self>; N]) {
        for product in each {
            self.attempt(|| self.times(x, product));
        }
    }

    fn product_back(&self, dy: &Rows, matrix: &Matrix, dx: &mut Rows) {
        self.attempt(|| {
            let Matrix {
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
        });
    }

    fn norm(&self, norm: &Norm<Vector>, x: &Rows, width: usize, out: &mut Rows) {
        self.attempt(|| {
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
        });
    }

    fn norm_back(
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

    fn rotate(&self, angles: &Turns, x: &mut Rows, heads: usize, head_dim: usize, backwards: bool) {
        self.attempt(|| {
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
        });
    }

    fn gate(&self, activation: Activation, gate: Option<&Rows>, up: &Rows, out: &mut Rows) {
        self.attempt(|| {
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
        });
    }

    fn gate_back(
        &self,
        activation: Activation,
        gate: Option<&Rows>,
        up: &Rows,
        d: &mut Rows,
        d_gate: &mut Rows,
    ) {
        self.attempt(|| {
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
        });
    }

    fn copy(&self, x: &Rows, out: &mut Rows) {
        self.attempt(|| {
            self.resize(out, x.len)?;
            self.paste(x, 0, x.len, 0, out)
        });
    }

    fn add(&self, y: &mut Rows, x: &Rows) {
        self.attempt(|| {
            fits(x.len == y.len, "a sum")?;
            if x.len == 0 {
                return Ok(());
            }
            let n = x.len;
            let parameters = vec![
                Arg::Write(y.held_mut()?),
                Arg::Read(x.held()?),
                Arg::Count(n as u64),
            ];
            self.launch("add_rows", over(n), parameters)
        });
    }

    fn zeros(&self, len: usize, out: &mut Rows) {
        self.attempt(|| {
            let out = self.resize(out, len)?;
            self.work
                .memset_zeros(out)
                .map_err(|error| said("filling with zeros", error))
        });
    }

    fn take(&self, x: &Rows, width: usize, rows: &mut dyn ExactSizeIterator<Item = usize>, out: &mut Rows) {
        self.attempt(|| {
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
        });
    }

    fn put(&self, x: &Rows, at: usize, out: &mut Rows) {
        self.attempt(|| self.paste(x, 0, x.len, at, out));
    }

    fn spread(&self, answers: &Rows, width: usize, visits: &[Visit], out: &mut Rows) {
        self.attempt(|| {
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
            let weights = self.up(&self.work, &weights)?;
            let parameters = vec![
                Arg::Read(answers.held()?),
                Arg::Integers(&rows, 0),
                Arg::Read(&weights),
                Arg::Write(out.held_mut()?),
                whole(n),
                whole(width),
            ];
            self.launch("spread_rows", over(n * width), parameters)
        });
    }

    fn attention(
        &self,
        heads: &Heads,
        q: &Rows,
        k: &Rows,
        v: &Rows,
        _: &[Segment],
        texts: &Texts,
        out: &mut Rows,
    ) {
        self.attempt(|| {
            Self::fits_heads(heads, texts.rows, q, k, v)?;
            let out = self.resize(out, q.len)?;
            let mut parameters = vec![
                Arg::Read(q.held()?),
                Arg::Read(k.held()?),
                Arg::Read(v.held()?),
                Arg::Integers(&texts.tasks, 0),
                Arg::Integers(&texts.pieces, 0),
                Arg::Write(out),
            ];
            parameters.extend(attention_settings(heads));
            self.launch("attention", (texts.n_tasks, heads.n_heads), parameters)
        });
    }

    fn attention_back(
        &self,
        heads: &Heads,
        q: &Rows,
        k: &Rows,
        v: &Rows,
        _: &[Segment],
        texts: &Texts,
        mixed: &Rows,
        d: &Rows,
    ) -> [Rows; 3] {
        let [mut dq, mut dk, mut dv, mut stats] = std::array::from_fn(|_| Rows::default());
        self.attempt(|| {
            Self::fits_heads(heads, texts.rows, q, k, v)?;
            fits(
                texts.whole && mixed.len == q.len && d.len == q.len,
                "attention backwards",
            )?;
            let mut parameters = vec![
                Arg::Read(q.held()?),
                Arg::Read(k.held()?),
                Arg::Read(v.held()?),
                Arg::Read(mixed.held()?),
                Arg::Read(d.held()?),
                Arg::Integers(&texts.back, 0),
                Arg::Integers(&texts.pieces, 0),
                Arg::Write(self.resize(&mut dq, q.len)?),
                Arg::Write(self.resize(&mut stats, texts.rows * heads.n_heads * 2)?),
            ];
            parameters.extend(attention_settings(heads));
            self.launch(
                "attention_back_queries",
                (texts.n_back, heads.n_heads),
                parameters,
            )?;
            let mut parameters = vec![
                Arg::Read(q.held()?),
                Arg::Read(k.held()?),
                Arg::Read(v.held()?),
                Arg::Read(d.held()?),
                Arg::Read(stats.held()?),
                Arg::Integers(&texts.back, 0),
                Arg::Integers(&texts.pieces, 0),
                Arg::Write(self.resize(&mut dk, k.len)?),
                Arg::Write(self.resize(&mut dv, v.len)?),
            ];
            parameters.extend(attention_settings(heads));
            self.launch(
                "attention_back_keys",
                (texts.n_back, heads.n_kv_heads),
                parameters,
            )
        });
        [dq, dk, dv]
    }

    fn gradient(
        &self,
        dy: &Rows,
        x: &Rows,
        weight: &mut GradientMatrix,
        bias: Option<&mut Vec<f32>>,
    ) -> Result<()> {
        weight.add(&self.read(dy)?, &self.read(x)?);
        if let Some(bias) = bias
            && dy.len > 0
        {
            for (sum, more) in bias.iter_mut().zip(self.column_sums(dy, weight.shape().0)?) {
                *sum += more;
            }
        }
        Ok(())
    }

    fn keep(&self, k: &Rows, v: &Rows) -> Kept {
        let mut kept = Kept::default();
        self.copy(k, &mut kept.k);
        self.copy(v, &mut kept.v);
        kept
    }

    fn attention_kept(&self, heads: &Heads, q: &Rows, k: &Rows, v: &Rows, kept: &mut [Kept], out: &mut Rows) {
        self.attempt(|| {
            Self::fits_heads(heads, kept.len(), q, k, v)?;
            let out = self.resize(out, q.len)?;
            let (mut tasks, mut pieces) = (Vec::new(), Vec::new());
            for (i, kept) in kept.iter_mut().enumerate() {
                self.append(k, i, heads.kv_width(), &mut kept.k)?;
                self.append(v, i, heads.kv_width(), &mut kept.v)?;
                let positions = kept.k.len / heads.kv_width();
                tasks.extend(task(i, 1, positions - 1, i, 1));
                pieces.extend(piece(0, positions, 0));
            }
            let (tasks, pieces) = (self.up(&self.work, &tasks)?, self.up(&self.work, &pieces)?);
            for (i, kept) in kept.iter().enumerate() {
                let mut parameters = vec![
                    Arg::Read(q.held()?),
                    Arg::Read(kept.k.held()?),
                    Arg::Read(kept.v.held()?),
                    Arg::Integers(&tasks, 8 * i),
                    Arg::Integers(&pieces, 0),
                    Arg::Write(&mut *out),
                ];
                parameters.extend(attention_settings(heads));
                self.launch("attention", (1, heads.n_heads), parameters)?;
            }
            Ok(())
        });
    }

    fn loss_back(
        &self,
        logits: &mut Rows,
        width: usize,
        targets: &[u32],
        mean: f32,
        cap: Option<f32>,
    ) -> Result<Vec<f64>> {
        self.fine()?;
        let n = targets.len();
        fits(
            logits.len == n * width && targets.iter().all(|target| (*target as usize) < width),
            "a loss",
        )?;
        let places = self.integers(targets.iter().map(|target| *target as usize))?;
        let mut terms = room(&self.work, n)?;
        let parameters = vec![
            Arg::Write(logits.held_mut()?),
            Arg::Integers(&places, 0),
            Arg::DoublesOut(&mut terms),
            whole(width),
            Arg::Number(mean),
            Arg::Number(cap.unwrap_or(0.0)),
        ];
        self.launch("loss_back", (n, 1), parameters)?;
        self.doubles(&terms, n)
    }

    fn soft_cap(&self, y: &mut Rows, cap: f32) {
        self.attempt(|| {
            let n = y.len;
            let parameters = vec![Arg::Write(y.held_mut()?), Arg::Count(n as u64), Arg::Number(cap)];
            self.launch("soft_cap", over(n), parameters)
        });
    }

    fn log_sum_exp(&self, logits: &Rows, width: usize) -> Result<Vec<(usize, f64)>> {
        self.fine()?;
        let rows = logits.len / width;
        fits(logits.len == rows * width && rows > 0, "logits")?;
        let (mut totals, mut best) = (room(&self.work, rows)?, room(&self.work, rows)?);
        let parameters = vec![
            Arg::Read(logits.held()?),
            Arg::DoublesOut(&mut totals),
            Arg::IntegersOut(&mut best),
            whole(width),
        ];
        self.launch("log_sum_exp", (rows, 1), parameters)?;
        let mut places = vec![0_i32; rows];
        self.work
            .memcpy_dtoh(&best.slice(0..rows), &mut places)
            .map_err(|error| said("taking numbers back", error))?;
        let totals = self.doubles(&totals, rows)?;
        let places = places.into_iter().map(|place| place as usize);
        Ok(places.zip(totals).collect())
    }

    fn pick(&self, rows: &Rows, at: &[usize]) -> Result<Vec<f32>> {
        self.fine()?;
        fits(at.iter().all(|at| *at < rows.len), "single numbers")?;
        let places: Vec<u64> = at.iter().map(|at| *at as u64).collect();
        let places = self.up(&self.work, &places)?;
        let mut picked = Rows::default();
        let out = self.resize(&mut picked, at.len())?;
        let parameters = vec![
            Arg::Read(rows.held()?),
            Arg::Places(&places),
            Arg::Write(out),
            whole(at.len()),
        ];
        self.launch("pick", over(at.len()), parameters)?;
        self.down(&picked)
    }

    fn cosines(&self, a: &Rows, b: &Rows, width: usize) -> Result<Vec<f64>> {
        self.fine()?;
        let rows = a.len / width;
        fits(a.len == b.len && a.len == rows * width, "rows that are compared")?;
        let mut sums = room(&self.work, 3 * rows)?;
        let parameters = vec![
            Arg::Read(a.held()?),
            Arg::Read(b.held()?),
            Arg::DoublesOut(&mut sums),
            whole(width),
        ];
        self.launch("moments", (rows, 1), parameters)?;
        let sums = self.doubles(&sums, 3 * rows)?;
        let cosine = |sums: &[f64]| {
            let product = (sums[1] * sums[2]).sqrt();
            if product > 0.0 { sums[0] / product } else { 0.0 }
        };
        Ok(sums.chunks_exact(3).map(cosine).collect())
    }
}
