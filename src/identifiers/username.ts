import { NEEDS_SERVICE, type Normalised, namedProfile, refused } from './profile.ts'
import { foldNfkc, textFault } from './unicode.ts'

/** Code points of the canonical form. */
const LIMIT = 128

/**
 * `username/1:<platform>`: NFKC, case folding, default-ignorable code points dropped, one `@` off. For platforms whose
 * names differ in case alone it is too loose: they share the account id.
 */
export function canonicalUsername(raw: string, { service }: { service?: string | undefined }): Normalised {
  const profile = namedProfile('username', service)
  if (profile === undefined) return refused(NEEDS_SERVICE)
  const text = raw.trim()
  const fault = textFault(text)
  if (fault !== undefined) return refused(fault)
  const canonical = foldNfkc(text).trim().replace(/^@/, '').trim()
  if (canonical === '') return refused('empty')
  // Two would make the canonical form of the canonical form another one.
  if (canonical.startsWith('@')) return refused('more than one @')
  if ([...canonical].length > LIMIT) return refused(`longer than ${LIMIT} code points`)
  return { outcome: 'ok', canonical, profile }
}
