import { expect, test } from 'vitest'
import { DENSITIES, formatLook, PLAIN_LOOK, parseLook, THEMES } from '../../src/console/look.ts'

test('a look is kept as it was chosen', () => {
  for (const theme of THEMES)
    for (const density of DENSITIES)
      for (const keys of [true, false]) {
        const look = { theme, density, keys }
        expect(parseLook(formatLook(look))).toEqual(look)
      }
})

test.for([[undefined], [''], ['dark'], ['purple.compact.on'], ['dark.compact.on.more'], ['"><script>']])(
  '%j is as if nothing was chosen',
  ([text]) => {
    expect(parseLook(text)).toEqual(PLAIN_LOOK)
  },
)
