
// The chosen step of a derivation. Every number, place, reason and sentence stands in the data;
// what is here places, colours and listens.
(() => {
'use strict'
const root = document.documentElement, aside = document.getElementById('object')
const objects = JSON.parse(document.getElementById('objects').textContent)
const steps = Object.keys(objects).map(id => document.getElementById(id))
const narrow = matchMedia('(max-width:760px)'), status = document.getElementById('said')
const meanings = JSON.parse(aside.dataset.layouts)
const HEIGHT = 27, LEAST = 34, MOST = 58
let now = -1, layout = '', redraw = () => {}, changed = {}
root.classList.add('js')

const make = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties)
  made.append(...children)
  return made
}
const markup = (tag, className, inner) => make(tag, { className, innerHTML: inner })
const named = (element, label) => { element.setAttribute('aria-label', label); return element }
const button = (text, label, act) => named(make('button', { type: 'button', textContent: text, onclick: act }), label)
const hint = inner => markup('p', 'hint', inner)
// What has changed away from the focus: a screen reader reads it out.
const say = text => { status.textContent = text }
const filled = (template, gaps) => template.replace(/\x1f(\w+)\x1f/g, (_, gap) => gaps[gap])

function unravelled(place, sizes) {
  const index = []
  for (const size of sizes.toReversed()) { index.unshift(place % size); place = Math.floor(place / size) }
  return index
}

// Cells and heads stand in units of a cell; how wide one is depends on the room.
const widthOf = columns => Math.max(LEAST, Math.min(MOST, ((aside.clientWidth || 480) - 46) / columns))
function put(element, x, y, width, wide = 1) {
  Object.assign(element.style, {
    transform: `translate(${x * width}px,${y * HEIGHT}px)`, width: `${width * wide - 2}px`, height: `${HEIGHT - 2}px`,
  })
}
function write(cell, text, shade, extra = '') {
  cell.textContent = text
  cell.className = `cell ${shade < 0 ? 'none' : 'k' + shade} ${extra}`
  const room = parseFloat(cell.style.width) - 5
  cell.style.fontSize = `${Math.min(12.5, room / text.length * 1.75)}px`
}
function drawHeads(inner, heads, width) {
  inner.querySelectorAll('.head').forEach(head => head.remove())
  return heads.map(([x, y, text, slice, at]) => {
    const head = make('span', { className: 'head' + (slice ? ' slice' : ''), textContent: text })
    head.setAttribute('aria-hidden', 'true')
    inner.append(head)
    put(head, x, y, width, slice ? 3 : 1)
    head.style.fontSize = slice ? '' : `${Math.min(11, width / Math.max(3, text.length) * 1.6)}px`
    return { head, at }
  })
}
function fit(inner, [columns, rows], width) {
  inner.style.width = `${columns * width + 4}px`
  inner.style.height = `${rows * HEIGHT + 4}px`
}

function choose(place, focus = true) {
  place = Math.max(0, Math.min(steps.length - 1, place))
  steps.forEach((step, n) => { step.tabIndex = n === place ? 0 : -1; step.removeAttribute('aria-current') })
  const step = steps[now = place]
  step.setAttribute('aria-current', 'step')
  document.querySelectorAll('.graph a').forEach(a => a.classList.toggle('on', objects[step.id].drawn.includes(a.getAttribute('href').slice(1))))
  show(objects[step.id])
  stand()
  if (!focus) return
  say(`${objects[step.id].says}. ${aside.querySelector('.fact')?.textContent ?? ''}`)
  step.focus({ preventScroll: true })
  step.scrollIntoView({ block: 'nearest' })
  try { history.replaceState(null, '', '#' + step.id) } catch { /* within another page */ }
}
function stand() {
  (narrow.matches ? steps[now] : document.querySelector('.columns')).append(aside)
  redraw()
}

function show(object) {
  aside.replaceChildren()
  redraw = () => {}
  const drawn = []
  if (object.spent) {
    const [whole, draw] = stages(object.spent)
    aside.append(named(markup('h2', '', `${object.title}, as the deltas are spent`), `${object.name}, as the deltas are spent`), whole)
    drawn.push(draw)
  }
  aside.append(named(markup('h2', '', `${object.title}, entry by entry`), `${object.name}, entry by entry`), markup('div', 'formula', object.formula))
  if (changed[steps[now].id]) aside.append(changed[steps[now].id].said.cloneNode(true))
  const chips = make('div', { className: 'chips' })
  if (object.chips.length) aside.append(hint('Its factors. Point at one: it is framed in the formula, its axes at the margin of the entries'
    + (object.chips.some(chip => chip.forbids) ? '; a δ dims the entries that it makes zero.' : '.')), chips)
  const light = object.cells ? entries(object, drawn) : () => {}
  object.chips.forEach((chip, n) => {
    const made = named(markup('button', '', chip.formula), `${chip.name}: ${chip.words}`)
    made.type = 'button'
    made.append(make('span', { textContent: chip.words }))
    const lit = on => {
      aside.querySelectorAll(`.formula [data-chip="${n}"]`).forEach(part => part.classList.toggle('lit', on))
      light(chip, on)
    }
    made.onmouseenter = made.onfocus = () => lit(true)
    made.onmouseleave = made.onblur = () => lit(false)
    chips.append(made)
  })
  if (object.left_out) aside.append(make('p', { className: 'fact', textContent: object.left_out }))
  redraw = () => drawn.forEach(draw => draw())
}

function entries(object, drawn) {
  const inner = make('div'), meaning = hint(''), fact = make('p', { className: 'fact' }), detail = make('div', { className: 'entry' })
  inner.setAttribute('role', 'group')
  named(inner, `entries of ${object.name}`)
  detail.append(hint('Point at an entry, or go to one with the arrows: its formula is filled in. '
    + '<kbd>j</kbd> <kbd>k</kbd> lead from step to step, <kbd>l</kbd> to the next layout.'))
  let chosen = -1, heads = []
  const names = Object.keys(object.layouts)
  if (!names.includes(layout)) layout = object.layout
  const set = make('fieldset', { className: 'layouts' }, make('legend', { textContent: 'Layout: the same entries, placed as a course may place them' }))
  names.forEach(name => {
    const input = make('input', { type: 'radio', name: 'layout', value: name, checked: name === layout })
    input.onchange = () => { layout = name; arrange(); say(`${meaning.textContent}; ${fact.textContent}`) }
    set.append(make('label', {}, input, name))
  })
  const off = changed[steps[now].id]?.cells ?? []
  const indices = object.cells.map((_, n) => unravelled(n, object.sizes))
  const gapsOf = index => ({ o: index.slice(0, object.outputs), w: index.slice(object.outputs) })
  const cells = object.cells.map(([, , , numbers, reason], n) => {
    const called = filled(object.called, gapsOf(indices[n]))
    const words = [called, numbers].filter(Boolean).join(' ')
    const cell = button('', `${words}. ${object.reasons[reason]}${off[n] ? ` ${off[n]}, by the mistake` : ''}`, () => cell.focus())
    cell.tabIndex = n ? -1 : 0
    cell.onfocus = () => pick(n)
    cell.onmouseenter = () => pick(n)
    inner.append(cell)
    return cell
  })
  function arrange() {
    const to = object.layouts[layout], width = widthOf(to.size[0])
    fit(inner, to.size, width)
    cells.forEach((cell, n) => {
      put(cell, to.spots[2 * n], to.spots[2 * n + 1], width)
      write(cell, off[n] || object.cells[n][0], off[n] ? 4 : object.cells[n][1], (n === chosen ? 'on ' : '') + (off[n] ? 'off' : ''))
    })
    heads = drawHeads(inner, to.heads, width)
    meaning.textContent = `${layout}: ${meanings[layout]}`
    fact.textContent = to.facts
    mark()
  }
  function mark() {
    const index = indices[chosen]
    heads.forEach(({ head, at }) => head.classList.toggle('lit',
      chosen >= 0 && Object.entries(at).every(([axis, value]) => index[object.axes.indexOf(axis)] === value)))
  }
  function pick(n) {
    cells.forEach((cell, m) => { cell.tabIndex = m === n ? 0 : -1; cell.classList.toggle('on', m === n) })
    chosen = n
    const [, , gaps, numbers, reason] = object.cells[n]
    const lead = filled(object.lead, gapsOf(indices[n]))
    detail.replaceChildren(
      markup('div', 'formula', `<math displaystyle="true">${lead}<mo>=</mo></math> <math>${filled(object.template, gaps.split('|'))}</math>`),
      make('p', { className: 'numbers', textContent: numbers }), make('p', { className: 'reason', textContent: object.reasons[reason] }))
    mark()
  }
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }
  inner.addEventListener('keydown', event => {
    const way = ways[event.key]
    if (!way) return
    event.preventDefault()
    event.stopPropagation()
    const spots = object.layouts[layout].spots, from = Math.max(0, chosen)
    let best = -1, least = Infinity
    cells.forEach((_, n) => {
      const x = spots[2 * n] - spots[2 * from], y = spots[2 * n + 1] - spots[2 * from + 1]
      const along = x * way[0] + y * way[1], beside = Math.abs(x * way[1]) + Math.abs(y * way[0])
      if (along > .01 && along + 4 * beside < least) { least = along + 4 * beside; best = n }
    })
    if (best >= 0) cells[best].focus()
  })
  aside.append(set, meaning, fact, make('div', { className: 'field' }, inner), legend(object.cells.map(cell => cell[1]), object.withheld), detail)
  drawn.push(arrange)
  return (chip, on) => {
    heads.forEach(({ head, at }) => head.classList.toggle('lit', on && chip.axes.some(axis => axis in at)))
    const [a, b] = chip.axes.map(axis => object.axes.indexOf(axis))
    const forbids = on && chip.forbids && a >= 0 && b >= 0
    cells.forEach((cell, n) => cell.classList.toggle('dim', forbids && indices[n][a] !== indices[n][b]))
    if (!on) mark()
  }
}

// What the cells stand for, of kinds that are there.
function legend(shades, withheld) {
  const met = [[-1, 'none', 'zero for every input'], [4, 'k4', withheld ?? '0 at this input']]
    .filter(([shade]) => shades.includes(shade))
    .map(([, kind, words]) => `<span><i class="${kind}"></i>${words}</span>`).join('')
  const ramp = [0, 1, 2, 3, 5, 6, 7, 8].map(n => `<i class="k${n}"></i>`).join('')
  return markup('p', 'hint legend', met + (withheld ? '' : `<span class="ramp">− ${ramp} +, the stronger the larger</span>`))
}

function stages(spent) {
  const last = spent.stages.length - 1, inner = make('div')
  inner.setAttribute('aria-hidden', 'true')
  const range = make('input', { type: 'range', min: 0, max: last, step: 1 })
  range.value = 0
  named(range, 'spend the deltas, stage by stage')
  const formula = make('div', { className: 'formula' }), words = make('p', { className: 'words' })
  const ticks = make('div', { className: 'hint ticks' }, ...spent.stages.map(({ number }) => make('span', { textContent: number })))
  ticks.setAttribute('aria-hidden', 'true')  // the slider says its number
  const cells = spent.cells.map(() => make('span'))
  inner.append(...cells)
  const frames = spent.cells.map(own => own.reduce((all, frame) => [...all, frame || all.at(-1)], []))
  const errors = cells.length - spent.errors
  const draw = () => {
    const at = +range.value, stage = spent.stages[at]
    const width = widthOf(stage.size[0])
    fit(inner, stage.size, width)
    cells.forEach((cell, n) => {
      const [x, y, text, shade, gone] = frames[n][at]
      put(cell, x, y, width)
      write(cell, text, shade, (n >= errors ? 'error ' : '') + (gone ? 'gone' : ''))
    })
    drawHeads(inner, stage.heads, width)
    formula.innerHTML = stage.formula
    words.innerHTML = stage.words
    range.setAttribute('aria-valuetext', `${stage.number} ${words.textContent}`)
    ;[...ticks.children].forEach((tick, n) => tick.classList.toggle('on', n === at))
  }
  const next = button('▸', 'next stage', () => {
    range.value = (+range.value + 1) % (last + 1)
    draw()
    say(range.getAttribute('aria-valuetext'))
  })
  next.title = 'next stage'
  range.oninput = draw
  const numbers = hint('Move the slider, or press ▸, and each δ is spent. (10) to (13) are the numbers of these equations in the text '
    + 'of C. Johnston, “How I think about the neural network backpropagation algorithm”.')
  const shades = frames.flatMap(own => own.map(frame => frame[3])).filter(shade => shade < 0)
  return [make('div', { className: 'spent' }, formula, words, make('div', { className: 'stage' }, range, next), ticks,
    make('div', { className: 'field' }, inner), ...shades.length ? [legend(shades, '')] : [], numbers), draw]
}

steps.forEach((step, n) => {
  step.addEventListener('click', event => { if (!event.target.closest('#object')) choose(n) })
})
addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches('input,select,summary')) return
  const way = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key]
  if (way) { event.preventDefault(); choose(now + way) }
  if (event.key === 'l') {
    const all = [...aside.querySelectorAll('.layouts input')], at = all.findIndex(input => input.checked)
    all[(at + 1) % all.length]?.click()
  }
})
document.querySelectorAll('.graph a').forEach(link => link.addEventListener('click', event => {
  event.preventDefault()
  choose(steps.findIndex(step => '#' + step.id === link.getAttribute('href')))
}))
const bar = [
  ['↑', 'previous step', 'k', () => choose(now - 1)], ['↓', 'next step', 'j', () => choose(now + 1)],
  ['◐', 'light or dark', '', () => {
    root.dataset.theme = getComputedStyle(root).colorScheme === 'dark' ? 'light' : 'dark'
    say(root.dataset.theme)
  }],
]
document.querySelector('.bar').append(...bar.map(([sign, label, key, act]) =>
  Object.assign(button(sign, label, act), { title: key ? `${label}: ${key}` : 'the other of light and dark' })))

// A mistake is chosen in the bar or opened in its section; its tables say what it changes.
const mistakes = [...document.querySelectorAll('details[name=mistake]')]
const labels = steps.map(step => step.getAttribute('aria-label'))
function plant(mistake) {
  changed = {}
  mistake?.querySelectorAll('[data-step]').forEach(part => {
    const cells = [...part.querySelectorAll('tr:not(:first-child) > td')].map(td => td.className ? td.textContent : '')
    const said = make('div', { className: 'planted' }, markup('p', '', mistake.querySelector('summary').innerHTML))
    const more = [...part.querySelectorAll('p.said'), ...cells.length ? document.querySelectorAll('#mistakes .key') : []]
    said.append(...more.map(inner => inner.cloneNode(true)))
    changed[part.dataset.step] = { cells, said }
  })
  steps.forEach((step, n) => {
    const is = step.id in changed
    step.classList.toggle('changed', is)
    step.setAttribute('aria-label', labels[n] + (is ? ', changed by the mistake' : ''))
  })
  document.querySelectorAll('.graph a').forEach(a => a.classList.toggle('changed', a.getAttribute('href').slice(1) in changed))
  const first = steps.findIndex(step => step.id in changed)
  if (first < 0) choose(now, false)
  else { choose(first, false); steps[first].scrollIntoView({ block: narrow.matches ? 'start' : 'center' }) }
}
if (mistakes.length) {
  const list = make('select')
  let planted = -1
  const chosen = place => {
    if (place === planted) return
    planted = place
    list.value = place + 1
    mistakes.forEach((mistake, n) => { mistake.open = n === place })
    plant(mistakes[place])
  }
  list.onchange = () => {
    chosen(list.value - 1)
    const names = steps.filter(step => step.id in changed).map(step => labels[steps.indexOf(step)])
    say(names.length ? `changed: ${names.join(', ')}` : list.value > 0 ? 'what it changes stands in its section' : 'no mistake')
  }
  named(list, 'choose a mistake')
  ;['no mistake', ...mistakes.map(mistake => mistake.dataset.title)]
    .forEach((textContent, value) => list.append(make('option', { textContent, value })))
  document.querySelector('.bar').prepend(list)
  mistakes.forEach((mistake, n) => mistake.addEventListener('toggle', () => {
    if (mistake.open) chosen(n)
    else if (n === planted) chosen(-1)
  }))
}
addEventListener('resize', () => redraw())
narrow.addEventListener('change', stand)
const asked = () => steps.findIndex(step => '#' + step.id === location.hash)
addEventListener('hashchange', () => { if (asked() >= 0) choose(asked()) })
const graph = document.querySelector('.graph details')
if (matchMedia('(max-width:1240px)').matches) graph.open = false
addEventListener('beforeprint', () => { graph.open = true })
const first = Math.max(0, Object.values(objects).findIndex(object => object.axes?.length > 2 && object.cells.some(cell => cell[1] < 0)))
if (steps.length) choose(asked() < 0 ? first : asked(), false)
if (asked() >= 0) steps[now].scrollIntoView({ block: 'center' })
})()
