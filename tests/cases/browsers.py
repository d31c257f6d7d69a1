"""A real browser, and what it says of the texts on a page."""

import os
import shutil
from contextlib import contextmanager

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
NO_CHROMIUM = "no Chromium: install Debian's chromium, or name one in CHROMIUM"


@contextmanager
def chromium():
    """Chromium without a window, by playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        opened = started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield opened
        opened.close()


# The texts whose contrast with what is behind them is below 4.5, as the browser has computed both.
CONTRAST = """() => {
  const light = c => {
    const v = c.map(x => x / 255).map(x => x <= .04045 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4)
    return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]
  }
  const parts = text => (text.match(/[\\d.]+/g) || []).map(Number)
  const poor = [], root = getComputedStyle(document.body).backgroundColor
  for (const e of document.querySelectorAll('body *')) {
    const said = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())
    const unseen = e.closest('script,style,title,desc,.skip,.unseen,.gone')
    if (!said || unseen || !e.getClientRects().length) continue
    const style = getComputedStyle(e), svg = e.closest('svg')
    let behind = e, back = []
    while (behind && !svg) {
      back = parts(getComputedStyle(behind).backgroundColor)
      if (back.length === 3 || back[3] > 0) break
      behind = behind.parentElement
    }
    if (svg && !svg.querySelector('.box')) continue  // a sign: its colour is no text's
    if (svg) back = parts(getComputedStyle(svg.querySelector('.box')).fill)
    const [x, y] = [light(parts(svg ? style.fill : style.color)), light(back)].sort((a, b) => a - b)
    const contrast = (y + .05) / (x + .05)
    if (contrast < 4.5) poor.push(e.textContent.slice(0, 20) + ' ' + contrast.toFixed(2))
  }
  return poor
}"""
