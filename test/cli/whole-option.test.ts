import { expect, test } from 'vitest'
import { wholeOption } from '../../src/cli/whole-option.ts'

test.each(['0', '007', '12', '1000000000'])('%s is a whole number', (text) => {
  expect(wholeOption(0, 1e9)(text)).toBe(Number(text))
})
test.each(['', ' ', '-1', '1.5', '1e3', '0x10', '1000000001', '９'])(
  '"%s" is refused with what is expected',
  (text) => {
    expect(() => wholeOption(0, 1e9)(text)).toThrow('a whole number from 0 to 1000000000')
  },
)
