import { utf8 } from '../kernel/bytes.ts'
import { NEEDS_SERVICE, type Normalised, namedProfile, refused } from './profile.ts'

const LIMIT = 256

/**
 * `account-id/1:<platform>`: exactly the bytes the platform gave, in UTF-8. Refused is what can only be a slip of
 * copying: blanks around it, control characters.
 */
export function canonicalAccountId(raw: string, { service }: { service?: string | undefined }): Normalised {
  const profile = namedProfile('account_id', service)
  if (profile === undefined) return refused(NEEDS_SERVICE)
  if (!raw.isWellFormed()) return refused('not well-formed Unicode')
  if (raw === '') return refused('empty')
  if (raw !== raw.trim() || /\p{Cc}/u.test(raw)) return refused('blanks around it or control characters')
  if (utf8(raw).length > LIMIT) return refused(`longer than ${LIMIT} bytes`)
  return { outcome: 'ok', canonical: raw, profile }
}
