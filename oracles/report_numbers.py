"""Computes the numbers of a report's sections anew from its own tables, with pandas, scipy, statsmodels and pingouin.

    python3 oracles/report_numbers.py anatomy-report [--if-possible]

Reads `tables/*.csv` and compares with `findings.json`: values and intervals to 1e-6 relative. Bootstrap intervals too:
the program's random numbers (xoshiro256++ from splitmix64) are made again here. Packages that are missing are installed
into a temporary folder. Exit status 1 when a number differs, or when packages cannot be had, unless `--if-possible`
is given: then it says so and ends with 0.
"""

import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import venv

PACKAGES = ["numpy", "pandas", "scipy", "statsmodels", "pingouin"]


def with_packages():
    """Runs this script again where the packages are, when they are not here."""
    try:
        import numpy, pandas, pingouin, scipy, statsmodels  # noqa: E401, F401
    except ImportError:
        if os.environ.get("ORACLE_PACKAGES_TRIED"):
            raise
        with tempfile.TemporaryDirectory() as folder:
            venv.create(folder, with_pip=True)
            python = str(pathlib.Path(folder) / "bin" / "python")
            installed = subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES])
            if installed.returncode != 0:
                print("skipped: the packages the numbers are compared with cannot be installed")
                sys.exit(0 if "--if-possible" in sys.argv else 1)
            environment = dict(os.environ, ORACLE_PACKAGES_TRIED="1")
            sys.exit(subprocess.run([python, __file__, *sys.argv[1:]], env=environment).returncode)


with_packages()

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import pingouin as pg  # noqa: E402
import statsmodels.api as sm  # noqa: E402
from scipy import stats  # noqa: E402
from statsmodels.stats.multitest import multipletests  # noqa: E402

TOLERANCE = 1e-6
SCORES = ["ifeval", "bbh", "math", "gpqa", "musr", "mmlu_pro"]
OUTCOMES = [*SCORES, "average"]
STRUCTURE = ["size", "d_model", "d_ffn", "heads", "layers", "kv_heads", "vocab_size", "pos", "date"]
BUCKETS = ["small", "medium", "large"]


class Ledger:
    """What was compared."""

    def __init__(self, findings):
        self.findings = {finding["id"]: finding for finding in findings}
        self.compared = {}
        self.wrong = []

    def check(self, name, value, low=None, high=None):
        finding = self.findings.get(name)
        if finding is None:
            self.wrong.append((name, "value", None, value))
            return
        pairs = [("value", finding["value"], value)]
        if low is not None:
            interval = finding["interval"] or {"low": None, "high": None}
            pairs += [("low", interval["low"], low), ("high", interval["high"], high)]
        worst = 0.0
        for what, ours, theirs in pairs:
            missing = theirs is None or not math.isfinite(theirs)
            if ours is None or missing:
                off = 0.0 if ours is None and missing else math.inf
            else:
                off = abs(ours - theirs) / max(abs(theirs), 1e-3)
            worst = max(worst, off)
            if off > TOLERANCE:
                self.wrong.append((name, what, ours, theirs))
        self.compared[name] = max(worst, self.compared.get(name, 0.0))


# --- the program's random numbers -------------------------------------------------------------------------------------

MASK = np.uint64(0xFFFFFFFFFFFFFFFF)


def split_mix(x):
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def rotate_left(x, by):
    return (x << np.uint64(by)) | (x >> np.uint64(64 - by))


def drawn_counts(n_groups, resamples, seed):
    """How often each group is drawn in each resample, (resamples, n_groups)."""
    with np.errstate(over="ignore"):
        streams = np.arange(1, resamples + 1, dtype=np.uint64)
        seeds = split_mix(np.full(resamples, seed, dtype=np.uint64))
        mixed = seeds + split_mix(streams ^ np.uint64(0x5851F42D4C957F2D))
        state = []
        for _ in range(4):
            mixed = mixed + np.uint64(0x9E3779B97F4A7C15)
            state.append(split_mix(mixed))
        counts = np.zeros((resamples, n_groups), dtype=np.int64)
        rows = np.arange(resamples)
        n = np.uint64(n_groups)
        for _ in range(n_groups):
            bits = rotate_left(state[0] + state[3], 23) + state[0]
            t = state[1] << np.uint64(17)
            state[2] ^= state[0]
            state[3] ^= state[1]
            state[1] ^= state[2]
            state[0] ^= state[3]
            state[2] ^= t
            state[3] = rotate_left(state[3], 45)
            high, low = bits >> np.uint64(32), bits & np.uint64(0xFFFFFFFF)
            place = (high * n + (low * n >> np.uint64(32))) >> np.uint64(32)
            counts[rows, place.astype(np.int64)] += 1
    return counts


COUNTS = {}


def counts_of(n_groups, report):
    key = (n_groups, report["resamples"], report["seed"])
    if key not in COUNTS:
        COUNTS[key] = drawn_counts(*key)
    return COUNTS[key]


def percentiles(values):
    values = np.asarray(values, dtype=float)
    finite = values[np.isfinite(values)]
    if len(finite) * 2 < len(values):
        return (None, None)
    return tuple(np.quantile(finite, [0.025, 0.975]))


def bootstrap_means(values, groups, report):
    """Interval of a mean over groups."""
    labels, dense = np.unique(groups, return_inverse=True)
    if len(labels) < 5:
        return (None, None)
    sums = np.bincount(dense, values, len(labels))
    ns = np.bincount(dense, minlength=len(labels))
    counts = counts_of(len(labels), report)
    with np.errstate(invalid="ignore"):
        return percentiles(counts @ sums / (counts @ ns))


def bootstrap_difference(x, x_groups, y, y_groups, report):
    labels = np.unique(np.concatenate([x_groups, y_groups]))
    if len(labels) < 5:
        return (None, None)
    counts = counts_of(len(labels), report)

    def side(values, groups):
        dense = np.searchsorted(labels, groups)
        with np.errstate(invalid="ignore"):
            return counts @ np.bincount(dense, values, len(labels)) / (
                counts @ np.bincount(dense, minlength=len(labels))
            )

    return percentiles(side(x, x_groups) - side(y, y_groups))


# --- estimators -------------------------------------------------------------------------------------------------------


def clustered(design, target, groups):
    return sm.OLS(np.asarray(target, float), np.asarray(design, float)).fit(
        cov_type="cluster", cov_kwds={"groups": pd.factorize(groups)[0]}, use_t=True
    )


def contrast(fit, weights):
    test = fit.t_test(np.asarray(weights, float))
    low, high = np.ravel(test.conf_int(0.05))
    return float(np.ravel(test.effect)[0]), low, high, float(np.ravel(test.pvalue)[0])


def fieller(fit, over, under):
    """A coefficient over another with Fieller's 95 % interval; without value and ends where the lower one's covers 0."""
    b, c = fit.params[over], fit.params[under]
    v = np.asarray(fit.cov_params())
    t2 = stats.t.ppf(0.975, fit.df_resid_inference) ** 2
    square = c * c - t2 * v[under, under]
    if square <= 0:
        return None, math.nan, math.nan
    half = b * c - t2 * v[over, under]
    root = math.sqrt(max(half * half - square * (b * b - t2 * v[over, over]), 0.0))
    return b / c, (half - root) / square, (half + root) / square


def within(frame, x, y, strata, groups):
    """Slope of y on x with one intercept a stratum; strata where x is constant are left out."""
    frame = frame[[x, y, groups]].assign(stratum=strata).dropna()
    keep = frame.groupby("stratum")[x].transform("nunique") > 1
    frame = frame[keep]
    if frame[groups].nunique() < 2:
        return None
    a = frame[x] - frame.groupby("stratum")[x].transform("mean")
    b = frame[y] - frame.groupby("stratum")[y].transform("mean")
    return clustered(a.to_numpy()[:, None], b, frame[groups].to_numpy())


def weighted_correlations(columns, groups, report):
    """Rank correlations of each resample of groups, (resamples, columns, columns); a row drawn w times is w equal rows."""
    labels, dense = np.unique(groups, return_inverse=True)
    orders = []
    for column in columns.T:
        order = np.argsort(column, kind="stable")
        starts = np.r_[True, np.diff(column[order]) != 0]
        orders.append((order, np.cumsum(starts) - 1, np.nonzero(starts)[0]))
    found = []
    for counts in counts_of(len(labels), report):
        weight = counts[dense].astype(float)
        ranks = np.empty_like(columns)
        for place, (order, run, first) in enumerate(orders):
            own = np.add.reduceat(weight[order], first)
            rank = np.cumsum(own) - own + (own + 1) / 2
            ranks[order, place] = rank[run]
        centred = ranks - (weight.sum() + 1) / 2
        covariance = centred.T @ (centred * weight[:, None])
        deviation = np.sqrt(np.diag(covariance))
        with np.errstate(invalid="ignore", divide="ignore"):
            found.append(covariance / np.outer(deviation, deviation))
    return np.array(found)


def knots_of(values):
    return np.unique(np.quantile(values, [0.05, 0.275, 0.5, 0.725, 0.95]))


def spline(x, knots, derivative=False):
    """Harrell's restricted cubic basis, or its derivative."""
    x = np.asarray(x, float)

    def power(distance):
        positive = np.maximum(distance, 0.0)
        return 3 * positive**2 if derivative else positive**3

    last, before, first = knots[-1], knots[-2], knots[0]
    columns = [np.ones_like(x) if derivative else x]
    for knot in knots[:-2]:
        term = (
            power(x - knot)
            - power(x - before) * (last - knot) / (last - before)
            + power(x - last) * (before - knot) / (last - before)
        )
        columns.append(term / (last - first) ** 2)
    return np.column_stack(columns)


def ranks_within(frame, x, y, strata):
    """Ranks within strata, centred and divided by the stratum's rows."""
    frame = frame.assign(stratum=strata)
    by = frame.groupby("stratum")
    n = by[x].transform("size")
    frame, n = frame[n > 1], n[n > 1]
    by = frame.groupby("stratum")
    return (
        (by[x].rank() - (n + 1) / 2) / n,
        (by[y].rank() - (n + 1) / 2) / n,
        frame["shape"],
    )


# --- sections ---------------------------------------------------------------------------------------------------------


def scale(ledger, rows, report):
    for ending, kept in (("", rows), (".known_size", rows[rows.listed_size > 0])):
        groups = {name: kept[kept.bucket == name] for name in BUCKETS}
        for name, own in groups.items():
            average = own.average
            ledger.check(f"scale.count.{name}{ending}", len(own))
            interval = bootstrap_means(average.to_numpy(), own["shape"].to_numpy(), report)
            ledger.check(f"scale.mean.{name}{ending}", average.mean(), *interval)
            ledger.check(f"scale.sd.{name}{ending}", average.std())
            for statistic, fraction in (("min", 0), ("q1", 0.25), ("median", 0.5), ("q3", 0.75), ("max", 1)):
                ledger.check(f"scale.{statistic}.{name}{ending}", average.quantile(fraction))
        for larger, smaller in (("large", "medium"), ("large", "small"), ("medium", "small")):
            x, y = groups[larger], groups[smaller]
            pair = f"{larger}_{smaller}{ending}"
            test = stats.ttest_ind(x.average, y.average, equal_var=False)
            interval = bootstrap_difference(
                x.average.to_numpy(), x["shape"].to_numpy(), y.average.to_numpy(), y["shape"].to_numpy(), report
            )
            ledger.check(f"scale.difference.{pair}", x.average.mean() - y.average.mean(), *interval)
            ledger.check(f"scale.welch_t.{pair}", test.statistic)
            ledger.check(f"scale.welch_df.{pair}", test.df)
            ledger.check(f"scale.welch_p.{pair}", test.pvalue)
            ledger.check(f"scale.bonferroni_p.{pair}", min(1.0, 3 * test.pvalue))
            ledger.check(f"scale.hedges_g.{pair}", pg.compute_effsize(x.average, y.average, eftype="hedges"))
    known = rows[rows.best_size > 0].assign(x=lambda frame: np.log2(frame.best_size))
    shapes = known.groupby("shape")[["x", "average"]].mean().reset_index()
    knots = knots_of(shapes.x)
    for ending, data in (("", known), (".by_shape", shapes)):
        design = sm.add_constant(spline(data.x, knots))
        fit = clustered(design, data.average, data["shape"].to_numpy())
        for size in (0.5, 1, 3, 7, 14, 32, 70):
            name = f"{size}b".replace(".", "_")
            at = np.log2([size])
            for what, weights in (
                ("level", np.r_[1, spline(at, knots)[0]]),
                ("slope", np.r_[0, spline(at, knots, True)[0]]),
            ):
                value, low, high, _ = contrast(fit, weights)
                ledger.check(f"scale.curve.{what}.{name}{ending}", value, low, high)
        start, end = np.quantile(data.x, 0.01), data.x.max()
        steps = np.minimum(start + 0.01 * np.arange(math.ceil((end - start) / 0.01) + 1), end)
        basis = spline(steps, knots, True)

        def crossing(coefficients):
            slopes = basis @ coefficients[1:]
            # The last of several steepest places: beyond the outer knots the slope is constant.
            steepest = len(slopes) - 1 - np.argmax(slopes[::-1])
            below = np.nonzero(slopes[steepest:] < 1.0)[0]
            if len(below) == 0:
                return math.inf
            first = steepest + below[0]
            if first == steepest:
                return steps[first]
            share = (slopes[first - 1] - 1.0) / (slopes[first - 1] - slopes[first])
            return steps[first - 1] + share * (steps[first] - steps[first - 1])

        found = crossing(fit.params)
        labels, dense = np.unique(data["shape"], return_inverse=True)
        k = design.shape[1]
        # Orthonormal columns first: cubes of a logarithm are too alike for the equations of a resample.
        columns, upper = np.linalg.qr(design)
        xx = np.zeros((len(labels), k, k))
        xy = np.zeros((len(labels), k))
        np.add.at(xx, dense, columns[:, :, None] * columns[:, None, :])
        np.add.at(xy, dense, columns * data.average.to_numpy()[:, None])
        counts = counts_of(len(labels), report)
        sizes = [
            2 ** min(crossing(np.linalg.solve(upper, np.linalg.solve(a, b))), end)
            for a, b in zip(np.tensordot(counts, xx, 1), counts @ xy)
        ]
        value = 2**found if math.isfinite(found) else None
        ledger.check(f"scale.curve.one_point_size{ending}", value, *percentiles(sizes))
    for name, subset, strata in (
        ("raw", known, 0),
        ("within_month", known[known.month.notna()], known.month[known.month.notna()]),
        ("pretrained", known[known.post_trained.astype(str).str.lower() == "false"], 0),
        ("post_trained", known[known.post_trained.astype(str).str.lower() == "true"], 0),
    ):
        fit = within(subset, "x", "average", strata, "shape")
        value, low, high, _ = contrast(fit, [1])
        ledger.check(f"scale.slope.{name}", value, low, high)


def efficiency(ledger, rows, report):
    def ratios(pattern, ratio, groups):
        ledger.check(pattern.format("mean"), ratio.mean(), *bootstrap_means(ratio.to_numpy(), groups.to_numpy(), report))
        ledger.check(pattern.format("median"), ratio.median())

    listed = rows[rows.listed_size > 0]
    for name in BUCKETS:
        own = listed[listed.bucket == name]
        ratios(f"efficiency.{{}}.{name}", own.average / own.listed_size, own["shape"])
        co2 = rows[(rows.bucket == name) & rows.co2.notna()]
        interval = bootstrap_means(co2.co2.to_numpy(), co2["shape"].to_numpy(), report)
        ledger.check(f"efficiency.co2.{name}", co2.co2.mean(), *interval)
        for cost, column in (("active", "active"), ("per_co2", "co2")):
            known = own[own[column] > 0]
            ratios(f"efficiency.{cost}.{{}}.{name}", known.average / known[column], known["shape"])
    edges = [0, 1, 3, 7, 13, 35, math.inf]
    names = ["under_1b", "1_3b", "3_7b", "7_13b", "13_35b", "from_35b"]
    for low, high, name in zip(edges, edges[1:], names):
        own = rows[(rows.best_size >= low) & (rows.best_size < high)]
        ratios(f"efficiency.per_billion.{{}}.{name}", own.average / own.best_size, own["shape"])
    bins = [0, 1, 2, 4, 8, 16, 32, 64, math.inf]
    for cost, column in (("size", "best_size"), ("active", "active"), ("co2", "co2")):
        known = rows[(rows[column] > 0) & rows.best_size.notna()]
        known = known.sort_values([column, "average"], ascending=[True, False], kind="stable")
        labels, dense = np.unique(known["shape"], return_inverse=True)
        average = known.average.to_numpy()
        bin_of = np.digitize(known.best_size, bins[1:-1])

        def front(kept):
            before = np.maximum.accumulate(np.where(kept, average, -math.inf))
            return kept & (average > np.r_[-math.inf, before[:-1]])

        members = front(np.ones(len(known), bool))
        ledger.check(f"efficiency.front.{cost}.members", members.sum())
        shares = []
        for counts in counts_of(len(labels), report):
            drawn = front(counts[dense] > 0)
            found = np.bincount(bin_of[drawn], minlength=8)
            shares.append(found / found.sum())
        shares = np.array(shares)
        for number in range(8):
            name = f"{bins[number]}_{bins[number + 1]}b" if number < 7 else f"from_{bins[number]}b"
            share = (bin_of[members] == number).mean()
            ledger.check(f"efficiency.front.{cost}.share.{name}", share, *percentiles(shares[:, number]))
            ledger.check(f"efficiency.front.{cost}.frequency.{name}", (shares[:, number] > 0).mean())


def merging(ledger, rows, report):
    for name in BUCKETS:
        own = rows[rows.bucket == name]
        sides = {"merged": own[own.merged == True], "not_merged": own[own.merged == False]}  # noqa: E712
        for label, side in sides.items():
            interval = bootstrap_means(side.average.to_numpy(), side["shape"].to_numpy(), report)
            ledger.check(f"merging.mean.{label}.{name}", side.average.mean(), *interval)
            ledger.check(f"merging.count.{label}.{name}", len(side))
        x, y = sides["merged"], sides["not_merged"]
        interval = bootstrap_difference(
            x.average.to_numpy(), x["shape"].to_numpy(), y.average.to_numpy(), y["shape"].to_numpy(), report
        )
        ledger.check(f"merging.difference.{name}", x.average.mean() - y.average.mean(), *interval)
    kind = rows.kind.str.contains("merge").where(rows.kind.notna())
    flag = rows.merged
    either = pd.Series(
        np.where((flag == True) | (kind == True), True, np.where(flag.notna() | kind.notna(), False, None)),  # noqa: E712
        index=rows.index,
    )
    both = flag.notna() & kind.notna()
    f, k = flag[both].astype(bool), kind[both].astype(bool)
    words = "merge|slerp|dare|ties|della|breadcrumbs|model_stock|model-stock|frankenm|moerge"
    named = rows.id[both].str.lower().str.contains(words)
    ledger.check("merging.labels.both", (f & k).sum())
    ledger.check("merging.labels.kind_only", (k & ~f).sum())
    ledger.check("merging.labels.flag_only", (f & ~k).sum())
    ledger.check("merging.labels.name_only", (named & ~f & ~k).sum())
    strata = {
        "raw": pd.Series(0, index=rows.index),
        "structure": rows["shape"],
        "date": rows.month,
        "structure_date": (rows["shape"].astype(str) + " " + rows.month).where(rows.month.notna()),
        "base": rows.root,
    }
    for definition, merged in (("flag", flag), ("kind", kind), ("either", either)):
        frame = rows.assign(x=merged.astype(float))
        found = []
        for key, stratum in strata.items():
            value, low, high, p = contrast(within(frame, "x", "average", stratum, "shape"), [1])
            ledger.check(f"merging.effect.{definition}.{key}.average", value, low, high)
            found.append((key, p))
        corrected = multipletests([p for _, p in found], method="holm")[1]
        for (key, p), holm in zip(found, corrected):
            note = ledger.findings[f"merging.effect.{definition}.{key}.average"]["notes"]
            said = f"p = {p:.2e}, corrected for five comparisons {holm:.2e}".replace("e-0", "e-").replace("e+0", "e")
            if said not in note:
                ledger.wrong.append((f"merging.effect.{definition}.{key}.average", "p", note, said))
        if definition == "either":
            for score in SCORES:
                fit = within(frame, "x", score, strata["structure_date"], "shape")
                value, low, high, _ = contrast(fit, [1])
                ledger.check(f"merging.effect.either.structure_date.{score}", value, low, high)


def popularity(ledger, rows, report):
    likes = rows.likes.dropna()
    for percent in (50, 75, 90, 95, 99):
        ledger.check(f"popularity.likes.q{percent}", likes.quantile(percent / 100))
    ledger.check("popularity.count.none", (likes == 0).sum())
    ledger.check("popularity.count.more_than_10", (likes > 10).sum())
    ledger.check("popularity.count.more_than_100", (likes > 100).sum())
    popular = rows[rows.likes > 10]
    ledger.check("popularity.spearman", stats.spearmanr(popular.likes, popular.average).statistic)
    ledger.check("popularity.r2", stats.linregress(np.log10(popular.likes), popular.average).rvalue ** 2)
    size_class = np.floor(2 * np.log2(rows.best_size))
    rows = rows.assign(size_class=size_class)
    for name, column, subset in (
        ("likes", "likes", rows[rows.likes.notna()]),
        ("likes_over_10", "likes", popular.assign(size_class=size_class)),
        ("downloads", "downloads", rows[rows.downloads.notna()]),
    ):
        resampled = weighted_correlations(subset[[column, "average"]].to_numpy(float), subset["shape"].to_numpy(), report)
        value = stats.spearmanr(subset[column], subset.average).statistic
        ledger.check(f"popularity.{name}.raw", value, *percentiles(resampled[:, 0, 1]))
        for bucket in BUCKETS:
            own = subset[(subset.bucket == bucket) & (subset.listed_size > 0)]
            value = stats.spearmanr(own[column], own.average).statistic if len(own) > 2 else None
            ledger.check(f"popularity.{name}.{bucket}", value)
        sized = subset[subset.size_class.notna()]
        dated = subset[subset.month.notna()]
        both = sized[sized.month.notna()]
        for key, frame, stratum in (
            ("within_size", sized, sized.size_class),
            ("within_month", dated, dated.month),
            ("within_size_month", both, both.size_class.astype(str) + " " + both.month),
        ):
            a, b, groups = ranks_within(frame, column, "average", stratum)
            labels, dense = np.unique(groups, return_inverse=True)
            sums = [np.bincount(dense, product, len(labels)) for product in (a * b, a * a, b * b)]
            counts = counts_of(len(labels), report)
            ab, aa, bb = (counts @ sum for sum in sums)
            with np.errstate(invalid="ignore"):
                interval = percentiles(ab / np.sqrt(aa * bb)) if len(labels) >= 5 else (None, None)
            ledger.check(
                f"popularity.{name}.{key}", (a * b).sum() / math.sqrt((a * a).sum() * (b * b).sum()), *interval
            )
        frame = subset[subset.best_size.notna() & subset.day.notna()]
        partial = pg.partial_corr(frame, x=column, y="average", covar=["best_size", "day"], method="spearman")
        ledger.check(f"popularity.{name}.partial", float(partial["r"].iloc[0]))


def architecture(ledger, rows, report):
    classes = {
        "llama": "LlamaForCausalLM",
        "qwen2": "Qwen2ForCausalLM",
        "mistral": "MistralForCausalLM",
        "gemma2": "Gemma2ForCausalLM",
        "mixtral": "MixtralForCausalLM",
        "phi3": "Phi3ForCausalLM",
        "gemma": "GemmaForCausalLM",
        "phi": "PhiForCausalLM",
    }
    for family, name in list(classes.items())[:4]:
        own = rows[rows.architecture == name]
        ledger.check(f"architecture.count.{family}", len(own))
        for bucket in BUCKETS:
            part = own[own.bucket == bucket]
            if len(part):
                ledger.check(f"architecture.count.{family}.{bucket}", len(part))
                interval = bootstrap_means(part.average.to_numpy(), part["shape"].to_numpy(), report)
                ledger.check(f"architecture.mean.{family}.{bucket}", part.average.mean(), *interval)
                ledger.check(f"architecture.median.{family}.{bucket}", part.average.median())
        for score in SCORES:
            ledger.check(f"architecture.best.{family}.{score}", own[score].max())
    known = rows[rows.best_size.notna() & rows.day.notna()]
    parts = {family: known[known.architecture == name] for family, name in classes.items()}
    parts = {family: part for family, part in parts.items() if len(part) >= 20}
    frame = pd.concat(parts.values())
    family_of = np.concatenate([[family] * len(part) for family, part in parts.items()])
    families = list(parts)
    log_size, day = np.log2(frame.best_size), frame.day
    adjusting = []
    for values, reference in ((log_size, 3.0), (day, day.median())):
        knots = knots_of(np.unique(values))
        adjusting.append(spline(values, knots) - spline([reference], knots))
    adjusting = np.column_stack(adjusting)
    dummies = np.column_stack([(family_of == family).astype(float) for family in families])
    design = np.column_stack([dummies, adjusting])
    for outcome in OUTCOMES:
        target = frame[outcome].to_numpy()
        fit = clustered(design, target, frame["shape"].to_numpy())
        found = []
        for first in range(len(families)):
            for second in range(first + 1, len(families)):
                weights = np.zeros(design.shape[1])
                weights[first], weights[second] = 1, -1
                value, low, high, p = contrast(fit, weights)
                pair = f"{families[first]}_{families[second]}.{outcome}"
                ledger.check(f"architecture.difference.{pair}", value, low, high)
                found.append((pair, p))
        for (pair, _), holm in zip(found, multipletests([p for _, p in found], method="holm")[1]):
            ledger.check(f"architecture.holm_p.{pair}", holm)
        adjusted = target - adjusting @ fit.params[len(families) :]
        for family in families:
            own = np.sort(adjusted[family_of == family])
            ledger.check(f"architecture.typical.{family}.{outcome}", np.median(own))
            n = len(own)
            weights = [math.comb(rank - 1, 19) / math.comb(n, 20) for rank in range(1, n + 1)]
            ledger.check(f"architecture.best_of_20.{family}.{outcome}", float(np.dot(own, weights)))


def chat_template(ledger, rows, report):
    known = rows[rows.chat_template.notna()].assign(x=lambda frame: frame.chat_template.astype(float))
    for score in SCORES:
        sides = {"with": known[known.x == 1], "without": known[known.x == 0]}
        for label, side in sides.items():
            interval = bootstrap_means(side[score].to_numpy(), side["shape"].to_numpy(), report)
            ledger.check(f"chat_template.mean.{label}.{score}", side[score].mean(), *interval)
            ledger.check(f"chat_template.median.{label}.{score}", side[score].median())
        x, y = sides["with"], sides["without"]
        interval = bootstrap_difference(
            x[score].to_numpy(), x["shape"].to_numpy(), y[score].to_numpy(), y["shape"].to_numpy(), report
        )
        ledger.check(f"chat_template.difference.{score}", x[score].mean() - y[score].mean(), *interval)
    alike = known.kind.fillna("") + "|" + known.architecture.fillna("") + "|" + known["shape"].astype(str)
    sides = known.groupby(["id", "x"])[OUTCOMES].mean().unstack("x").dropna()
    for outcome in OUTCOMES:
        for key, strata in (("clustered", pd.Series(0, index=known.index)), ("stratified", alike)):
            value, low, high, _ = contrast(within(known, "x", outcome, strata, "shape"), [1])
            ledger.check(f"chat_template.{key}.{outcome}", value, low, high)
        differences = sides[(outcome, 1.0)] - sides[(outcome, 0.0)]
        test = pg.ttest(differences, 0)
        low, high = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
        ledger.check(f"chat_template.paired.{outcome}", differences.mean(), low, high)
        assert abs(float(test["T"].iloc[0]) - stats.ttest_1samp(differences, 0).statistic) < 1e-9


def trends(ledger, checkpoints):
    dated = checkpoints[checkpoints.date > 19053]
    months = pd.to_datetime(dated.date, unit="D", origin="1970-01-01").dt.strftime("%Y-%m")
    first, last = months.min(), months.max()
    every = pd.period_range(first, last, freq="M").strftime("%Y-%m")
    for name, rows in (
        ("all", dated.id.notna()),
        ("moe", dated.moe == True),  # noqa: E712
        ("multimodal", dated.multimodal == True),  # noqa: E712
    ):
        counts = months[rows].value_counts()
        for month in every:
            ledger.check(f"trends.new.{name}.{month}", counts.get(month, 0))
    known = checkpoints[checkpoints.architecture.notna()]
    derivatives = known.groupby("architecture").derivative.sum()
    likes = known.assign(likes=known.likes.fillna(0)).groupby("architecture").likes.sum()
    for name, totals in (("derivatives", derivatives), ("likes", likes)):
        ordered = totals.reset_index().sort_values([totals.name, "architecture"], ascending=[False, True]).head(20)
        for architecture_name, total in ordered.itertuples(index=False):
            ledger.check(f"trends.architecture.{name}.{architecture_name.lower()}", total)
    edges = [0, 1.5, 5, 10, 20, 50, math.inf]
    names = ["under_1_5b", "1_5_5b", "5_10b", "10_20b", "20_50b", "from_50b"]
    sized = checkpoints[(checkpoints["size"] > 0) & checkpoints.likes.notna()]
    for low, high, name in zip(edges, edges[1:], names):
        own = sized.likes[(sized["size"] >= low) & (sized["size"] < high)]
        if not len(own):
            continue
        ordered = np.sort(own)
        rank = 0
        while stats.binom.cdf(rank, len(own), 0.5) <= 0.025:
            rank += 1
        ledger.check(f"trends.likes.median.{name}", own.median(), ordered[rank - 1], ordered[len(own) - rank])
        ledger.check(f"trends.likes.mean.{name}", own.mean())
        ledger.check(f"trends.likes.q90.{name}", own.quantile(0.9))
        ledger.check(f"trends.likes.q99.{name}", own.quantile(0.99))
        ledger.check(f"trends.likes.none.{name}", (own == 0).mean())


def equal_frequency(sizes):
    """Bin of each size, sizes ascending: equal sizes go into the bin of their middle rank."""
    n = len(sizes)
    first = pd.Series(sizes).groupby(sizes).transform(lambda own: own.index.min()).to_numpy()
    count = pd.Series(sizes).groupby(sizes).transform("size").to_numpy()
    return np.floor((first + count / 2) / n * 10).astype(int)


def progress(ledger, board, rows, outcomes, report):
    bases = rows[(rows.pretrained == True) & rows.day.notna() & rows["size"].notna()]  # noqa: E712
    bases = bases.sort_values(["day", "id"], kind="stable")
    levels = {"v1": [40, 50, 60, 70], "v2": [5, 10, 20, 30]}[board]
    for level in levels:
        reached = bases[bases.average >= level]
        if len(reached):
            ledger.check(f"progress.size_needed.{board}.{level}.first", reached["size"].iloc[0])
            ledger.check(f"progress.size_needed.{board}.{level}.smallest", reached["size"].min())
    for outcome in outcomes:
        own = bases[bases[outcome].notna()]
        ledger.check(f"progress.frontier.{board}.{outcome}", own[outcome].max())
        year = own.day / 365.25 + 1970 - 2024
        design = np.column_stack([np.ones(len(own)), np.log2(own["size"]), year])
        fit = clustered(design, own[outcome], own["shape"].to_numpy())
        doubling, low, high, _ = contrast(fit, [0, 1, 0])
        ledger.check(f"progress.points_per_doubling.{board}.{outcome}", doubling, low, high)
        idle = low <= 0 <= high
        points, low, high, _ = contrast(fit, [0, 0, 1])
        ledger.check(f"progress.points_per_year.{board}.{outcome}", points, low, high)
        value, low, high = fieller(fit, 1, 2)
        if value is not None and (idle or not (value > 0 and points > 0)):
            value, low, high = None, math.nan, math.nan
        value = None if value is None else 12 * value
        ledger.check(f"progress.halving_months.{board}.{outcome}", value, 12 * low, 12 * high)
        known = rows[rows.pretrained.notna() & rows[outcome].notna()]
        known = known.assign(x=1.0 - known.pretrained.astype(float))
        value, low, high, _ = contrast(within(known, "x", outcome, known["shape"], "shape"), [1])
        ledger.check(f"progress.post_training.{board}.{outcome}", value, low, high)
        value, low, high, _ = contrast(within(known, "x", outcome, 0, "shape"), [1])
        ledger.check(f"progress.post_training_raw.{board}.{outcome}", value, low, high)
        if outcome == "average":
            continue
        for name, pretrained in (("base", True), ("post_trained", False)):
            part = known[(known.pretrained == pretrained) & known["size"].notna()]
            part = part.sort_values(["size", outcome, "shape"])
            bins = equal_frequency(part["size"].to_numpy())
            for number, own_bin in enumerate(np.unique(bins), 1):
                inside = part[bins == own_bin]
                interval = bootstrap_means(inside[outcome].to_numpy(), inside["shape"].to_numpy(), report)
                ledger.check(f"progress.size_bins.{name}.mean.{outcome}.{number}", inside[outcome].mean(), *interval)


def correlation(ledger, board, rows, benchmarks, report):
    complete = rows[["shape", *benchmarks]].dropna()
    resampled = weighted_correlations(complete[benchmarks].to_numpy(), complete["shape"].to_numpy(), report)
    complete = complete[benchmarks]
    spearman = complete.corr(method="spearman")
    for place, first in enumerate(benchmarks):
        for other, second in enumerate(benchmarks[place + 1 :], place + 1):
            interval = percentiles(resampled[:, place, other])
            ledger.check(f"correlation.spearman.{first}.{second}", spearman.loc[first, second], *interval)
    values, vectors = (found[..., ::-1] for found in np.linalg.eigh(spearman.to_numpy()))
    own_values, own_vectors = (found[..., ::-1] for found in np.linalg.eigh(resampled))
    alike = np.abs(np.einsum("rik,ik->rk", own_vectors, vectors))
    for number, value in enumerate(values, 1):
        interval = percentiles(own_values[:, number - 1])
        ledger.check(f"correlation.components.{board}.eigenvalue.{number}", value, *interval)
        ledger.check(f"correlation.components.{board}.share.{number}", value / len(benchmarks))
        ledger.check(f"correlation.components.{board}.stability.{number}", np.median(alike[:, number - 1]))
    frame = rows.assign(date=rows.day)[[*STRUCTURE, *benchmarks]].dropna()
    whole = frame.corr(method="spearman")
    names = [*STRUCTURE, *benchmarks]
    for place, first in enumerate(names):
        for second in benchmarks:
            if first in STRUCTURE:
                ledger.check(f"correlation.spearman.{first}.{second}", whole.loc[first, second])
            if first in ("size", "date") or (first in benchmarks and names.index(second) <= place):
                continue
            partial = pg.partial_corr(frame, x=first, y=second, covar=["size", "date"], method="spearman")
            ledger.check(f"correlation.partial.{first}.{second}", float(partial["r"].iloc[0]))


# --- the whole --------------------------------------------------------------------------------------------------------


def read(folder, name):
    frame = pd.read_csv(folder / "tables" / f"{name}.csv", keep_default_na=False, na_values=[""])
    for column in ("merged", "chat_template", "moe", "multimodal", "pretrained", "derivative", "repeat"):
        if column in frame:
            text = frame[column].astype("string").str.lower()
            frame[column] = text.map({"true": True, "false": False}).astype(object).where(text.notna(), None)
    return frame


def main(folder):
    file = json.loads((folder / "findings.json").read_text())
    ledger = Ledger(file["findings"])
    tested = next(f for f in file["findings"] if f["interval"] and "resamples" in f["interval"]["method"])
    resamples = int(tested["interval"]["method"].split(",")[1].split()[0])
    report = {"seed": tested["seed"], "resamples": resamples}
    rows = read(folder, "leaderboard-v2-rows")
    size = rows.listed_size.fillna(0)
    rows["bucket"] = np.where(size >= 50, "large", np.where(size >= 10, "medium", "small"))
    rows["day"] = (pd.to_datetime(rows.date) - pd.Timestamp("1970-01-01")).dt.days
    for section in (scale, efficiency, merging, popularity, architecture, chat_template):
        section(ledger, rows, report)
    checkpoints = read(folder, "checkpoints")
    checkpoints["derivative"] = checkpoints.derivative.astype(bool)
    trends(ledger, checkpoints)
    for board, benchmarks in (
        ("v1", ["arc", "hellaswag", "mmlu", "truthfulqa", "winogrande", "gsm8k"]),
        ("v2", SCORES),
    ):
        own = read(folder, f"checkpoints-{board}")
        progress(ledger, board, own, [*benchmarks, "average"], report)
        correlation(ledger, board, own, benchmarks, report)

    print(f"{'section':<16}{'compared':>10}{'of':>8}{'largest difference':>22}")
    sections = sorted({name.split(".")[0] for name in ledger.compared})
    for section in sections:
        own = [off for name, off in ledger.compared.items() if name.startswith(section + ".")]
        of = sum(1 for name in ledger.findings if name.startswith(section + "."))
        print(f"{section:<16}{len(own):>10}{of:>8}{max(own):>22.1e}")
    for name, what, ours, theirs in ledger.wrong[:40]:
        print(f"differs: {name} ({what}): ours {ours}, theirs {theirs}")
    print(f"{len(ledger.compared)} findings compared, {len(ledger.wrong)} differ by more than {TOLERANCE} relative")
    return 1 if ledger.wrong else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "anatomy-report")))
