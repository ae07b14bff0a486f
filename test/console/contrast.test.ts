import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const CSS = readFileSync('src/console/assets/console.css', 'utf8')
const TEXT = ['text', 'muted', 'accent', 'crit', 'warn', 'ok', 'private']
const SURFACES = ['bg', 'raised', 'sunken']

const TOKEN = /--([a-z0-9]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);/g

/** The tokens of a theme by name: each stands once, with both of its values. */
function tokens(theme: 'light' | 'dark'): Map<string, string> {
  return new Map(
    [...CSS.matchAll(TOKEN)].map(([, name = '', light = '', dark = '']) => [name, theme === 'light' ? light : dark]),
  )
}

/** WCAG 2.2, relative luminance. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (high + 0.05) / (low + 0.05)
}

const THEMES = [
  ['light', tokens('light')],
  ['dark', tokens('dark')],
] as const

describe.each(THEMES)('%s', (_, theme) => {
  const of = (name: string): string => theme.get(name) ?? expect.fail(`no token ${name}`)

  test.for(TEXT.flatMap((text) => SURFACES.map((surface) => [text, surface] as const)))(
    '%s is read on %s',
    ([text, surface]) => {
      expect(contrast(of(text), of(surface))).toBeGreaterThanOrEqual(5.7)
    },
  )
  test.for(SURFACES)('the border of a control is seen on %s', (surface) => {
    expect(contrast(of('control'), of(surface))).toBeGreaterThanOrEqual(3.2)
  })
  test('figures are read on every step of heat: text on the first five, the surface on the last two', () => {
    for (const step of ['h1', 'h2', 'h3', 'h4'])
      expect(contrast(of('text'), of(step)), step).toBeGreaterThanOrEqual(4.6)
    for (const step of ['h5', 'h6']) expect(contrast(of('bg'), of(step)), step).toBeGreaterThanOrEqual(4.6)
  })
})

test('each colour stands in one place, for both themes', () => {
  const names = [...CSS.matchAll(TOKEN)].map(([, name]) => name)
  expect(new Set(names).size).toBe(names.length)
  expect(names).toEqual(expect.arrayContaining([...TEXT, ...SURFACES, 'control', 'line']))
  const once = [...CSS.matchAll(/--([a-z0-9]+): #/g)].map(([, name]) => name)
  // On paper there is one surface.
  expect(once).toEqual(['raised', 'sunken'])
})

test('nothing in the styles is fetched from elsewhere', () => {
  expect(CSS).not.toMatch(/url\(|@import/)
})
