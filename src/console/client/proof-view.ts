/** Writes what was found into what the server rendered; of five results each is words, an icon and a colour. */
import type { ProofStep } from '../../provenance/proof-steps.ts'

const ICONS: Readonly<Record<ProofStep['result'], string>> = {
  PASS: 'M3.5 8.5l3 3 6-7',
  FAIL: 'M8 2.5l6 11H2zM8 7v3M8 12v.5',
  UNKNOWN: 'M8 7.2v4M8 4.6v.6M8 14A6 6 0 108 2a6 6 0 000 12z',
}
const TONES: Readonly<Record<ProofStep['result'], string>> = { PASS: 'ok', FAIL: 'crit', UNKNOWN: 'neutral' }
const SVG = 'http://www.w3.org/2000/svg'

export function badge(result: ProofStep['result'], text: string): HTMLElement {
  const made = document.createElement('span')
  made.className = `badge badge-${TONES[result]}`
  made.append(iconOf(result), text)
  return made
}

function iconOf(result: ProofStep['result']): SVGElement {
  const svg = document.createElementNS(SVG, 'svg')
  for (const [name, value] of Object.entries({ class: 'icon', viewBox: '0 0 16 16', width: '14', height: '14' }))
    svg.setAttribute(name, value)
  svg.setAttribute('aria-hidden', 'true')
  const path = document.createElementNS(SVG, 'path')
  for (const [name, value] of Object.entries({ d: ICONS[result], fill: 'none', stroke: 'currentColor' }))
    path.setAttribute(name, value)
  path.setAttribute('stroke-width', '1.6')
  svg.append(path)
  return svg
}

/** Steps that are on the page already. */
export function showSteps(list: HTMLElement, steps: readonly ProofStep[]): void {
  for (const { step, result, says } of steps) {
    const item = list.querySelector<HTMLElement>(`[data-step="${step}"]`)
    if (item === null) continue
    item.dataset['result'] = result
    item.querySelector('.proof-verdict')?.replaceChildren(badge(result, result))
    const sentence = item.querySelector('.proof-says')
    if (sentence !== null) sentence.textContent = says
  }
}

export function note(tone: 'ok' | 'crit' | 'info', title: string, ...lines: string[]): HTMLElement {
  const made = document.createElement('div')
  made.className = `note note-${tone}`
  const body = document.createElement('div')
  const heading = document.createElement('strong')
  heading.textContent = title
  const rest = document.createElement('div')
  for (const line of lines) {
    const paragraph = document.createElement('p')
    paragraph.textContent = line
    rest.append(paragraph)
  }
  body.append(heading, rest)
  made.append(iconOf(tone === 'ok' ? 'PASS' : tone === 'crit' ? 'FAIL' : 'UNKNOWN'), body)
  return made
}

/** When something was verified here, to the second. */
export const nowText = (): string => `${new Date().toISOString().slice(11, 19)} UTC`
