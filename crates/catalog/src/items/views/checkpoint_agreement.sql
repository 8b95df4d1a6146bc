-- Two checkpoints (each pair in both orders: add `a < b` for one) on the items both answered: how often both are right or both
-- wrong, Cohen's kappa beyond what their scores alone would give, with the interval of Fleiss, Cohen and Everitt (1969), how
-- often they give the same answer where both are wrong, and the correlation of their log-likelihoods.
create view checkpoint_agreement as
with pairs as (
  select one.benchmark, one.id as a, two.id as b, count(*) as n,
    cast(sum(case when one.correct and two.correct then 1 else 0 end) as double) as p11,
    cast(sum(case when one.correct and not two.correct then 1 else 0 end) as double) as p10,
    cast(sum(case when not one.correct and two.correct then 1 else 0 end) as double) as p01,
    sum(case when not one.correct and not two.correct then 1 else 0 end) as both_wrong,
    sum(case when not one.correct and not two.correct and one.prediction = two.prediction then 1 else 0 end) as same_wrong,
    corr(one.loglikelihood, two.loglikelihood) as loglikelihood_r
  from items as one join items as two on one.benchmark = two.benchmark and one.item = two.item
  where one.id <> two.id and one.correct is not null and two.correct is not null
  group by one.benchmark, one.id, two.id
), shares as (
  select benchmark, a, b, n, both_wrong, same_wrong, loglikelihood_r,
    p11 / n as p11, p10 / n as p10, p01 / n as p01, cast(both_wrong as double) / n as p00,
    (p11 + p10) / n as a1, (p11 + p01) / n as b1
  from pairs
), chance as (
  select *, p11 + p00 as agree, a1 * b1 + (1 - a1) * (1 - b1) as expected from shares
), kappas as (
  select *, case when expected < 1 then (agree - expected) / (1 - expected) end as kappa from chance
), errors as (
  select *, sqrt(greatest(0,
      p11 * power(1 - (a1 + b1) * (1 - kappa), 2) + p00 * power(1 - (2 - a1 - b1) * (1 - kappa), 2)
      + power(1 - kappa, 2) * (p10 * power(b1 + 1 - a1, 2) + p01 * power(1 - b1 + a1, 2))
      - power(kappa - expected * (1 - kappa), 2)) / n) / (1 - expected) as error
  from kappas
)
select benchmark, a, b, n, a1 as score_a, b1 as score_b, agree, expected, kappa,
  case when kappa is not null then greatest(-1, kappa - 1.959963984540054 * error) end as low,
  case when kappa is not null then least(1, kappa + 1.959963984540054 * error) end as high,
  both_wrong, same_wrong, loglikelihood_r
from errors
