import fc from 'fast-check'
import examples from 'libphonenumber-js/examples.mobile.json' with { type: 'json' }
import { getCountryCallingCode, getExampleNumber, isSupportedCountry } from 'libphonenumber-js/max'
import { describe, expect, test } from 'vitest'
import { canonicalOf, holdsVectors, readVectors, type Vector } from './vectors.ts'

const table = readVectors<{ profile: string; vectors: Vector[] }>('phone')

describe('phone/1', () => holdsVectors('phone', table.profile, table.vectors))

test('every region: the national and the international form of its example number are one number', () => {
  const regions = Object.keys(examples).filter((region) => isSupportedCountry(region))
  expect(regions.length).toBeGreaterThan(200)
  for (const region of regions) {
    const number = getExampleNumber(region, examples)
    const canonical = canonicalOf({ type: 'phone', raw: number?.formatInternational() ?? '' })
    expect(canonical?.startsWith(`+${getCountryCallingCode(region)}`), region).toBe(true)
    expect(canonicalOf({ type: 'phone', raw: number?.formatNational() ?? '', region }), region).toBe(canonical)
  }
})

/** Of Mexico some are told in two ways. */
const e164 = fc.stringMatching(/^\+[1-9][0-9]{6,14}$/).filter((raw) => !raw.startsWith('+52'))

test('what is E.164 stays as it is or is refused, whatever the region, and is one number however it is grouped', () => {
  fc.assert(
    fc.property(e164, fc.constantFrom('US', 'DE', 'IN'), (raw, region) => {
      const canonical = canonicalOf({ type: 'phone', raw, region })
      expect([raw, undefined]).toContain(canonical)
      const grouped = canonicalOf({ type: 'phone', raw: `${raw.slice(0, 3)} ${raw.slice(3)}` })
      if (canonical !== undefined) expect([raw, undefined]).toContain(grouped)
      else if (grouped !== undefined) expect(canonicalOf({ type: 'phone', raw: grouped })).toBe(grouped)
    }),
  )
})
