"""The style of a page: serif for mathematics and reasons, tabular figures for numbers."""

from .palette import INK, properties

RULES = """
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
  font:16px/1.5 Charter,'Bitstream Charter',Georgia,'Noto Serif','DejaVu Serif',serif}
main{max-width:820px;margin:2rem auto;padding:0 20px}
math{font-size:1.08em}
h1{font-size:1.5rem;font-weight:600;margin:0}
h2{font-size:1.1rem;font-weight:600;margin:2.2rem 0 .6rem;padding-bottom:.25rem;
  border-bottom:1px solid var(--line)}
p{margin:.3rem 0;overflow-wrap:anywhere}
.signs{color:var(--soft);margin:.4rem 0 1rem;padding-left:1.2rem}
.step{padding:.7rem 0 .5rem 2.9rem;position:relative;border-top:1px solid var(--line)}
.step:target{background:var(--panel)}
.number{position:absolute;left:0;color:var(--soft)}
.number a{color:inherit;text-decoration:none}
.number a:hover,.number a:focus-visible{color:var(--accent);text-decoration:underline}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.facts,table,.value{font:.84rem/1.45 system-ui,'Noto Sans',sans-serif;
  font-variant-numeric:tabular-nums}
.facts{color:var(--soft)}
.reason{font-style:italic}
.scroll{overflow-x:auto;max-width:100%;margin:.4rem 0}
table{border-collapse:collapse}
th,td{padding:3px 14px 3px 0;text-align:left;vertical-align:baseline}
th{color:var(--soft);font-weight:600}
.grid{border:solid var(--ink);border-width:0 2px;border-radius:5px}
.grid td{padding:2px 7px;text-align:right;border:1px solid var(--line);white-space:nowrap}
.grid th{font-size:0;line-height:0;padding:0;user-select:none}
.grid td:empty{padding:0;border:0}
.grid .z{text-align:center;color:var(--soft);border-style:dotted;
  background:repeating-linear-gradient(135deg,var(--void) 0 4px,transparent 4px 6px)}
figure{margin:.4rem 0}
figcaption{color:var(--soft);font-size:.9rem}
pre{font:.8rem/1.4 ui-monospace,'DejaVu Sans Mono',monospace;margin:0}
@media (max-width:480px){.step{padding-left:0}.number{position:static;margin-right:.5em}}
@media print{.step{break-inside:avoid}a{color:inherit}.scroll{overflow:visible}}
"""


def style() -> str:
    """Both themes, the light one for paper, and what is the same in both."""
    classes = "".join(f".k{n}{{background:var(--c{n});color:var(--i{n})}}" for n in range(len(INK)))
    light, dark = properties("light"), properties("dark")
    return (
        f":root{{color-scheme:light;{light}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{color-scheme:dark;{dark}}}}}"
        f"{RULES}{classes}"
    )


def chosen_themes() -> str:
    """On a screen, the theme that a reader has chosen, in pictures too."""
    return (
        "@media screen{"
        + "".join(
            f":root[data-theme={theme}],:root[data-theme={theme}] .jb"
            f"{{color-scheme:{theme};{properties(theme)}}}"
            for theme in ("light", "dark")
        )
        + "}"
    )
