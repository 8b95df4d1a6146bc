-- Two checkpoints (each pair in both orders) on the items both answered: mean of b less mean of a with the percentile interval of
-- resampling items in pairs, the items that only one of them solves, and the exact p of McNemar's test on those.
create view paired_comparison as
select benchmark, a, b, n, score_a, score_b, score_b - score_a as difference,
  ends['low'] as low, ends['high'] as high, only_a, only_b, mcnemar_p(only_a, only_b) as p
from (
  select one.benchmark, one.id as a, two.id as b, count(*) as n, avg(one.x) as score_a, avg(two.x) as score_b,
    bootstrap(two.x - one.x) as ends,
    sum(case when one.correct and not two.correct then 1 else 0 end) as only_a,
    sum(case when not one.correct and two.correct then 1 else 0 end) as only_b
  from (
    select benchmark, item, id, correct, coalesce(score, cast(cast(correct as bigint) as double)) as x from items
  ) as one join (
    select benchmark, item, id, correct, coalesce(score, cast(cast(correct as bigint) as double)) as x from items
  ) as two on one.benchmark = two.benchmark and one.item = two.item
  where one.id <> two.id and one.x is not null and two.x is not null
  group by one.benchmark, one.id, two.id
) as pairs
