"""How the report looks: on a screen by day and by night, and on paper."""

STYLE = '''
:root { color-scheme: light dark; --paper: #fff; --ink: #1c1b19; --muted: #6a675f;
  --rule: #cfccc4; --mark: #f1ede2;
  --sans: "Helvetica Neue", Arial, "Liberation Sans", sans-serif;
  --serif: Charter, "Bitstream Charter", "Sitka Text", Cambria, Georgia, "Liberation Serif",
  serif; }
@media (prefers-color-scheme: dark) { :root { --paper: #181816; --ink: #e4e1da; --muted: #a09c92;
  --rule: #45433d; --mark: #2b2922; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 3.5rem 2rem 4rem; max-width: 76rem; background: var(--paper);
  color: var(--ink); font: 17px/1.55 var(--serif); }
h1 { font-size: 2.1rem; line-height: 1.2; font-weight: 600; margin: 0 0 .6rem; max-width: 30em; }
h2 { font-size: 1.3rem; font-weight: 600; margin: 3.2rem 0 .8rem; padding-top: .7rem;
  border-top: 1px solid var(--rule); }
p, ol, dl { max-width: 44rem; }
p, ol { margin: 0 0 1rem; }
ol { padding-left: 1.4em; }
li { margin-bottom: .45rem; }
.lead { font-size: 1.12rem; color: var(--muted); }
.scroll { overflow-x: auto; margin: 1.2rem 0; }
table { border-collapse: collapse; font: 14px/1.4 var(--sans); font-variant-numeric: tabular-nums;
  border-top: 2px solid var(--ink); border-bottom: 2px solid var(--ink); }
caption { caption-side: top; text-align: left; padding-bottom: .45rem; color: var(--muted); }
th, td { padding: .32rem .85rem; text-align: right; white-space: nowrap; font-weight: 400; }
th:first-child, td.text { text-align: left; }
th:first-child { padding-left: .3rem; }
thead th { color: var(--muted); }
thead tr:last-child th { border-bottom: 1px solid var(--ink); }
thead .group { text-align: center; border-bottom: 1px solid var(--rule); }
tbody th { color: var(--ink); }
td.best { font-weight: 700; background: var(--mark); }
dl { font: 14px/1.45 var(--sans); display: grid; grid-template-columns: max-content 1fr;
  gap: .25rem 1rem; color: var(--muted); }
dt { color: var(--ink); } dd { margin: 0; }
figure { margin: 0; break-inside: avoid; }
figcaption { font: 13px/1.4 var(--sans); color: var(--muted); margin: .1rem 0 .15rem; }
figcaption b { color: var(--ink); font-weight: 600; }
img { display: block; height: auto; background: #fff; max-width: 100%; }
.curves { display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr));
  gap: 1.4rem 2rem; }
.curves svg { width: 100%; height: auto; display: block; }
.image { margin: 0 0 1.6rem; padding-top: .5rem; border-top: 1px solid var(--rule);
  break-inside: avoid; }
.detections { display: grid; grid-template-columns: repeat(auto-fill, minmax(26rem, 1fr));
  gap: 0 2rem; }
.missing { font: 14px/1.45 var(--sans); color: var(--muted); border-left: 3px solid var(--rule);
  padding-left: .8rem; }
code { font: .88em ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
footer { margin-top: 3.5rem; padding-top: .7rem; border-top: 1px solid var(--rule);
  font: 13px/1.5 var(--sans); color: var(--muted); }
@media print { :root { color-scheme: light; --paper: #fff; --ink: #000; --muted: #444;
  --rule: #bbb; --mark: #eee; }
  body { max-width: none; padding: 0; font-size: 10.5pt; } h2 { break-after: avoid; }
  .scroll { overflow: visible; } th, td { padding: .25rem .5rem; font-size: 8.5pt; }
  td.best, img { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .curves { grid-template-columns: repeat(3, 1fr); }
  .detections { grid-template-columns: 1fr 1fr; } @page { margin: 14mm; } }
'''
