"""The report as one HTML page that needs no other file, no network and no script."""

import base64
import io
import math
from html import escape
from pathlib import Path
from typing import Dict, Iterable, List, Sequence

from PIL import Image

from mmamodal.visualization.plots.loss_curves import loss_curve
from mmamodal.visualization.report import runs as report
from mmamodal.visualization.report.runs import Run
from mmamodal.visualization.report.style import STYLE

MEANINGS = {
    'O-Acc': 'pairs of touching objects, one hiding a part of the other, whose order is right',
    'mIoU': 'amodal mask against true amodal mask: intersection over union',
    'inv-mIoU': 'the same outside the visible mask, that is, of the hidden part alone; the visible '
                'mask itself has 0',
    'AP': 'average precision over IoU thresholds .50 to .95; AP50 and AP75 at one threshold'}


def page(title: str, completers: Sequence[Run], detectors: Sequence[Run]) -> str:
    """The whole page.

    Args:
        title: its heading.
        completers: in the order of the tables; pictures of one image stand in this order.
        detectors: likewise.
    """
    sections = [_lead(completers, detectors), _steps(completers, detectors),
                _curves([*completers, *detectors]), _scores(completers, detectors),
                _completions(completers), _detections(detectors)]
    places = ', '.join(f'<code>{escape(str(run.work_dir))}</code>'
                       for run in (*completers, *detectors))
    return (f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n'
            f'<h1>{escape(title)}</h1>\n' + '\n'.join(sections) +
            f'\n<footer>Read from {places}.</footer>\n</body>\n</html>\n')


def _lead(completers: Sequence[Run], detectors: Sequence[Run]) -> str:
    """The two figures that matter most."""
    claims = []
    for runs, key, words in (
            (completers, 'completion/inv_mIoU', 'recovers the hidden parts of objects{} with an '
             'inv-mIoU of'),
            (detectors, 'coco/segm_mAP_50', 'finds objects and their amodal masks{} with an AP50 '
             'of')):
        scored = [(report.percent(key, run.metrics.get(key)), run.name) for run in runs]
        scored = [pair for pair in scored if not math.isnan(pair[0])]
        if scored:
            value, name = max(scored)
            words = words.format(' best,' if len(scored) > 1 else '')
            claims.append(f'{escape(name)} {words} {report.number(value)}\u202f%')
    return f'<p class="lead">{"; ".join(claims)}.</p>' if claims else ''


def _steps(completers: Sequence[Run], detectors: Sequence[Run]) -> str:
    """What was done, in order, and the numbers of each training."""
    trained, fixed = ([run for run in completers if bool(run.log) is logged]
                      for logged in (True, False))
    steps = []
    if trained:
        steps.append(f'{_names(trained)} learned to complete masks from <b>visible masks only</b>: '
                     'a second object is laid over a part of each object, and the network gives '
                     'back what was covered. No amodal mask is read.')
    if completers:
        steps.append(f'On held-out images{_test_data(completers)} the completers got the visible '
                     'masks, found out which object is in front, and gave amodal masks. These '
                     'were compared with the truth.')
    if trained and fixed:
        steps[-1] += f' {_names(fixed)} (no training log) stand beside them for comparison.'
    if detectors:
        steps.append(f'{_names(detectors)} learned to find objects and their amodal masks in '
                     'images alone, from the annotations in the table below.')
        steps.append(f'On held-out images{_test_data(detectors)} the detections were compared '
                     'with the true amodal masks.')
    items = '\n'.join(f'<li>{step}</li>' for step in steps)
    return f'<h2>What was done</h2>\n<ol>\n{items}\n</ol>\n' + _trainings(
        [run for run in (*completers, *detectors) if run.log])


def _test_data(runs: Sequence[Run]) -> str:
    """The test data in brackets, if all runs whose data is known share it."""
    known = {report.data_in_words(run.test_config, 'test') for run in runs} - {''}
    return f' ({escape(known.pop())})' if len(known) == 1 else ''


def _trainings(runs: Sequence[Run]) -> str:
    """One row a training: data, batch, iterations, time."""
    if not runs:
        return _missing('No run has a training log.')
    rows = []
    for run in runs:
        batch = run.config and run.config.get('train_dataloader', {}).get('batch_size')
        pace, total = report.seconds_per_step(run.log), report.training_seconds(run.log)
        cells = [str(batch or '–'), f"{run.log[-1]['step']:,}",
                 '–' if pace is None else f'{pace:.2g} s',
                 '–' if total is None else _clock(total)]
        data = report.data_in_words(run.config, 'train') or '–'
        rows.append(f'<tr><th scope="row">{escape(run.name)}</th>'
                    f'<td class="text">{escape(data)}</td>'
                    + ''.join(f'<td>{cell}</td>' for cell in cells) + '</tr>')
    heads = ''.join(f'<th{kind}>{name}</th>' for name, kind in (
        ('', ''), ('data', ' class="text" style="text-align:left"'), ('batch', ''),
        ('iterations', ''), ('per iteration', ''), ('training', '')))
    return _table('Trainings', f'<tr>{heads}</tr>', rows)


def _scores(completers: Sequence[Run], detectors: Sequence[Run]) -> str:
    """Metric tables and what the metrics mean."""
    parts, shown = ['<h2>Scores on held-out images</h2>'], set()
    for caption, runs, columns in (('Completers', completers, report.COMPLETER_COLUMNS),
                                   ('Detectors', detectors, report.DETECTOR_COLUMNS)):
        tested = [run for run in runs if run.metrics]
        heads, _ = report.table(tested, columns)
        shown.update(name for _, name, _ in heads)
        if heads:
            parts.append(_metric_table(caption, tested, columns))
        parts += [_missing(f'{escape(run.name)} has no test metrics: '
                           f'<code>{escape(str(run.work_dir))}/test/metrics.json</code> is not '
                           'there.') for run in runs if not run.metrics]
    terms = ''.join(f'<dt>{name}</dt><dd>{meaning}</dd>' for name, meaning in MEANINGS.items()
                    if name in shown)
    return '\n'.join(parts) + (f'\n<dl>{terms}</dl>' if terms else '')


def _metric_table(caption: str, runs: Sequence[Run], columns: report.Columns) -> str:
    heads, values = report.table(runs, columns)
    groups = ''.join(f'<th class="group" colspan="{count}" scope="colgroup">{name}</th>'
                     for name, count in report.spans(heads))
    names = ''.join(f'<th scope="col">{name}</th>' for _, name, _ in heads)
    rows = [f'<tr><th scope="row">{escape(run.name)}</th>' + ''.join(
        f'<td{" class=best" if mark else ""}>{report.number(value)}</td>'
        for value, mark in zip(numbers, marks)) + '</tr>'
        for run, numbers, marks in zip(runs, values, report.best(values))]
    return _table(f'{caption}, in percent' + ('; the best of a column is bold'
                                              if len(runs) > 1 else ''),
                  f'<tr><th></th>{groups}</tr><tr><th></th>{names}</tr>', rows)


def _curves(runs: Sequence[Run]) -> str:
    """One small diagram a training."""
    logged = [run for run in runs if len(run.log) > 1]
    if not logged:
        return '<h2>Training losses</h2>\n' + _missing('No run has a loss curve.')
    figures = '\n'.join(f'<figure><figcaption><b>{escape(run.name)}</b></figcaption>'
                        f'{loss_curve(run.name, run.log)}</figure>' for run in logged)
    return ('<h2>Training losses</h2>\n<p>Each run has its own loss, so heights compare within '
            'a diagram only. Thin: as logged; thick: running mean.</p>\n'
            f'<div class="curves">\n{figures}\n</div>')


def _completions(runs: Sequence[Run], least: int = 12) -> str:
    """At least a dozen pictures, those of one image one below the other."""
    drawn = [run for run in runs if run.pictures]
    head = '<h2>Completed masks</h2>\n'
    if not drawn:
        return head + _missing('No completer was tested with <code>--show-dir</code>, so there '
                               'are no pictures.') if runs else ''
    legend = ('<p>One colour is one object. Filled is what is visible and given; striped is what '
              'the completer adds, or what is hidden in truth. The scale of the uncertainty is '
              'that of its image.</p>\n')
    widest = max((_width(path) for run in drawn for path in run.pictures), default=1)
    return head + legend + '\n'.join(
        '<div class="image">' + ''.join(_figure(run.name, path, widest) for run, path in group)
        + '</div>' for group in by_image(drawn, max(6, -(-least // len(drawn)))))


def _detections(runs: Sequence[Run], most: int = 8) -> str:
    """Predictions beside truth."""
    drawn = [run for run in runs if run.pictures]
    head = '<h2>Detections</h2>\n'
    if not drawn:
        return head + _missing('No detector was tested with <code>--show-dir</code>, so there '
                               'are no pictures.') if runs else ''
    legend = ('<p>From the image alone. A detection has the colour of the true object it '
              'overlaps by more than half, and is grey if there is none.</p>\n')
    return head + legend + '<div class="detections">\n' + '\n'.join(
        '<div class="image">' + ''.join(_figure(run.name, path) for run, path in group) + '</div>'
        for group in by_image(drawn, most)) + '\n</div>'


def by_image(runs: Sequence[Run], most: int) -> List[list]:
    """The (run, picture) pairs of each image, images that most runs have drawn first."""
    groups: Dict[str, list] = {}
    for run in runs:
        for path in run.pictures:
            groups.setdefault(path.name, []).append((run, path))
    return sorted(groups.values(), key=lambda group: -len(group))[:most]


def _figure(name: str, path: Path, widest: int = 0) -> str:
    caption = f'<figcaption><b>{escape(name)}</b> · image {escape(path.stem)}</figcaption>'
    try:
        source = data_uri(path)
    except OSError:
        return _missing(f'<code>{escape(str(path))}</code> cannot be read.')
    width = f' style="width:{100 * _width(path) / widest:.4g}%"' if widest else ''
    return (f'<figure>{caption}<img src="{source}"{width} '
            f'alt="{escape(name)}, image {escape(path.stem)}"></figure>')


def data_uri(path: Path) -> str:
    """A picture file as it is, or as a fine JPEG where that is smaller.

    Raises:
        OSError: it is no picture, or a part of one.
    """
    png, stream = path.read_bytes(), io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        picture.convert('RGB').save(stream, 'JPEG', quality=90, subsampling=0, optimize=True)
    kind, data = ('jpeg', stream.getvalue()) if len(stream.getvalue()) < len(png) else ('png', png)
    return f'data:image/{kind};base64,{base64.b64encode(data).decode("ascii")}'


def _width(path: Path) -> int:
    try:
        with Image.open(path) as picture:
            return picture.width
    except OSError:
        return 1


def _table(caption: str, head: str, rows: Iterable[str]) -> str:
    body = '\n'.join(rows)
    return (f'<div class="scroll"><table><caption>{caption}</caption>\n<thead>{head}</thead>\n'
            f'<tbody>\n{body}\n</tbody></table></div>')


def _missing(text: str) -> str:
    return f'<p class="missing">{text}</p>'


def _names(runs: Sequence[Run]) -> str:
    names = [f'<b>{escape(run.name)}</b>' for run in runs]
    return ', '.join(names[:-1]) + ' and ' * (len(names) > 1) + names[-1]


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f'{minutes // 60} h {minutes % 60:02} min'
    return f'{minutes} min {rest:02} s' if minutes else f'{rest} s'
