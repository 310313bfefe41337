"""Tables for people: a title, columns as wide as their widest cell, numbers to the right."""


def show(title, heads, rows):
    cells = [heads, *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(line[column]) for line in cells) for column in range(len(heads))]
    print(f"\n{title}")
    for number, line in enumerate(cells):
        first, *rest = [cell.ljust(width) if column == 0 else cell.rjust(width)
                        for column, (cell, width) in enumerate(zip(line, widths))]
        print(("  " + "  ".join([first, *rest])).rstrip())
        if number == 0:
            print("  " + "-" * (sum(widths) + 2 * (len(widths) - 1)))


def verdict(holds):
    return "holds" if holds else "MISSED"


def median(values):
    ordered = sorted(values)
    return ordered[len(ordered) // 2]
