// What a report can do by itself: find a pipeline by text.
(() => {
  'use strict'
  for (const table of document.querySelectorAll('table[data-filter]')) {
    const rows = [...table.tBodies[0].rows]
    const texts = rows.map((row) => row.textContent.toLowerCase())
    const label = document.createElement('label')
    const name = document.createElement('span')
    const input = document.createElement('input')
    const found = document.createElement('p')
    const bar = document.createElement('div')
    name.textContent = 'Filter by text'
    input.type = 'search'
    found.className = 'quiet'
    found.setAttribute('role', 'status')
    bar.className = 'filters'
    label.append(name, input)
    bar.append(label, found)
    table.parentElement.before(bar)
    input.addEventListener('input', () => {
      const words = input.value.toLowerCase().split(/\s+/)
      let seen = 0
      rows.forEach((row, n) => {
        const isSeen = words.every((word) => texts[n].includes(word))
        row.classList.toggle('hidden', !isSeen)
        seen += isSeen
      })
      found.textContent = `${seen} of ${rows.length}`
    })
  }
})()
