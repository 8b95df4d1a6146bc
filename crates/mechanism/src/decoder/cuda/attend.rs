//! Attention on a CUDA device: forward over segments, forward with a key-value cache, and backward.

use super::launch::Arg;
use super::numbers::whole;
use super::texts::{Texts, piece, task};
use super::{Cuda, Rows, brought, fits};
use crate::decoder::attention::Heads;
use crate::error::Result;

/// Number of elements in a slice of a head; the same as in `kernels.cu`.
const WIDEST: usize = 256;

/// Key-value cache of one text on the device; the buffers have room to grow.
#[derive(Debug, Default)]
pub struct KeptAttention {
    pub(super) k: Rows,
    pub(super) v: Rows,
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

/// Number of blocks for `n` heads: one for each slice of each head.
fn slices(heads: &Heads, n: usize) -> usize {
    n * heads.head_dim.div_ceil(WIDEST)
}

impl Cuda {
    /// Appends row `row` of `x` to a cache.
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
        let kv = rows * heads.kv_width();
        fits(
            q.len == rows * heads.q_width() && k.len == kv && v.len == kv,
            "attention",
        )
    }

    pub(super) fn attended(
        &self,
        heads: &Heads,
        q: &Rows,
        k: &Rows,
        v: &Rows,
        texts: &Texts,
        out: &mut Rows,
    ) -> Result<()> {
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
        self.launch(
            "attention",
            (texts.n_tasks, slices(heads, heads.n_heads)),
            parameters,
        )
    }

    pub(super) fn attended_to_kept(
        &self,
        heads: &Heads,
        q: &Rows,
        k: &Rows,
        v: &Rows,
        kept: &mut [KeptAttention],
        out: &mut Rows,
    ) -> Result<()> {
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
        let (tasks, pieces) = (brought(&self.work, &tasks)?, brought(&self.work, &pieces)?);
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
            self.launch("attention", (1, slices(heads, heads.n_heads)), parameters)?;
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "as in the trait")]
    pub(super) fn attention_backwards(
        &self,
        heads: &Heads,
        q: &Rows,
        k: &Rows,
        v: &Rows,
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
                (texts.n_back, slices(heads, heads.n_heads)),
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
                (texts.n_back, slices(heads, heads.n_kv_heads)),
                parameters,
            )
        });
        [dq, dk, dv]
    }
}
