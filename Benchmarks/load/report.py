"""Tables in Markdown."""
import statistics


def middle(rows, key):
    return statistics.median(r[key] for r in rows)


def table(head, rows):
    widths = [max(len(str(r[i])) for r in [head] + rows) for i in range(len(head))]
    line = lambda r: "| " + " | ".join(str(x).ljust(w) if i == 0 else str(x).rjust(w)
                                       for i, (x, w) in enumerate(zip(r, widths))) + " |"
    return "\n".join([line(head), "|" + "|".join("-" * (w + 2) for w in widths) + "|"] + [line(r) for r in rows])


def short(x):
    """Four significant digits, never an exponent."""
    return f"{x:.0f}" if x >= 1000 else f"{x:.4g}"


def report(scenario, results, base):
    rows, notes = [], ""
    for name, runs in results.items():
        if isinstance(runs, str):
            rows.append([name, "n/a"] + [""] * 11)
            notes += f"\n{name}: {runs.strip()}"
            continue
        us = middle(runs, "us")
        ratio = ""
        if isinstance(results.get(base), list):
            ratio = "%.2f" % statistics.median(b["us"] / r["us"] for b, r in zip(results[base], runs))
        failed = sum(r["failed"] for r in runs)
        if failed:
            notes += f"\n{name}: REQUESTS FAILED, its figures mean nothing"
        rows.append([name, short(us), f"{short(min(r['us'] for r in runs))}..{short(max(r['us'] for r in runs))}", ratio,
                     f"{1e6 / us:.0f}", f"{middle(runs, 'rps'):.0f}", f"{100 * middle(runs, 'busy'):.0f}%",
                     f"{100 * statistics.mean(r['kernel'] for r in runs):.0f}%",
                     f"{runs[0]['syscalls']:.2f}" if "syscalls" in runs[0] else "",
                     f"{middle(runs, 'p50'):.0f}", f"{middle(runs, 'p99'):.0f}", f"{middle(runs, 'bytes'):.0f}",
                     failed])
    unit = "message" if scenario.units > 1 else "request"
    return table(["gateway", f"CPU us/{unit}", "spread", f"{base}/this", f"{unit}s/s/core", "measured/s", "gw busy", "kernel",
                  "syscalls", "p50 us", "p99 us", "body B", "failed"], rows) + notes.replace("\n", "\n\n", 1)
