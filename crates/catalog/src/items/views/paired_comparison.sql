-- Two checkpoints (each pair in both orders) on the items both answered: mean of b less mean of a with its interval. Where every
-- item is right or wrong: the items that only one of them solves, the exact p of McNemar's test on those, and the interval that
-- agrees with it. Of other scores the percentile interval of resampling items in pairs, and no such counts.
create view paired_comparison as
select benchmark, a, b, n, score_a, score_b, score_b - score_a as difference,
  case when right_or_wrong then exact['low'] else drawn['low'] end as low,
  case when right_or_wrong then exact['high'] else drawn['high'] end as high,
  case when right_or_wrong then only_a end as only_a, case when right_or_wrong then only_b end as only_b,
  case when right_or_wrong then mcnemar_p(only_a, only_b) end as p
from (
  select *, paired_interval(only_a, only_b, n) as exact from (
    select one.benchmark, one.id as a, two.id as b, count(*) as n, avg(one.x) as score_a, avg(two.x) as score_b,
      bootstrap(two.x - one.x) as drawn, bool_and(one.x in (0, 1) and two.x in (0, 1)) as right_or_wrong,
      sum(case when one.x > two.x then 1 else 0 end) as only_a,
      sum(case when one.x < two.x then 1 else 0 end) as only_b
    from (
      select benchmark, item, id, coalesce(score, cast(cast(correct as bigint) as double)) as x from items
    ) as one join (
      select benchmark, item, id, coalesce(score, cast(cast(correct as bigint) as double)) as x from items
    ) as two on one.benchmark = two.benchmark and one.item = two.item
    where one.id <> two.id and one.x is not null and two.x is not null
    group by one.benchmark, one.id, two.id
  ) as counted
) as pairs
