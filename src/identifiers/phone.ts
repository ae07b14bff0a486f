import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/max'
import { type Normalised, PROFILE, refused } from './profile.ts'

const E164 = /^\+[1-9][0-9]{6,14}$/
const LIMIT = 64

/**
 * `phone/1`: E.164 with its plus. A number in national form needs the region it was dialled in (ISO 3166-1 alpha-2);
 * nothing is guessed from anything else. Whether the number is in use is not judged: numbering plans change.
 */
export function canonicalPhone(
  raw: string,
  { defaultRegion }: { defaultRegion?: string | undefined } = {},
): Normalised {
  const text = raw.normalize('NFKC').trim()
  const profile = PROFILE.phone.first
  if (text.length > LIMIT) return refused(`longer than ${LIMIT} characters`)
  // What is E.164 already stays as it is under every version of the numbering plans.
  if (E164.test(text)) return { outcome: 'ok', canonical: text, profile }
  if (defaultRegion !== undefined && !isSupportedCountry(defaultRegion)) return refused('an unknown region')
  if (defaultRegion === undefined && !/^\+/.test(text)) return refused('a national form without its region')
  const options = { extract: false, ...(defaultRegion === undefined ? {} : { defaultCountry: defaultRegion }) }
  const number = parsePhoneNumberFromString(text, options)
  if (number === undefined || !number.isPossible()) return refused('not a phone number')
  if (number.ext !== undefined) return refused('a number without its extension')
  if (!E164.test(number.number)) return refused('not a number of E.164')
  return { outcome: 'ok', canonical: number.number, profile }
}
