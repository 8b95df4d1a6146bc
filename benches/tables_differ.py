"""How far two Arrow tables lie apart."""


def differs(ours, theirs):
    """The largest relative difference of two tables' numbers; infinity where anything else differs."""
    if ours.num_rows != theirs.num_rows or ours.column_names != theirs.column_names:
        return float("inf")
    worst = 0.0
    for name in ours.column_names:
        for a, b in zip(ours[name].to_pylist(), theirs[name].to_pylist()):
            if isinstance(a, float) and isinstance(b, float):
                worst = max(worst, abs(a - b) / max(abs(b), 1e-12))
            elif a != b:
                return float("inf")
    return worst
