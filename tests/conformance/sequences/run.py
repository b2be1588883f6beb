# SPDX-License-Identifier: GPL-2.0-only
"""Random sequences of disturbances, judged by the standard's tables alone.

    run.py [--from SEED] [--count N]    sequences of N seeds; a failing one is shrunk
    run.py --seed SEED                  one, with its scenario
"""

import argparse
import collections
import concurrent.futures
import csv
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent),
                str(pathlib.Path(__file__).resolve().parents[2])]

import judge  # noqa: E402  (the path must be set first)
import sequence  # noqa: E402
from paths import BUILD  # noqa: E402

OUT = BUILD / "sequences"
ROWS_HZ = 200


def play(seq):
    """Simulate a sequence; the verdict."""
    with tempfile.TemporaryDirectory() as folder:
        scenario, rows = pathlib.Path(folder) / "s.scn", pathlib.Path(folder) / "s.csv"
        scenario.write_text(seq.text())
        done = subprocess.run([BUILD / "qs1-sim", "--json", "-", "--csv", rows, "--csv-rate",
                               str(ROWS_HZ), scenario], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"seed {seq.seed}: {done.stderr}")
        with open(rows, newline="") as file:
            reader = csv.reader(file)
            head = next(reader)
            at = [head.index(n) for n in ("time_s", "vgrid_rms_v", "igrid_rms_a")]
            table = [tuple(float(row[k]) for k in at) for row in reader]
    first = min(e.t for e in seq.events)
    return judge.judge(json.loads(done.stdout), table, first, seq.power_moves)


def simpler(seq):
    """Sequences one step simpler than this one, the simplest first."""
    for n in range(len(seq.events)):
        if len(seq.events) > 1:
            yield dataclasses.replace(seq, events=seq.events[:n] + seq.events[n + 1:])
    yield dataclasses.replace(seq, drawn=False)
    yield dataclasses.replace(seq, source=(155, 0.25))
    yield dataclasses.replace(seq, rise_s=0)
    yield dataclasses.replace(seq, phase_deg=0)
    yield dataclasses.replace(seq, sun=(round(sum(seq.sun) / 4),) * 4)
    for n, event in enumerate(seq.events):
        for other in (dataclasses.replace(event, t=sequence.FIRST_S),
                      dataclasses.replace(event, seconds=round(event.seconds / 2, 3))):
            yield dataclasses.replace(seq, events=(*seq.events[:n], other, *seq.events[n + 1:]))


def shrink(seq, fails, steps=60):
    """The simplest sequence near @seq that still fails, after at most @steps trials."""
    while steps > 0:
        for other in simpler(seq):
            steps -= 1
            if other != seq and fails(other):
                seq = other
                break
            if steps <= 0:
                break
        else:
            break
    return seq


def one(seed):
    return seed, play(sequence.draw(seed))


def report(seed, verdict):
    """Shrink a failing sequence; its scenario is kept, its lines returned."""
    seq = shrink(sequence.draw(seed), lambda other: play(other).failure)
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / f"{seed}.scn"
    path.write_text(f"# seed {seed}: {verdict.failure}; shrunk: {play(seq).failure}\n" + seq.text())
    events = ", ".join(f"{e.kind} {e.values}" for e in seq.events)
    return f"seed {seed}: {verdict.failure}\n  shrunk to {events}: {path}"


def progress(done, count, failed):
    """Every hundredth sequence: how far it is, on stderr."""
    if done % 100 == 0:
        print(f"{done} of {count} sequences, {failed} failed", file=sys.stderr, flush=True)


def sweep(seeds, shrunk=5):
    """Sequences of all @seeds; (judged, {seed: verdict of a failure}, reports of the first few)."""
    verdicts = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for seed, verdict in pool.map(one, seeds):
            verdicts[seed] = verdict
            progress(len(verdicts), len(seeds), sum(bool(v.failure) for v in verdicts.values()))
    failures = {seed: v for seed, v in verdicts.items() if v.failure}
    reports = [report(seed, failures[seed]) for seed in list(failures)[:shrunk]]
    return sum(v.judged for v in verdicts.values()), failures, reports


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", type=int, default=1, dest="first", help="first seed")
    parser.add_argument("--count", type=int, default=100, help="how many seeds")
    parser.add_argument("--seed", type=int, help="this sequence alone")
    args = parser.parse_args()
    if args.seed is not None:
        seq = sequence.draw(args.seed)
        verdict = play(seq)
        print(seq.text(), verdict.failure or ("held" if verdict.judged else "not judged"), sep="")
        return 1 if verdict.failure else 0
    judged, failures, reports = sweep(range(args.first, args.first + args.count))
    print(*reports, sep="\n")
    kinds = collections.Counter(v.failure.split(" at ")[0] for v in failures.values())
    print(f"{args.count} sequences, {judged} judged, {len(failures)} failed: {dict(kinds)}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
