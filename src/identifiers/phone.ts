import {
  type CountryCode,
  isSupportedCountry,
  type PhoneNumber,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/max'
import { type Normalised, PROFILE, refused } from './profile.ts'

const E164 = /^\+[1-9][0-9]{6,14}$/
/** What was dialled before the ten digits of Mexico until 2019 and stands in lists still; no number there begins so. */
const MEXICAN = /^\+52(?:01|04[45]|1)([2-9][0-9]{9})$/
const LIMIT = 64
const TRUNK = 'digits that are no part of the number: write it without the trunk prefix'

/**
 * `phone/1`: E.164 with its plus. A number in national form needs the region it was dialled in (ISO 3166-1 alpha-2);
 * nothing is guessed from anything else. Whether the number is in use is not judged: numbering plans change. What would
 * be another number if it were read once more, as with the zero of national calls behind the country code, is refused. A mobile
 * number of Mexico is the present one however it was dialled.
 */
export function canonicalPhone(
  raw: string,
  { defaultRegion }: { defaultRegion?: string | undefined } = {},
): Normalised {
  const text = raw.normalize('NFKC').trim()
  if (text.length > LIMIT) return refused(`longer than ${LIMIT} characters`)
  // What is E.164 already stays as it is but for Mexico, or is refused, under every version of the numbering plans.
  if (E164.test(text)) return settled(present(text))
  if (defaultRegion !== undefined && !isSupportedCountry(defaultRegion)) return refused('an unknown region')
  if (defaultRegion === undefined && !/^\+/.test(text)) return refused('a national form without its region')
  const read = parsed(text, defaultRegion)
  const number = read !== undefined && MEXICAN.test(read.number) ? parsed(present(read.number)) : read
  if (number === undefined || !number.isPossible()) return refused('not a phone number')
  if (read?.ext !== undefined) return refused('a number without its extension')
  if (!E164.test(number.number)) return refused('not a number of E.164')
  return settled(number.number)
}

const present = (e164: string): string => e164.replace(MEXICAN, '+52$1')

const parsed = (text: string, region?: CountryCode): PhoneNumber | undefined =>
  parsePhoneNumberFromString(text, { extract: false, ...(region === undefined ? {} : { defaultCountry: region }) })

/** Refused where blanks within it would make another number of it. */
const settled = (e164: string): Normalised =>
  (parsed(e164)?.number ?? e164) === e164
    ? { outcome: 'ok', canonical: e164, profile: PROFILE.phone.first }
    : refused(TRUNK)
