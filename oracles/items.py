"""Recomputes the views over items and `anatomy study items` with pandas, scipy and statsmodels on the same rows.

    python oracles/items.py ANATOMY            (pandas, pyarrow, scipy, statsmodels)

Makes rows of 30 checkpoints on two benchmarks, some answers missing, imports them, asks every view, and compares each number.
Exit status 0 where all agree, 1 where one does not.
"""

import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import optimize, stats
from statsmodels.stats.inter_rater import cohens_kappa, fleiss_kappa
from statsmodels.stats.proportion import proportion_confint

ANATOMY = sys.argv[1]
worst = {}
failed = set()


def ask(items, sql):
    run = subprocess.run(
        [ANATOMY, "query", "--items", items, sql, "--format", "csv"], capture_output=True, text=True, check=True
    )
    return pd.read_csv(io.StringIO(run.stdout), dtype={"item": str})


def near(name, ours, theirs, tolerance=1e-9):
    both_missing = pd.isna(ours) and pd.isna(theirs)
    gap = 0.0 if both_missing else abs(ours - theirs) / max(abs(theirs), 1e-3)
    if not gap <= tolerance:
        print(f"differs: {name}: ours {ours!r}, theirs {theirs!r}")
        failed.add(name)
    worst[name] = max(worst.get(name, 0.0), gap if gap == gap else np.inf)


def rows(seed=5):
    rng = np.random.default_rng(seed)
    found = []
    for bench, n, kinds in [("arc_challenge", 300, 4), ("gsm8k", 200, 50)]:
        beta, theta = rng.normal(0, 1.3, n), rng.normal(0, 1, 30)
        for c in range(30):
            right = rng.random(n) < 1 / (1 + np.exp(beta - theta[c]))
            wrong = 1 + rng.integers(0, kinds - 1, n) // 2
            nats = -np.abs(rng.normal(2 - right, 1, n))
            for i in range(n):
                if c < 20 or rng.random() < 0.98:
                    found.append(
                        (f"org/m{c:02d}", bench, str(i), bool(right[i]), float(right[i]), nats[i], str(0 if right[i] else wrong[i]))
                    )
    for c in range(30):  # a metric that is no yes or no
        for i in range(40):
            found.append((f"org/m{c:02d}", "mc2", str(i), None, rng.beta(2, 2), None, None))
    return pd.DataFrame(found, columns=["id", "benchmark", "item", "correct", "score", "loglikelihood", "prediction"])


def difficulty(items, frame):
    ours = ask(items, "select * from item_difficulty").set_index(["benchmark", "item"])
    for benchmark, part in frame.dropna(subset="correct").groupby("benchmark"):
        part = part.assign(x=part.correct.astype(float))
        totals = part.groupby("id").x.agg(["sum", "count"])
        for item, one in part.groupby("item"):
            mine = ours.loc[(benchmark, item)]
            total = totals.loc[one.id]
            rest = (total["sum"].to_numpy() - one.x.to_numpy()) / (total["count"].to_numpy() - 1)
            low, high = proportion_confint(one.x.sum(), len(one), method="wilson")
            near("share", mine.share, one.x.mean())
            near("wilson low", mine.low, max(low, 0))
            near("wilson high", mine.high, min(high, 1))
            if one.x.nunique() > 1:
                found = stats.pearsonr(one.x, rest)
                near("discrimination", mine.discrimination, found.statistic)
                near("discrimination low", mine.discrimination_low, found.confidence_interval().low)
                near("discrimination high", mine.discrimination_high, found.confidence_interval().high)
            else:
                near("no discrimination", mine.discrimination, np.nan)
    all_fail = ask(items, "select count(*) as n from items_all_fail").n[0]
    all_solve = ask(items, "select count(*) as n from items_all_solve").n[0]
    shares = frame.dropna(subset="correct").groupby(["benchmark", "item"]).correct.apply(lambda x: x.astype(bool).mean())
    near("all fail", all_fail, (shares == 0).sum())
    near("all solve", all_solve, (shares == 1).sum())


def scores(items, frame):
    ours = ask(items, "select * from score_bootstrap").set_index(["benchmark", "id"])
    rng = np.random.default_rng(1)
    for (benchmark, id_), one in frame.groupby(["benchmark", "id"]):
        mine = ours.loc[(benchmark, id_)]
        near("score", mine.score, one.score.mean())
        if benchmark != "mc2":
            law = stats.binom(len(one), one.score.mean())
            near("bootstrap low, exact", mine.low, law.ppf(0.025) / len(one))
            near("bootstrap high, exact", mine.high, law.ppf(0.975) / len(one))
        else:
            drawn = rng.choice(one.score.to_numpy(), (10_000, len(one))).mean(axis=1)
            low, high = np.quantile(drawn, [0.025, 0.975])
            near("bootstrap low, drawn (tolerance 3 %)", mine.low, low, 0.03)
            near("bootstrap high, drawn (tolerance 3 %)", mine.high, high, 0.03)


def paired_interval(only_a, only_b, n):
    """What Tango's score interval (1998) and Clopper and Pearson's of only_b among the discordant span together."""
    z, difference = stats.norm.ppf(0.975), (only_b - only_a) / n

    def score(delta):
        linear = (2 * n - only_b + only_a) * delta - only_b - only_a
        q = (np.sqrt(linear**2 + 8 * n * only_a * delta * (1 - delta)) - linear) / (4 * n)
        gap = only_b - only_a - n * delta
        return gap / np.sqrt(max(n * (2 * q + delta * (1 - delta)), 1e-300)) if gap else 0.0

    low = optimize.brentq(lambda delta: score(delta) - z, -1 + 1e-12, difference)
    high = optimize.brentq(lambda delta: score(delta) + z, difference, 1 - 1e-12)
    discordant = only_a + only_b
    if discordant == 0:
        return low, high
    exact = stats.binomtest(only_b, discordant).proportion_ci(0.95, "exact")
    scaled = [discordant / n * (2 * end - 1) for end in (exact.low, exact.high)]
    return min(low, scaled[0]), max(high, scaled[1])


def pairs(items, frame):
    agreement = ask(items, "select * from checkpoint_agreement where a < b").set_index(["benchmark", "a", "b"])
    paired = ask(items, "select * from paired_comparison where a < b").set_index(["benchmark", "a", "b"])
    known = frame.dropna(subset="correct")
    for benchmark, part in known.groupby("benchmark"):
        by_id = {id_: one.set_index("item") for id_, one in part.groupby("id")}
        names = sorted(by_id)
        for a, b in [(names[i], names[j]) for i in range(0, 30, 4) for j in range(i + 1, 30, 3)]:
            both = by_id[a].join(by_id[b], how="inner", suffixes=("_a", "_b"))
            x, y = both.correct_a.astype(int), both.correct_b.astype(int)
            table = np.array([[((x == i) & (y == j)).sum() for j in (0, 1)] for i in (0, 1)])
            kappa = cohens_kappa(table)
            mine = agreement.loc[(benchmark, a, b)]
            near("kappa", mine.kappa, kappa.kappa)
            near("kappa low", mine.low, kappa.kappa_low)
            near("kappa high", mine.high, kappa.kappa_upp)
            wrong = both[(x == 0) & (y == 0)]
            near("same wrong", mine.same_wrong, (wrong.prediction_a == wrong.prediction_b).sum())
            near("log-likelihoods", mine.loglikelihood_r, np.corrcoef(both.loglikelihood_a, both.loglikelihood_b)[0, 1])
            mine = paired.loc[(benchmark, a, b)]
            gaps = (y - x).to_numpy()
            near("difference", mine.difference, gaps.mean())
            near("mcnemar", mine.p, stats.binomtest(int(table[1, 0]), int(table[1, 0] + table[0, 1])).pvalue)
            low, high = paired_interval(int(table[1, 0]), int(table[0, 1]), len(gaps))
            near("paired low", mine.low, low)
            near("paired high", mine.high, high)


def sections(items, frame):
    run = subprocess.run(
        [ANATOMY, "study", "items", "--items", items, "--format", "json", "-q"], capture_output=True, text=True, check=True
    )
    found = {finding["id"]: finding for finding in json.loads(run.stdout)["findings"]}
    for benchmark, part in frame.dropna(subset="correct").groupby("benchmark"):
        wide = part.assign(x=part.correct.astype(float)).pivot(index="item", columns="id", values="x")
        near("mean difficulty", found[f"items.difficulty.{benchmark}"]["value"], wide.mean(axis=1).mean())
        near("share all fail", found[f"items.all_fail.{benchmark}"]["value"], (wide.sum(axis=1) == 0).mean())
        whole = wide.loc[:, [f"org/m{c:02d}" for c in range(20)]]
        assert whole.notna().all().all()
        n, k = wide.notna().sum(axis=1), wide.sum(axis=1)
        if wide.notna().all().all():
            near("fleiss", found[f"items.agreement.{benchmark}"]["value"], fleiss_kappa(np.c_[k, n - k]))
        else:  # Fleiss' kappa of unequal numbers of raters, by its definition
            agree = ((k * (k - 1) + (n - k) * (n - k - 1)) / (n * (n - 1))).mean()
            share = k.sum() / n.sum()
            chance = share**2 + (1 - share) ** 2
            near("fleiss, by definition", found[f"items.agreement.{benchmark}"]["value"], (agree - chance) / (1 - chance))


with tempfile.TemporaryDirectory() as folder:
    frame = rows()
    source, items = str(Path(folder) / "rows.parquet"), str(Path(folder) / "items")
    frame.to_parquet(source, index=False)
    subprocess.run([ANATOMY, "catalog", "import-items", "--into", items, source, "-q"], check=True, capture_output=True)
    difficulty(items, frame)
    scores(items, frame)
    pairs(items, frame)
    sections(items, frame)
for name, gap in worst.items():
    print(f"{name:45} largest relative difference {gap:.1e}")
sys.exit(1 if failed else 0)
