// Makes a served page live: filters without a reload, new runs as they land, pictures drawn.
(() => {
  'use strict'

  const options = { target: '#main', select: '#main', swap: 'outerMorph' }
  const state = document.getElementById('state')
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

  // One request at a time; what comes in between is asked for once, afterwards.
  let isAsking = false
  let isWanted = false
  async function show () {
    if (isAsking) { isWanted = true; return }
    isAsking = true
    try {
      do {
        isWanted = false
        await htmx.ajax('GET', location.pathname + location.search, { ...options })
      } while (isWanted)
    } finally {
      isAsking = false
      draw()
    }
  }

  // Filters: what is empty stays out of the URL, which is the view.
  function go (form) {
    const query = new URLSearchParams()
    for (const [name, value] of new FormData(form)) if (value) query.append(name, value)
    const url = form.getAttribute('action') + (query.size ? '?' + query : '')
    if (url !== location.pathname + location.search) {
      history.pushState(null, '', url)
      show()
    }
  }
  let typing
  document.addEventListener('input', (event) => {
    const form = event.target.form
    if (!form?.matches('[data-live]')) return
    clearTimeout(typing)
    typing = setTimeout(() => go(form), 250)
  })
  document.addEventListener('submit', (event) => {
    if (!event.target.matches('[data-live]')) return
    event.preventDefault()
    clearTimeout(typing)
    go(event.target)
  })
  addEventListener('popstate', async () => {
    await show()
    for (const form of document.querySelectorAll('[data-live]')) form.reset()
  })

  // A strip is one stop of the tab key; arrows go from run to run.
  document.addEventListener('keydown', (event) => {
    const here = event.target.closest?.('.strip a')
    const step = { ArrowLeft: 'previousElementSibling', ArrowRight: 'nextElementSibling' }[event.key]
    const next = here && step && here[step]
    if (next) { next.focus(); event.preventDefault() }
  })

  // New runs: the server says that something has come, and this view is asked for again.
  // A window that nobody sees lets go of its connection: a browser has few of them for one server.
  const AGES_MILLISECONDS = 60_000
  let events
  function listen () {
    events?.close()
    if (document.hidden) return
    events = new EventSource('/events')
    events.addEventListener('fleet', (event) => {
      if (document.getElementById('main').dataset.generation !== event.data) show()
    })
    events.onopen = () => { state.classList.add('live'); state.classList.remove('away') }
    events.onerror = () => { state.classList.add('away'); state.classList.remove('live') }
  }
  document.addEventListener('visibilitychange', listen)
  setInterval(() => { if (!document.hidden) show() }, AGES_MILLISECONDS)

  const loaded = new Map()
  function load (url) {
    if (!loaded.has(url)) {
      loaded.set(url, new Promise((resolve, reject) => {
        const script = document.createElement('script')
        script.src = url
        script.onload = resolve
        script.onerror = reject
        document.head.append(script)
      }))
    }
    return loaded.get(url)
  }

  async function drawChart (place, data) {
    await load(document.body.dataset.uplot)
    const line = (name, colour, dash) => ({ label: name, stroke: style(colour), width: 1.5, dash, points: { show: data.times.length < 60 } })
    const days = data.times.at(-1) - data.times[0] > 2 * 86_400
    const written = (ts) => new Date(ts * 1e3).toISOString().slice(days ? 5 : 11, days ? 10 : 16)
    const axis = { stroke: style('--quiet'), grid: { stroke: style('--line'), width: 1 }, ticks: { stroke: style('--line') } }
    if (!place.isConnected) return
    place.replaceChildren()
    new uPlot({
      width: place.clientWidth - 16,
      height: 150,
      tzDate: (ts) => uPlot.tzDate(new Date(ts * 1e3), 'Etc/UTC'),
      series: [{ label: 'run', value: (_, ts) => ts == null ? '' : new Date(ts * 1e3).toISOString().slice(0, 16).replace('T', ' ') }, line(data.names[0], '--failed'), line(data.names[1], '--stale', [6, 4])],
      axes: [{ ...axis, size: 30, values: (_, times) => times.map(written) }, { ...axis, size: 36, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] }]
    }, [data.times, ...data.values], place)
  }

  async function drawGraph (place, data) {
    await load(document.body.dataset.cytoscape)
    await load(document.body.dataset.dagre)
    const colours = { failed: '--failed', degraded: '--bar-degraded', stale: '--stale', healthy: '--bar-healthy' }
    if (!place.isConnected) return
    place.replaceChildren()
    place.style.height = `min(75vh, ${Math.max(14, 5 + 1.6 * data.nodes.length)}rem)`
    const graph = cytoscape({
      container: place,
      elements: {
        nodes: data.nodes.map((node) => ({ data: node })),
        edges: data.edges.map((edge) => ({ data: edge }))
      },
      layout: { name: 'dagre', rankDir: 'LR', nodeSep: 14, rankSep: 60, fit: true, padding: 16 },
      minZoom: 0.2,
      maxZoom: 1.5,
      style: [
        { selector: 'node', style: { label: 'data(label)', 'font-size': 12, 'font-family': 'system-ui, sans-serif', color: style('--ink'), 'text-wrap': 'wrap', 'text-max-width': 190, 'text-overflow-wrap': 'anywhere', 'text-valign': 'center', 'text-halign': 'center', width: 210, height: 42, shape: 'round-rectangle', 'background-color': style('--soft'), 'border-width': 1, 'border-color': style('--quiet') } },
        { selector: 'node[kind = "place"]', style: { shape: 'rectangle', 'background-color': style('--sheet'), 'border-style': 'dashed', 'font-size': 11, height: 34 } },
        { selector: 'node[?start]', style: { 'border-width': 3, 'font-weight': 'bold' } },
        ...Object.entries(colours).map(([health, name]) => ({ selector: `node[health = "${health}"]`, style: { 'border-color': style(name), 'border-width': 2 } })),
        { selector: 'edge', style: { width: 1.2, 'line-color': style('--quiet'), 'target-arrow-color': style('--quiet'), 'target-arrow-shape': 'triangle', 'arrow-scale': 0.8, 'curve-style': 'bezier' } }
      ]
    })
    graph.on('tap', 'node', (event) => {
      const query = new URLSearchParams(location.search)
      const also = event.target.data('also')
      if (query.getAll('also').includes(also)) return
      query.append('also', also)
      history.pushState(null, '', `${location.pathname}?${query}`)
      show()
    })
  }

  // Anew only where what is drawn has changed.
  const drawn = new Map()
  function draw () {
    for (const [name, picture] of [['chart', drawChart], ['graph', drawGraph]]) {
      for (const data of document.querySelectorAll(`script[data-${name}]`)) {
        const place = document.getElementById(data.dataset[name])
        if (!place || (drawn.get(place) === data.textContent && place.hasChildNodes())) continue
        drawn.set(place, data.textContent)
        picture(place, JSON.parse(data.textContent))
      }
    }
  }

  function redraw () {
    drawn.clear()
    draw()
  }
  let width = innerWidth
  addEventListener('resize', () => {
    if (innerWidth !== width) redraw()
    width = innerWidth
  })
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw)

  draw()
  listen()
})()
