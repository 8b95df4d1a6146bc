-- Share of checkpoints that solve an item with Wilson's interval, and its discrimination: Pearson's correlation over
-- checkpoints of solving it with the share of the benchmark's other items solved (corrected item-total correlation),
-- with Fisher's interval. Null where all or none solve it.
create view item_difficulty as
with totals as (
  select benchmark, id, count(*) as answered, sum(cast(correct as bigint)) as solved
  from items where correct is not null group by benchmark, id
), answers as (
  select items.benchmark, items.item, cast(items.correct as bigint) as x,
    cast(totals.solved - cast(items.correct as bigint) as double) / (totals.answered - 1) as rest
  from items join totals on items.benchmark = totals.benchmark and items.id = totals.id
  where items.correct is not null and totals.answered > 1
), sums as (
  select benchmark, item, count(*) as n, sum(x) as correct, sum(rest) as s, sum(rest * rest) as ss, sum(x * rest) as sx
  from answers group by benchmark, item
), shares as (
  select benchmark, item, n, correct, cast(correct as double) / n as share,
    sx - cast(correct as double) / n * s as xy, ss - s * s / n as yy,
    cast(correct as double) * (n - correct) / n as xx
  from sums
), correlated as (
  select *, case when xx > 0 and yy > 1e-12 then greatest(-1, least(1, xy / sqrt(xx * yy))) end as r from shares
)
select benchmark, item, n, correct, share,
  case when correct = 0 then 0 else (share + 1.9207294103470998 / n
    - 1.959963984540054 * sqrt(share * (1 - share) / n + 0.9603647051735499 / n / n)) / (1 + 3.8414588206941996 / n) end as low,
  case when correct = n then 1 else (share + 1.9207294103470998 / n
    + 1.959963984540054 * sqrt(share * (1 - share) / n + 0.9603647051735499 / n / n)) / (1 + 3.8414588206941996 / n) end as high,
  r as discrimination,
  case when n > 3 and abs(r) < 1 then tanh(atanh(r) - 1.959963984540054 / sqrt(n - 3)) end as discrimination_low,
  case when n > 3 and abs(r) < 1 then tanh(atanh(r) + 1.959963984540054 / sqrt(n - 3)) end as discrimination_high
from correlated
