# SPDX-License-Identifier: GPL-2.0-only
"""The conformance report: build/conformance.json and build/conformance.html."""

import base64
import html
import json

from harness import OUT, number, procedures
from paths import BUILD

# Longer tables are folded, with the figures that are nearest to their limits before them.
LONG_ROWS = 20
NEAREST = 5

STYLE = """
body { font: 15px/1.5 sans-serif; color: #1b1b1b; max-width: 70em; margin: 2em auto; padding: 0 1em }
h1 { font-size: 1.6em } h2 { font-size: 1.2em; margin: 2.5em 0 .3em; border-top: 1px solid #ccc;
  padding-top: 1em }
table { border-collapse: collapse; margin: .8em 0; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .15em 1em .15em 0; border-bottom: 1px solid #e4e4e4;
  vertical-align: top }
td.number { text-align: right; white-space: nowrap }
.held { color: #14692f } .missed { color: #b00020; font-weight: bold }
.source, figcaption, details { color: #555; font-size: .9em }
figure { margin: 1em 0 } img { max-width: 100% } code { font-size: .9em }
summary { cursor: pointer } th.area { padding-top: 1em }
td.limit { white-space: nowrap }
"""


def _esc(text):
    return html.escape(str(text))


def _mark(held):
    return '<span class="held">held</span>' if held else '<span class="missed">missed</span>'


def _number(value):
    return number(value, 5) if value is None or abs(value) < 1e4 else f"{value:.0f}"


def _value(figure):
    return f"{_number(figure['value'])} {_esc(figure['unit'])}".strip()


def _row(figure, anchors):
    anchor = f"<td>{_esc(figure['anchor'])}</td>" if anchors else ""
    return (f"<tr><td>{_esc(figure['name'])}</td><td class=number>{_value(figure)}</td><td "
            f"class=limit>{_esc(figure['limit'])}</td>{anchor}<td>{_mark(figure['held'])}</td></tr>")


def nearest(figures):
    """The figures in the order of what they use of their limits, missed ones first."""
    judged = [f for f in figures if f["limit"] and (f["share"] is not None or not f["held"])]
    return sorted(judged, key=lambda f: (f["held"], -(f["share"] or 0)))


def _table(figures, head):
    if not figures:
        return ""
    anchors = any(f["anchor"] for f in figures)
    top = f"<tr><th>{head}<th>figure<th>limit{'<th>others' if anchors else ''}<th></tr>"

    def whole(some):
        return f"<table>{top}{''.join(_row(f, anchors) for f in some)}</table>"

    if len(figures) <= LONG_ROWS:
        return whole(figures)
    return (f"<p>The nearest to their limits, of {len(figures)}:</p>"
            f"{whole(nearest(figures)[:NEAREST])}" if nearest(figures) else "") + \
        f"<details><summary>all {len(figures)}</summary>{whole(figures)}</details>"


def _plot(result, plot):
    data = base64.b64encode((OUT / result["name"] / plot["file"]).read_bytes()).decode()
    return (f'<figure><img alt="{_esc(plot["title"])}" src="data:image/svg+xml;base64,{data}">'
            f"<figcaption>{_esc(plot['title'])}</figcaption></figure>")


def _section(result):
    scenarios = "".join(f"<br><code>build/qs1-sim --json - {_esc(s)}</code>"
                        for s in result["scenarios"])
    error = f"<p class=missed>{_esc(result['error'])}</p>" if result["error"] else ""
    notes = "".join(f"<p>{_esc(note)}</p>" for note in result["notes"])
    return (f"<h2 id={result['name']}>{_esc(result['title'])} {_mark(result['held'])}</h2>"
            f"<p>{_esc(result['text'])}</p><p class=source>{_esc(result['source'])}; "
            f"{'full length' if result['full'] else 'representative part'}, "
            f"{result['seconds']:.0f} s</p>{error}"
            + _table(result["figures"], "quantity")
            + "".join(_plot(result, plot) for plot in result["plots"]) + notes
            + _table(result["felt"], "felt by the plant")
            + (f"<details><summary>scenarios: {len(result['scenarios'])}</summary>{scenarios}"
               "</details>" if scenarios else ""))


def _overview(results):
    rows, area = "", None
    for r in results:
        if r["area"] != area:
            area = r["area"]
            rows += f"<tr><th class=area colspan=5>{_esc(area)}</tr>"
        near = nearest(r["figures"])[:1]
        rows += (f"<tr><td><a href=#{r['name']}>{_esc(r['title'])}</a></td><td class=number>"
                 f"{sum(f['held'] for f in r['figures'])} of {len(r['figures'])}</td>"
                 + ("".join(f"<td>{_esc(f['name'])}: {_value(f)}</td>"
                            f"<td class=limit>{_esc(f['limit'])}</td>"
                            for f in near) or "<td></td><td></td>")
                 + f"<td>{_mark(r['held'])}</td></tr>")
    return ("<table><tr><th>procedure<th>figures held<th>nearest to its limit<th>limit<th></tr>"
            f"{rows}</table>")


def write(results):
    """Write both files from the procedures' results. Some procedures, or a representative part of
    each, have a name of their own, so that they do not take the place of the whole.
    """
    whole = len(results) == len(procedures()) and all(r["full"] for r in results)
    name = "conformance" if whole else "conformance-part"
    held = sum(r["held"] for r in results)
    figures = sum(len(r["figures"]) for r in results)
    (BUILD / f"{name}.json").write_text(json.dumps(
        {"procedures": results, "held": held, "missed": len(results) - held}, indent=1) + "\n")
    page = (f'<!doctype html><html lang=en><meta charset=utf-8><title>qs1 conformance</title>'
            f"<style>{STYLE}</style><h1>qs1: conformance</h1><p>{held} of {len(results)} "
            f"procedures held, {figures} figures. Simulated, by the averaged plant with the nominal "
            "board and its source impedance, unless a procedure says otherwise: measured from its true "
            "waveforms, with sensor noise, quantisation, gain errors and 120 Hz ripple. This is a "
            "development system, not a certificate.</p>"
            + _overview(results) + "".join(_section(r) for r in results) + "</html>\n")
    (BUILD / f"{name}.html").write_text(page)
