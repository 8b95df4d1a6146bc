//! The suite's tests of attention.

use super::Suite;
use crate::decoder::attention::Heads;
use crate::decoder::machine::Machine;
use crate::decoder::reference::{self, Seen};
use crate::error::Result;
use crate::segment::Segment;

impl<M: Machine> Suite<'_, M> {
    fn states(&mut self, heads: &Heads, rows: usize) -> [Vec<f32>; 3] {
        let (q, kv) = (rows * heads.q_width(), rows * heads.kv_width());
        [q, kv, kv].map(|n| self.noise.numbers(n).iter().map(|v| v * 2.0).collect())
    }

    pub(super) fn attention(&mut self, heads: &Heads, segments: &[Segment]) -> Result<()> {
        let rows = segments.iter().map(|s| s.rows.end).max().unwrap_or(0);
        let [q, k, v] = self.states(heads, rows);
        let machine = self.machine;
        let texts = machine.texts(segments)?;
        let mut out = M::Rows::default();
        let [q_there, k_there, v_there] = [self.up(&q)?, self.up(&k)?, self.up(&v)?];
        machine.attention(heads, &q_there, &k_there, &v_there, segments, &texts, &mut out);
        let seen = Seen::of(segments, rows);
        let want = reference::attention(heads, &q, &k, &v, &seen);
        let what = format!("attention over a tree of {rows}, {}", reference::named(heads));
        self.see(what, &machine.read(&out)?, &want, 1e-5);
        Ok(())
    }

    pub(super) fn attention_back(&mut self, heads: &Heads, segments: &[Segment]) -> Result<()> {
        let rows = segments.iter().map(|s| s.rows.end).max().unwrap_or(0);
        let [q, k, v] = self.states(heads, rows);
        let d = self.noise.numbers(q.len());
        let machine = self.machine;
        let texts = machine.texts(segments)?;
        let [qt, kt, vt, dt] = [self.up(&q)?, self.up(&k)?, self.up(&v)?, self.up(&d)?];
        let mut mixed = M::Rows::default();
        machine.attention(heads, &qt, &kt, &vt, segments, &texts, &mut mixed);
        let found = machine.attention_back(heads, &qt, &kt, &vt, segments, &texts, &mixed, &dt);
        let seen = Seen::of(segments, rows);
        let want = reference::attention_back(heads, &q, &k, &v, &d, &seen);
        for ((name, found), want) in ["queries", "keys", "values"].iter().zip(&found).zip(&want) {
            let what = format!("attention backwards to {name}, {}", reference::named(heads));
            let got = machine.read(found)?;
            self.see(what, &got, want, 2e-5);
        }
        Ok(())
    }

    pub(super) fn attention_kept(&mut self, heads: &Heads, rows: usize) -> Result<()> {
        let [q, k, v] = self.states(heads, rows);
        let (machine, qw, kw) = (self.machine, heads.q_width(), heads.kv_width());
        // Two texts that differ only in length: the first has one row more.
        let (first, kept_rows) = (rows - 1, [rows - 1, rows - 2]);
        let mut kept = Vec::new();
        for rows in kept_rows {
            let (k, v) = (self.up(&k[..rows * kw])?, self.up(&v[..rows * kw])?);
            kept.push(machine.keep(&k, &v));
        }
        let both = |x: &[f32], w: usize| [&x[first * w..], &x[(first - 1) * w..first * w]].concat();
        let [qt, kt, vt] = [
            self.up(&both(&q, qw))?,
            self.up(&both(&k, kw))?,
            self.up(&both(&v, kw))?,
        ];
        let mut out = M::Rows::default();
        machine.attention_kept(heads, &qt, &kt, &vt, &mut kept, &mut out);
        let seen = Seen::of(&Segment::texts(&[rows]), rows);
        let whole = reference::attention(heads, &q, &k, &v, &seen);
        let want = [&whole[first * qw..], &whole[(first - 1) * qw..first * qw]].concat();
        let what = format!("attention to {rows} kept, {}", reference::named(heads));
        self.see(what, &machine.read(&out)?, &want, 1e-5);
        Ok(())
    }
}
