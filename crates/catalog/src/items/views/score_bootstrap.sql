-- A checkpoint's mean score on a benchmark with the percentile interval of resampling its items.
create view score_bootstrap as
select benchmark, id, n, score, ends['low'] as low, ends['high'] as high, metric
from (
  select benchmark, id, count(*) as n, avg(x) as score, bootstrap(x) as ends, min(metric) as metric
  from (
    select benchmark, id, metric, coalesce(score, cast(cast(correct as bigint) as double)) as x from items
  ) as scored
  where x is not null group by benchmark, id
) as means
