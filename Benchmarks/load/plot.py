"""Line charts as SVG, several panels in one file, without any library."""
import math

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 420, 300, 56, 20, 50, 44
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00"]


def ticks(low, high):
    """Powers of ten, and 2 and 5 times those where there are few."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if high / low < 300 else (1,)
    return [step * 10 ** decade for decade in decades for step in steps if low <= step * 10 ** decade <= high]


def label(value):
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:g}"


def panel(title, x_title, y_title, series, x0, y0):
    """`series`: name → [(x, y), ...]; both axes are logarithmic, and a panel has its own."""
    xs = [x for points in series.values() for x, _ in points]
    ys = [y for points in series.values() for _, y in points]
    x_low, x_high, y_low, y_high = min(xs), max(max(xs), 2 * min(xs)), min(ys) / 1.5, max(ys) * 1.5
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x_of(x):
        return x0 + LEFT + width * math.log(x / x_low) / math.log(x_high / x_low)

    def y_of(y):
        return y0 + TOP + height * (1 - math.log(y / y_low) / math.log(y_high / y_low))
    out = [f'<text x="{x0 + LEFT}" y="{y0 + 18}" font-weight="bold">{title}</text>']
    for tick in ticks(y_low, y_high):
        y = y_of(tick)
        out.append(f'<path d="M{x0 + LEFT} {y:.1f}h{width}" stroke="#ddd"/>'
                   f'<text x="{x0 + LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{label(tick)}</text>')
    right = x0
    for x in sorted(set(xs)):
        # A label that would touch the last one is left out.
        if x_of(x) - right > 30:
            right = x_of(x)
            out.append(f'<text x="{right:.1f}" y="{y0 + HEIGHT - BOTTOM + 16}" text-anchor="middle">{label(x)}</text>')
    out.append(f'<text x="{x0 + LEFT + width / 2:.0f}" y="{y0 + HEIGHT - 10}" text-anchor="middle">{x_title}</text>')
    out.append(f'<text transform="translate({x0 + 13} {y0 + TOP + height / 2:.0f}) rotate(-90)" text-anchor="middle">{y_title}</text>')
    for index, (name, points) in enumerate(series.items()):
        colour = COLOURS[index % len(COLOURS)]
        line = "L".join(f"{x_of(x):.1f} {y_of(y):.1f}" for x, y in sorted(points))
        out.append(f'<path d="M{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x_of(x):.1f}" cy="{y_of(y):.1f}" r="3" fill="{colour}"/>' for x, y in points]
        out.append(f'<text x="{x0 + LEFT + 80 * index}" y="{y0 + 36}" fill="{colour}">{name}</text>')
    return "\n".join(out)


def write(path, panels, columns=2):
    """`panels`: (title, x title, y title, series) each."""
    rows = -(-len(panels) // columns)
    width, height = columns * WIDTH, rows * HEIGHT
    body = "\n".join(panel(*each, index % columns * WIDTH, index // columns * HEIGHT) for index, each in enumerate(panels))
    with open(path, "w") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">\n'
                   f'<rect width="{width}" height="{height}" fill="white"/>\n{body}\n</svg>\n')
